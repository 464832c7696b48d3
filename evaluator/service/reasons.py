"""Reasons: why a verdict is what it is, or why there is none, in sentences that say what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evaluator.domain.evidence import Standing
from evaluator.domain.rules import Difficulty, Rules, Unique
from evaluator.domain.verdict import Outcome, Reason


class NoVerdict(StrEnum):
    """Why a member's day has no evaluation."""

    NOT_A_DAY = "not_a_day"
    SKIPPED_DATE = "skipped_date"
    BEFORE_JOINED = "before_joined"
    AFTER_LEFT = "after_left"
    BETWEEN_STAYS = "between_stays"
    CANCELLED = "cancelled"
    NOT_OVER = "not_over"
    NOT_DUE = "not_due"
    NOT_QUEUED = "not_queued"
    QUEUED = "queued"


class Note(StrEnum):
    """What a solve does for a verdict: its bearing, or that it lies outside of the day."""

    COUNTS = "counts"
    REPEATED = "repeated"
    WRONG_DIFFICULTY = "wrong_difficulty"
    DIFFICULTY_UNKNOWN = "difficulty_unknown"
    BEFORE_THE_DAY = "before_the_day"
    AFTER_THE_DAY = "after_the_day"


@dataclass(frozen=True, slots=True)
class Particulars:
    """What the sentences name. `decided` is why a person decided the day, `when` a time that matters, in words.

    In a challenge that is `cancelled` nobody decides anything, by hand or by itself.
    """

    challenge: str
    handle: str
    day: str
    timezone: str
    solved: int = 0
    required: int = 0
    outcome: str = ""
    decided: str = ""
    when: str = ""
    cancelled: bool = False


REASONS: dict[Reason, str] = {
    Reason.OVERRIDE: """
        The organiser decided that this day is {outcome}: "{decided}". It holds until it is taken back with
        `evaluator override {challenge} {handle} {day} --clear`.""",
    Reason.REST_DAY: """
        A rest day of the challenge: nothing was required, and the streak pauses. There is nothing to do.""",
    Reason.ABSENCE: """
        A planned absence covers this day: nothing was required, and the streak pauses. There is nothing to do.""",
    Reason.ENOUGH: """
        Enough: {solved} counted and {required} required. There is nothing to do; whatever is seen later, a passed day
        stays passed.""",
    Reason.NOT_ENOUGH: """
        Not enough: {solved} counted and {required} required. LeetCode's answers show the whole day, so the list of
        solves is complete; if one of them was judged wrongly, {decide}.""",
    Reason.FREEZE: """
        Not enough: {solved} counted and {required} required. A freeze was used up, so the streak pauses and nothing is
        charged. There is nothing to do; should the day pass after all, the freeze is free again.""",
    Reason.NO_HANDLE: """
        No LeetCode handle of this member is known, so nothing could be asked. List the handle in the challenge file and
        apply it; for this day, {decide}.""",
    Reason.USER_NOT_FOUND: """
        LeetCode knows no account {handle}. Check the spelling, and whether the account was renamed or closed; it is
        asked again by itself{when}. If the account is gone for good, {decide}.""",
    Reason.PROFILE_HIDDEN: """
        LeetCode shows no submissions of {handle}, though the account exists: they are hidden. Make recent submissions
        visible in the privacy settings of the LeetCode profile; it is asked again by itself{when}. Else {decide}.""",
    Reason.UPSTREAM_UNAVAILABLE: """
        LeetCode gave no usable answer about {handle}. It is asked again by itself{when}; if that goes on, see what it
        answers with `evaluator queue failed` and `evaluator doctor`.""",
    Reason.INTERNAL_ERROR: """
        The evaluator itself failed on this day: its error is told here, and the workers' logs hold more. Report it;
        once it is mended, `evaluator queue retry` settles the day.""",
    Reason.EVIDENCE_INCOMPLETE: """
        So far {solved} of {required} were seen, but LeetCode shows no more than the newest 20 accepted submissions, and
        its answers leave a part of this day unseen. Nobody fails without proof: if the member shows what was solved,
        {decide}.""",
    Reason.EVIDENCE_CONTRADICTORY: """
        So far {solved} of {required} were seen, and the answer that should show the whole day lacks a submission that
        an earlier one held, so it proves nothing. It is asked again by itself{when}; else {decide}.""",
    Reason.DIFFICULTY_UNKNOWN: """
        So far {solved} of {required} count for certain; the rest depends on a problem whose difficulty is not known.
        `evaluator problems sync` fetches it, and it is looked up by itself{when}.""",
    Reason.NOT_EVALUATED: """
        No worker has come to this day yet. If that goes on, `evaluator queue stats` shows whether work is paused or
        stands still, and `evaluator doctor` why.""",
}

