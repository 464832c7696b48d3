"""Which ids are taken from outside."""

from __future__ import annotations

import pytest
import structlog

from evaluator.correlation import LONGEST, correlated, current_id, new_id, of_trace, well_formed


@pytest.mark.parametrize(
    "given",
    ["6f9619ff-8b86-d011-b42d-00cf4fc964ff", "0af7651916cd43dd8448eb211c80319c", "night_shift.7", "7", "x" * LONGEST],
)
def test_what_can_be_an_id_is_taken_as_it_is(given: str) -> None:
    assert well_formed(given) == given


@pytest.mark.parametrize(
    "given", [None, 7, "", "-x", "two words", "x\n", "naïve", "a;b", '"', "x" * (LONGEST + 1), "%s", "{}"]
)
def test_what_cannot_be_one_is_not(given: object) -> None:
    assert well_formed(given) is None


@pytest.mark.parametrize(
    ("traceparent", "found"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c"),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", None),
        ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", None),
        ("0af7651916cd43dd8448eb211c80319c", None),
        ("", None),
    ],
)
def test_the_id_of_a_trace_is_read_from_its_traceparent(traceparent: str, found: str | None) -> None:
    assert of_trace(traceparent) == found


def test_an_id_is_bound_while_something_is_done_and_the_former_one_again_afterwards() -> None:
    structlog.contextvars.clear_contextvars()
    with correlated():
        outer = current_id()
        with correlated():
            assert current_id() not in {outer, None}
        assert current_id() == outer
    assert current_id() is None
    assert well_formed(new_id()) != well_formed(new_id())
