"""The declared metrics: how they are called, that their labels are all that there can be, that the docs have them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evaluator import metrics
from evaluator.domain.verdict import Outcome, Reason
from evaluator.ledger.enqueues import EnqueuedBy
from evaluator.ledger.runs import RunState
from evaluator.leetcode.refusal import RefusalKind
from evaluator.metrics import DECLARATIONS, Declaration, documented
from evaluator.queue.messages import QUEUES
from evaluator.service.overview import Stage
from evaluator.service.reasons import REASONS

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_page_in_the_documentation_is_the_one_that_make_docs_writes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert documented(page) == page, "run `make docs`"
    assert [one.name for one in DECLARATIONS if f"| `{one.name}` | {one.kind} |" not in page] == []


@pytest.mark.parametrize("of", DECLARATIONS, ids=lambda of: of.name)
def test_names_units_and_help_are_as_prometheus_wants_them(of: Declaration) -> None:
    assert re.fullmatch(r"evaluator(_[a-z]+)+", of.name)
    assert of.name.endswith("_total") == (of.kind == "counter")
    assert of.name.removesuffix("_total").endswith("_seconds") == of.unit.startswith("seconds")
    assert of.name.endswith("_timestamp_seconds") == (of.unit == "seconds since the epoch")
    assert of.name.endswith("_bytes") == (of.unit == "bytes")
    assert of.help.endswith(".")
    assert "|" not in of.help
    assert bool(of.buckets) == (of.kind == "histogram")
    assert list(of.buckets) == sorted(set(of.buckets))


def test_names_are_told_once() -> None:
    names = [one.name for one in DECLARATIONS]
    assert len(names) == len(set(names)) > 30


def test_labels_have_every_value_that_there_can_be() -> None:
    recorded = metrics.EVALUATIONS_RECORDED.labels
    assert set(recorded["outcome"]) == set(Outcome)
    assert set(recorded["reason"]) == set(Reason) - {Reason.NOT_EVALUATED} == set(REASONS) - {Reason.NOT_EVALUATED}
    assert set(metrics.QUEUE_MESSAGES.labels["queue"]) == set(QUEUES.values())
    assert set(metrics.RUNS.labels["state"]) == set(RunState) - {RunState.SETTLED}
    assert set(metrics.CHALLENGES.labels["state"]) == set(Stage)
    assert set(metrics.LAST_ENQUEUE.labels["by"]) == set(EnqueuedBy)
    # Without a slot no request is sent.
    assert set(metrics.LEETCODE_REQUESTS.labels["class"]) == {"answered", *RefusalKind} - {RefusalKind.NO_SLOT}
