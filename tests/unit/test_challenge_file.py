from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from evaluator.domain.challenge import Absence, ChallengeSpec, MemberSpec
from evaluator.domain.rules import Difficulty, Rules, Unique
from evaluator.service.challenge_file import ChallengeFile, read_challenge_file
from evaluator.service.yaml_source import Mistake

WHOLE = """\
challenges:
  - id: winter-grind                # lower-case slug, never changes
    name: Winter grind
    timezone: Asia/Kolkata          # IANA
    starts: 2026-11-01              # first day
    ends: 2026-11-30                # last day, included
    rules:
      min_solves: 2                 # 1 to 10
      difficulties: [Medium, Hard]  # left out: any
      unique: challenge             # none | day | challenge
      rest_days: [sunday]
      freezes_per_month: 1          # used up by themselves on a day that would fail
      penalty: {amount: "5.00", currency: EUR, cap: "50.00"}
    members:
      - handle: alice
        joined: 2026-11-01T00:00:00+05:30   # left out: from the start
        absences: [{from: 2026-11-10, to: 2026-11-12}]
      - {handle: bob, left: 2026-11-20T18:00:00Z}
"""

SMALL = """\
challenges:
  - id: small
    timezone: UTC
    starts: 2026-11-01
    ends: 2026-11-30
    {more}
    members:
      - {member}
"""


def seconds(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]  # year, month, day, …


def challenges(text: str) -> tuple[ChallengeSpec, ...]:
    found = read_challenge_file(text.encode())
    assert isinstance(found, ChallengeFile), found
    return found.challenges


def mistakes(text: str | bytes) -> list[Mistake]:
    found = read_challenge_file(text if isinstance(text, bytes) else text.encode())
    assert isinstance(found, list), found
    return found


def small(more: str = "name: Small", member: str = "handle: alice") -> str:
    return SMALL.format(more=more, member=member)


def the_mistake(text: str | bytes) -> Mistake:
    (only,) = mistakes(text)
    return only


def test_a_whole_file_is_read() -> None:
    assert challenges(WHOLE) == (
        ChallengeSpec(
            id="winter-grind",
            name="Winter grind",
            timezone="Asia/Kolkata",
            starts=date(2026, 11, 1),
            ends=date(2026, 11, 30),
            rules=Rules(
                min_solves=2,
                difficulties=frozenset({Difficulty.MEDIUM, Difficulty.HARD}),
                unique=Unique.CHALLENGE,
                rest_days=frozenset({6}),
                freezes_per_month=1,
                penalty=500,
                cap=5000,
            ),
            currency="EUR",
            members=(
                MemberSpec(
                    "alice",
                    joined=seconds(2026, 10, 31, 18, 30),
                    absences=(Absence(date(2026, 11, 10), date(2026, 11, 12)),),
                ),
                MemberSpec("bob", left=seconds(2026, 11, 20, 18)),
            ),
        ),
    )


@pytest.mark.parametrize("rules", ["name: Small", "rules:", "rules: {}", "rules: {penalty: , rest_days: []}"])
def test_rules_that_are_left_out_have_their_defaults(rules: str) -> None:
    (challenge,) = challenges(small(rules))
    assert challenge.rules == Rules(1, frozenset(), Unique.DAY, frozenset(), 0, 0, None)
    assert challenge.currency is None


def test_the_name_is_the_id_where_it_is_left_out() -> None:
    (challenge,) = challenges(small("rules:"))
    assert challenge.name == "small"


@pytest.mark.parametrize(
    ("penalty", "amount", "cap"),
    [
        ("{amount: 5.00, currency: EUR}", 500, None),
        ('{amount: "5", currency: EUR, cap: 7.5}', 500, 750),
        ("{amount: 100, currency: JPY, cap: 100}", 100, 100),
        ("{amount: 1.250, currency: KWD}", 1250, None),
        ("{amount: 0, currency: EUR}", 0, None),
        ("{amount: 5, currency: EUR, cap: 3}", 500, 300),
    ],
)
def test_amounts_become_minor_units_with_and_without_quotes(penalty: str, amount: int, cap: int | None) -> None:
    (challenge,) = challenges(small(f"rules: {{penalty: {penalty}}}"))
    assert (challenge.rules.penalty, challenge.rules.cap) == (amount, cap)