NO_VERDICTS: dict[NoVerdict, str] = {
    NoVerdict.NOT_A_DAY: """
        {day} is not a day of this challenge, which lasts {when}.""",
    NoVerdict.SKIPPED_DATE: """
        {day} does not exist in {timezone}: the calendar there skips it, so nothing is required.""",
    NoVerdict.BEFORE_JOINED: """
        Not required: {handle} joined at {when}, when this day had begun. The first required day is the first that
        begins at or after that.""",
    NoVerdict.AFTER_LEFT: """
        Not required: {handle} left at {when}, before this day was over. The last required day is the last that ended at
        or before that.""",
    NoVerdict.BETWEEN_STAYS: """
        Not required: {handle} had left, and was not back for the whole of this day.""",
    NoVerdict.CANCELLED: """
        The challenge is cancelled: nothing more is settled, and what is settled stays.""",
    NoVerdict.NOT_OVER: """
        The day is not over: it ends at {when}, and is settled by itself some time after that.""",
    NoVerdict.NOT_DUE: """
        The day is over, and is settled by itself from {when} on.""",
    NoVerdict.NOT_QUEUED: """
        The day is due and not queued yet. The next scheduled enqueue does it, and so does
        `evaluator enqueue --challenge {challenge}`.""",
    NoVerdict.QUEUED: """
        The day is queued, and no worker has come to it yet. If that goes on, `evaluator queue stats` shows whether work
        is paused or stands still.""",
}

_DECIDE = "the organiser can decide the day with `evaluator override {challenge} {handle} {day} --outcome … --reason …`"
_DECIDE_LATER = "the organiser can decide the day if the challenge's file takes back that it is cancelled"

_STAYS_UNDECIDED = """
    The challenge is cancelled, so this day stays undecided ({why}), unless its file takes that back."""


def sentence(reason: Reason | NoVerdict, particulars: Particulars) -> str:
    """A reason in words."""
    text = REASONS[reason] if isinstance(reason, Reason) else NO_VERDICTS[reason]
    if particulars.cancelled and particulars.outcome == Outcome.PENDING:
        text = _STAYS_UNDECIDED
    values = {name: getattr(particulars, name) for name in Particulars.__slots__}
    decide = (_DECIDE_LATER if particulars.cancelled else _DECIDE).format_map(values)
    return " ".join(text.split()).format_map({**values, "decide": decide, "why": reason.replace("_", " ")})


def note_sentence(note: Note, difficulty: Difficulty | None, rules: Rules) -> str:
    """What a solve did for the verdict, in words."""
    match note:
        case Note.COUNTS:
            return "counts"
        case Note.REPEATED if rules.unique is Unique.CHALLENGE:
            return "does not count: this problem was solved before in the challenge"
        case Note.REPEATED:
            return "does not count: this problem was solved before on that day"
        case Note.WRONG_DIFFICULTY:
            wanted = " or ".join(one for one in Difficulty if one in rules.difficulties)
            return f"does not count: it is {difficulty}, and the rules ask for {wanted}"
        case Note.DIFFICULTY_UNKNOWN:
            return "may count: its difficulty is not known yet"
        case Note.BEFORE_THE_DAY:
            return "does not count: it was before this day began"
        case Note.AFTER_THE_DAY:
            return "does not count: it was after this day had ended"


def standing_sentence(standing: Standing) -> str:
    """What a reply that shows nothing says of the account."""
    return {
        Standing.VISIBLE: "the account is visible",
        Standing.USER_NOT_FOUND: "LeetCode knows no such account",
        Standing.PROFILE_HIDDEN: "the account hides its submissions",
        Standing.UNAVAILABLE: "no usable answer",
    }[standing]
