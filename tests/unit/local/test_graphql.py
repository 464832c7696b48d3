"""The simulator's reading of queries: what is valid is understood, what is not is refused with the server's words."""

from __future__ import annotations

import orjson
import pytest

from evaluator.leetcode import queries
from evaluator.local.simulator.graphql import Declaration, Field, Operation, QueryError, Variable, Word, parse
from evaluator.local.simulator.schema import bind, read_query, resolve


def test_an_operation_is_read_with_variables_aliases_and_nested_fields() -> None:
    text = """
    query recent($u0: String!, $limit: Int = 5) {  # a comment
      u0: recentAcSubmissionList(username: $u0, limit: $limit) { id, titleSlug }
      matchedUser(username: "bob") { userCalendar { streak } }
    }
    """
    ids = (Field("id", "id", {}, ()), Field("titleSlug", "titleSlug", {}, ()))
    calendar = Field("userCalendar", "userCalendar", {}, (Field("streak", "streak", {}, ()),))
    assert parse(text) == [
        Operation(
            "recent",
            (Declaration("u0", "String!"), Declaration("limit", "Int", 5)),
            (
                Field("u0", "recentAcSubmissionList", {"username": Variable("u0"), "limit": Variable("limit")}, ids),
                Field("matchedUser", "matchedUser", {"username": "bob"}, (calendar,)),
            ),
        )
    ]


def test_values_of_every_kind_are_read() -> None:
    text = r'{ f(a: "q\"\\\u00e9\n", b: -12, c: 1.5e3, d: true, e: null, g: EASY, h: [1 $x], i: {j: [], k: {}}) }'
    assert parse(text)[0].selections[0].arguments == {
        "a": 'q"\\é\n',
        "b": -12,
        "c": 1500.0,
        "d": True,
        "e": None,
        "g": Word("EASY"),
        "h": [1, Variable("x")],
        "i": {"j": [], "k": {}},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expected 'query', found <EOF>"),
        ("mutation { f }", "Expected 'query', found mutation"),
        ("{ }", "Expected Name, found }"),
        ("{ f", "Expected Name, found <EOF>"),
        ("{ f } }", "Expected 'query', found }"),
        ("{ f(a: ) }", "Unexpected )"),
        ("{ f(a: 1, a: 2) }", 'only one argument named "a"'),
        ('{ f(a: "open) }', "Unexpected character"),
        ("{ f(a: 01) }", "Unexpected character"),
        ("{ f(a: ü) }", "Unexpected character"),
        ("query ($a) { f }", "Expected ':', found )"),
        ("{ ...F }", "Unexpected character: '.'"),
    ],
)
def test_what_is_not_the_language_is_a_syntax_error(text: str, message: str) -> None:
    with pytest.raises(QueryError, match=r"^(Syntax Error|There can be)") as raised:
        parse(text)
    assert message in str(raised.value)


def test_the_queries_of_our_client_are_valid() -> None:
    bodies = [
        queries.recent_solves([f"user{n}" for n in range(20)], [2025, 2026]),
        queries.difficulties(["two-sum", "3sum"]),
        queries.problems(100),
    ]
    for body in map(orjson.loads, bodies):
        assert bind(read_query(body["query"], None), body["variables"]) == body["variables"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ nothing }", 'Cannot query field "nothing" on type "Query".'),
        ('{ matchedUser(username: "a") { email } }', 'Cannot query field "email" on type "User".'),
        ('{ matchedUser(username: "a") }', "must have a selection of subfields"),
        ('{ matchedUser(username: "a") { username { x } } }', "must not have a selection"),
        ("{ matchedUser { username } }", 'argument "username" of type "String!" is required'),
        ("{ matchedUser(username: 5) { username } }", 'expects a value of type "String!", found 5'),
        ("{ matchedUser(username: null) { username } }", 'expects a value of type "String!", found None'),
        ('{ matchedUser(username: "a", limit: 1) { username } }', 'Unknown argument "limit" on field'),
        ('{ recentSubmissionList(username: "a", limit: true) { id } }', 'expects a value of type "Int", found True'),
        ("{ matchedUser(username: $a) { username } }", 'Variable "$a" is not defined.'),
        ("query ($a: String) { matchedUser(username: $a) { username } }", 'of type "String" used in position'),
        ('query ($a: Int) { matchedUser(username: "a") { username } }', 'Variable "$a" is never used.'),
        (
            "query ($a: String!, $a: String!) { matchedUser(username: $a) { username } }",
            "only one variable of each name",
        ),
        (
            '{ a: matchedUser(username: "a") { username } a: matchedUser(username: "b") { username } }',
            'Fields "a" conflict.',
        ),
        ("query x { question(titleSlug: 1.5) { title } }", 'expects a value of type "String!", found 1.5'),
    ],
)
def test_a_query_that_the_schema_does_not_allow_is_refused(text: str, message: str) -> None:
    with pytest.raises(QueryError) as raised:
        read_query(text, None)
    assert message in str(raised.value)


def test_of_several_operations_the_named_one_is_answered() -> None:
    text = 'query a { question(titleSlug: "a") { title } } query b { question(titleSlug: "b") { title } }'
    assert read_query(text, "b").selections[0].arguments == {"titleSlug": "b"}
    with pytest.raises(QueryError, match=r'Unknown operation named "c"'):
        read_query(text, "c")
    with pytest.raises(QueryError, match="Must provide operation name"):
        read_query(text, None)


def test_variables_are_checked_and_defaults_filled_in() -> None:
    operation = read_query(
        "query ($u: String!, $n: Int = 3) { recentSubmissionList(username: $u, limit: $n) { id } }", None
    )
    assert bind(operation, {"u": "a"}) == {"u": "a", "n": 3}
    assert bind(operation, {"u": "a", "n": None}) == {"u": "a", "n": None}
    with pytest.raises(QueryError, match=r'"\$u" of required type "String!" was not provided'):
        bind(operation, {})
    with pytest.raises(QueryError, match=r'"\$u" got invalid value None'):
        bind(operation, {"u": None})
    with pytest.raises(QueryError, match=r'"\$n" got invalid value \'7\''):
        bind(operation, {"u": "a", "n": "7"})


def test_variables_are_filled_in_wherever_they_stand() -> None:
    value = {"difficulty": Variable("d"), "tags": [Variable("t"), Word("ANY")]}
    assert resolve(value, {"d": "EASY"}) == {"difficulty": "EASY", "tags": [None, "ANY"]}