@pytest.mark.parametrize("handle", ["007", "1e5", "on", "2026-11-01", "a.b_c-d", "x" * 64, '"null"'])
def test_a_handle_is_what_was_written(handle: str) -> None:
    (challenge,) = challenges(small(member=f"handle: {handle}"))
    assert challenge.members[0].handle == handle.strip('"')


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-11-05T12:00:00Z", seconds(2026, 11, 5, 12)),
        ("'2026-11-05 12:00Z'", seconds(2026, 11, 5, 12)),
        ("2026-11-05T00:00:00+05:45", seconds(2026, 11, 4, 18, 15)),
        ("2026-11-05t23:59:59-11:00", seconds(2026, 11, 6, 10, 59, 59)),
    ],
)
def test_times_are_read_with_their_offset(written: str, expected: int) -> None:
    (challenge,) = challenges(small(member=f"{{handle: alice, joined: {written}}}"))
    assert challenge.members[0].joined == expected


def test_absences_that_overlap_or_touch_are_one() -> None:
    absences = (
        "[{from: 2026-11-13, to: 2026-11-14}, {from: 2026-11-10, to: 2026-11-12}, {from: 2026-11-20, to: 2026-11-20}]"
    )
    (challenge,) = challenges(small(member=f"{{handle: alice, absences: {absences}}}"))
    assert challenge.members[0].absences == (
        Absence(date(2026, 11, 10), date(2026, 11, 14)),
        Absence(date(2026, 11, 20), date(2026, 11, 20)),
    )


def test_a_challenge_without_members_and_a_cancelled_one_are_fine() -> None:
    (challenge,) = challenges(small("cancelled: true").replace("\n      - handle: alice", " []"))
    assert challenge.cancelled
    assert challenge.members == ()


TEN_MISTAKES = """\
challenges:
  - id: Winter Grind
    name: Winter grind
    timezone: Asia/Calcuta
    starts: 2026-11-31
    ends: 2026-11-30
    rules:
      min_solves: 11
      dificulties: [Medium]
      rest_days: [sunday, funday]
      penalty: {amount: "5.005", currency: EUR}
    members:
      - handle: 'al"ice'
        joined: 2026-11-01T00:00:00
      - {handle: bob}
      - {handle: BOB}
"""


def test_ten_mistakes_are_ten_messages_with_their_lines() -> None:
    assert [(found.line, found.path) for found in mistakes(TEN_MISTAKES)] == [
        (2, "challenges[0].id"),
        (4, "challenges[0].timezone"),
        (5, "challenges[0].starts"),
        (8, "challenges[0].rules.min_solves"),
        (9, "challenges[0].rules.dificulties"),
        (10, "challenges[0].rules.rest_days[1]"),
        (11, "challenges[0].rules.penalty.amount"),
        (13, "challenges[0].members[0].handle"),
        (14, "challenges[0].members[0].joined"),
        (16, "challenges[0].members[2].handle"),
    ]


@pytest.mark.parametrize(
    ("more", "path", "message"),
    [
        ("nmae: x", "nmae", "unknown key; did you mean name?"),
        ("starts: 2026-11-02", "starts", "given twice, first on line 4"),
        ("name: ''", "name", "'' is not a name"),
        ('name: "a\\nb"', "name", "is not a name"),
        ("cancelled: yes", "cancelled", "'yes' is neither true nor false"),
        ("cancelled: 'true'", "cancelled", "is neither true nor false"),
        ("rules: [1]", "rules", "a list stands where keys with values belong"),
        ("rules: {min_solves: 0}", "rules.min_solves", "'0' is not a whole number from 1 to 10"),
        ("rules: {min_solves: '2'}", "rules.min_solves", "without quotes"),
        ("rules: {min_solves: 2.0}", "rules.min_solves", "'2.0' is not a whole number"),
        ("rules: {min_solves: -1}", "rules.min_solves", "'-1' is not a whole number"),
        ("rules: {min_solves: [2]}", "rules.min_solves", "a list stands where a single value belongs"),
        ("rules: {freezes_per_month: 32}", "rules.freezes_per_month", "from 0 to 31"),
        ("rules: {difficulties: Hard}", "rules.difficulties", "'Hard' stands where a list belongs"),
        ("rules: {difficulties: [hard]}", "rules.difficulties[0]", "did you mean Hard?"),
        ("rules: {difficulties: [Hard, Hard]}", "rules.difficulties[1]", "Hard is listed twice"),
        ("rules: {unique: always}", "rules.unique", "'always' is not one of none, day, challenge"),
        ("rules: {rest_days: [sun]}", "rules.rest_days[0]", "did you mean sunday?"),
        ("rules: {penalty: 5}", "rules.penalty", "'5' stands where keys with values belong"),
        ("rules: {penalty: {amount: 5}}", "rules.penalty.currency", "is missing: write it, such as `currency: EUR`"),
        ("rules: {penalty: {currency: EUR}}", "rules.penalty.amount", "is missing"),
        ("rules: {penalty: {amount: 5, currency: EURO}}", "rules.penalty.currency", "'EURO' is not a currency code"),
        ("rules: {penalty: {amount: -5, currency: EUR}}", "rules.penalty.amount", "'-5' is not an amount"),
        ('rules: {penalty: {amount: "5,00", currency: EUR}}', "rules.penalty.amount", "'5,00' is not an amount"),
        ("rules: {penalty: {amount: \u0665, currency: EUR}}", "rules.penalty.amount", "is not an amount"),
        (
            "rules: {penalty: {amount: 5.0, currency: JPY}}",
            "rules.penalty.amount",
            "1 digits after the point; JPY has 0",
        ),
        ("rules: {penalty: {amount: 5, currency: EUR, cap: 1.001}}", "rules.penalty.cap", "3 digits after the point"),
    ],
)
def test_a_mistake_in_a_challenge_is_named_by_place_and_remedy(more: str, path: str, message: str) -> None:
    found = the_mistake(small(more))
    assert (found.line, found.path) == (6, f"challenges[0].{path}")
    assert message in found.message


