"""Which requests a planned fault hits."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from evaluator.local.simulator.faults import Fault, FaultKind, Faults

BLOCKED = FaultKind.BLOCKED


def hits(fault: Fault, requests: list[list[str]]) -> list[bool]:
    faults = Faults([fault], seed=1)
    return [bool(faults.strike(handles).whole) for handles in requests]


def test_a_fault_hits_every_request_until_it_has_hit_enough() -> None:
    assert hits(Fault(kind=BLOCKED), [["a"], [], ["b"]]) == [True, True, True]
    assert hits(Fault(kind=BLOCKED, times=2), [["a"], [], ["b"]]) == [True, True, False]


def test_a_fault_lets_some_requests_pass_first() -> None:
    assert hits(Fault(kind=BLOCKED, skip=1, times=1), [["a"], ["a"], ["a"]]) == [False, True, False]


def test_a_fault_that_names_users_counts_only_requests_about_them() -> None:
    fault = Fault(kind=BLOCKED, handles=("Ann", "bob"), skip=1)
    assert hits(fault, [["cy"], ["ANN"], [], ["cy", "bob"], ["cy"]]) == [False, False, False, True, False]


def test_a_fault_by_chance_hits_its_share_and_the_same_ones_each_time() -> None:
    fault = Fault(kind=BLOCKED, share=0.25)
    first = hits(fault, [["a"]] * 1000)
    assert 200 < sum(first) < 300
    assert first == hits(fault, [["a"]] * 1000)


def test_a_fault_of_users_hits_them_alone() -> None:
    faults = Faults([Fault(kind=FaultKind.LEFT_OUT, handles=("Ann",)), Fault(kind=FaultKind.STRANGER)], seed=1)
    struck = faults.strike(["ANN", "bob"])
    assert not struck.whole
    assert {handle: fault.kind for handle, fault in struck.users.items()} == {
        "ann": FaultKind.STRANGER,
        "bob": FaultKind.STRANGER,
    }
    assert [plan["hits"] for plan in faults.report()] == [1, 1]
    assert Faults([Fault(kind=FaultKind.LEFT_OUT, handles=("ann",))], seed=1).strike(["Ann", "bob"]).users.keys() == {
        "ann"
    }


@pytest.mark.parametrize("wrong", [{"times": 0}, {"share": 0}, {"status": 404}, {"kind": "boom"}, {"time": 1}])
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate({"kind": "blocked"} | wrong)