@pytest.mark.parametrize(
    ("member", "path", "message"),
    [
        ("alice", "", "'alice' stands where keys with values belong: handle, joined, left, absences"),
        ("{}", ".handle", "is missing: write it, such as `handle: alice`"),
        ("{handle: }", ".handle", "is missing"),
        ("{handle: null}", ".handle", "is missing"),
        ("{handle: alice, name: Alice}", ".name", "unknown key"),
        ("{handle: alice, joined: 2026-11-05}", ".joined", "is not a time: write it like"),
        ("{handle: alice, joined: '2026-11-05T12:00:00'}", ".joined", "add its offset from UTC"),
        ("{handle: alice, joined: '2026-11-05T12:00:00.5Z'}", ".joined", "write whole seconds"),
        ("{handle: alice, joined: '2026-11-31T12:00:00Z'}", ".joined", "a date that the calendar lacks"),
        ("{handle: alice, joined: '2026-11-05T24:00:00Z'}", ".joined", "is not a time"),
        ("{handle: alice, joined: '1026-11-05T12:00:00Z'}", ".joined", "not in the years 1970 to 2199"),
        (
            "{handle: alice, joined: '2026-11-05T12:00:00+01:00', left: '2026-11-05T11:30:00+02:00'}",
            ".left",
            "before the member joined",
        ),
        ("{handle: alice, absences: {}}", ".absences", "a set of keys stands where a list belongs"),
        ("{handle: alice, absences: [{from: 2026-11-10}]}", ".absences[0].to", "is missing"),
        ("{handle: alice, absences: [{from: 2026-11-10, to: 2026-11-09}]}", ".absences[0].to", "before the first day"),
        ("{handle: alice, absences: [{from: 2026-02-29, to: 2026-03-01}]}", ".absences[0].from", "not a date"),
    ],
)
def test_a_mistake_in_a_member_is_named_by_place_and_remedy(member: str, path: str, message: str) -> None:
    found = the_mistake(small(member=member))
    assert (found.line, found.path) == (8, f"challenges[0].members[0]{path}")
    assert message in found.message


@pytest.mark.parametrize(
    "handle",
    [
        "'al\"ice'",
        '"al\'ice"',
        "'al\\ice'",
        "alice🦊",
        "x" * 500,
        "'alice\") { submitStats } u1: matchedUser(username: \"bob'",
        "'$u0'",
        "al ice",
        "ålice",
        "١٢٣",
        '"alice\\n"',
        '""',
    ],
)
def test_what_no_handle_can_be_is_refused(handle: str) -> None:
    found = the_mistake(small(member=f"handle: {handle}"))
    assert (found.line, found.path) == (8, "challenges[0].members[0].handle")
    assert "is not a handle of LeetCode" in found.message
    assert len(found.message) < 200


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "message"),
    [
        ("ends: 2026-11-30", "ends: 2026-10-31", 5, ".ends", "2026-10-31 is before the first day, 2026-11-01"),
        ("ends: 2026-11-30", "ends: 2036-12-30", 5, ".ends", "3660 at most"),
        ("starts: 2026-11-01", "starts: 01.11.2026", 4, ".starts", "write it like 2026-11-01"),
        ("starts: 2026-11-01", "starts: 2026-11-1", 4, ".starts", "is not a date of the calendar"),
        ("starts: 2026-11-01", "starts: 1969-12-31", 4, ".starts", "not in the years 1970 to 2199"),
        ("timezone: UTC", "timezone: +05:30", 3, ".timezone", "an IANA time zone such as Asia/Kolkata"),
        ("timezone: UTC", "timezone: ../UTC", 3, ".timezone", "an IANA time zone"),
        ("timezone: UTC", "timezone: localtime", 3, ".timezone", "an IANA time zone"),
        ("id: small", "id: Small", 2, ".id", "lower-case letters"),
        ("id: small", "id: small-", 2, ".id", "single dashes between them"),
        ("id: small", f"id: {'s' * 65}", 2, ".id", "up to 64"),
    ],
)
def test_a_wrong_value_is_named_by_its_line(old: str, new: str, line: int, path: str, message: str) -> None:
    found = mistakes(small().replace(old, new))[0]
    assert (found.line, found.path) == (line, f"challenges[0]{path}")
    assert message in found.message


@pytest.mark.parametrize("key", ["id", "timezone", "starts", "ends", "members"])
def test_a_key_that_must_be_there_is_missed_at_the_line_of_its_challenge(key: str) -> None:
    text = small("name: Small").replace("      - handle: alice\n", "").replace("members:", "members: []")
    lines = [line for line in text.splitlines() if not line.strip("- ").startswith(f"{key}:")]
    if key == "id":
        lines[1] = lines[1].replace("    timezone", "  - timezone")
    found = the_mistake("\n".join(lines))
    assert (found.line, found.path) == (2, f"challenges[0].{key}")
    assert "is missing" in found.message


def test_a_list_of_members_that_is_forgotten_is_no_empty_list() -> None:
    found = the_mistake(small().replace("      - handle: alice\n", ""))
    assert (found.line, found.path) == (7, "challenges[0].members")


def test_an_id_listed_twice_names_both_lines() -> None:
    found = the_mistake(small() + small().removeprefix("challenges:\n"))
    assert (found.line, found.path) == (9, "challenges[1].id")
    assert "first on line 2" in found.message


def test_a_handle_listed_twice_in_another_case_names_both_lines() -> None:
    found = the_mistake(small() + "      - handle: ALICE\n")
    assert (found.line, found.path) == (9, "challenges[0].members[1].handle")
    assert "first on line 8" in found.message


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 1, "the file is empty"),
        (b"# only a comment\n", 1, "the file is empty"),
        (b"challenges:\n", 1, "is missing"),
        (b"challenges: []\n", 1, "no challenge is listed"),
        (b"challenges: soon\n", 1, "'soon' stands where a list belongs"),
        (b"- id: small\n", 1, "a list stands where keys with values belong: challenges"),
        (b"challenges: [\n  {id: small\n", 3, "this is not YAML"),
        (b"challenges:\n\t- id: small\n", 2, "this is not YAML"),
        (b"challenges:\n  - id: sm\xe4ll\n", 2, "byte 0xe4 is not UTF-8"),
        ("challenges:\n  - id: é\x07\n".encode(), 2, "character U+0007 may not stand in YAML"),
        ("challenges: []".encode("utf-16"), 1, "is not UTF-8"),
        (b"[" * 100, 1, "nested too deeply"),
        (b"[" * 100_000, 1, "exceeded maximum nesting depth"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(content: bytes, line: int, message: str) -> None:
    found = the_mistake(content)
    assert found.line == line
    assert message in found.message


def test_aliases_are_refused_and_never_followed() -> None:
    laughs = "a: &a [lol, lol]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    found = mistakes(laughs)
    assert (2, "*a is an alias, which is not supported: write the value out") in [
        (one.line, one.message) for one in found
    ]
    assert len(found) == 9 + 16 + 9 + 1  # anchors, aliases, unknown keys, `challenges` that is missing


def test_an_alias_is_one_mistake_though_its_value_is_unknown() -> None:
    found = mistakes(small("name: &name Small", "handle: *name"))
    assert [one.line for one in found] == [6, 8]


@pytest.mark.parametrize("text", ["!!str small", "!!python/object/apply:os.system [ls]", "! small"])
def test_tags_are_refused(text: str) -> None:
    assert any("the tag" in found.message and found.line == 6 for found in mistakes(small(f"name: {text}")))


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    content = b"\xef\xbb\xbf" + small("name: &x Small").replace("\n", "\r\n").encode()
    assert the_mistake(content).line == 6


def test_every_challenge_is_looked_at() -> None:
    second = small("nmae: x").removeprefix("challenges:\n").replace("id: small", "id: other")
    found = mistakes(small("nmae: x") + second)
    assert [(one.line, one.path) for one in found] == [(6, "challenges[0].nmae"), (13, "challenges[1].nmae")]


def test_the_place_of_a_field_is_found_in_a_good_file() -> None:
    found = read_challenge_file(WHOLE.encode())
    assert isinstance(found, ChallengeFile)
    assert found.mistake("winter-grind", "rules.penalty.currency", "no") == Mistake(
        13, "challenges[0].rules.penalty.currency", "no"
    )
    assert found.mistake("winter-grind", "cancelled", "no").line == 2
