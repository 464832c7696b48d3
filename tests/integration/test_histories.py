"""Whole histories, lived by the use cases over a real database, against an independent implementation of the rules."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from evaluator.domain.verdict import Outcome
from evaluator.ledger.database import Database
from evaluator.ledger.runs import Batches, Turn
from evaluator.service.apply import Refused as ApplyRefused
from evaluator.service.apply import apply
from evaluator.service.challenge_file import ChallengeFile, read_challenge_file
from evaluator.service.enqueue import Request
from evaluator.service.override import MemberDay, lift_override, override
from evaluator.service.ranking import ranking
from evaluator.service.sync_run import Synchronous
from evaluator.service.unknown import Unknown
from evaluator.service.verdicts import verdicts
from tests.oracle.challenge_file import challenge_file
from tests.oracle.histories import generate
from tests.oracle.model import Apply, Enqueue, Override, Step, Sync
from tests.oracle.oracle import Oracle
from tests.oracle.stand_in import StandIn

SEEDS = range(int(os.environ.get("HISTORIES_FROM", "0")), int(os.environ.get("HISTORIES_TO", "16")))


COUNTED = {"not_enough", "freeze", "evidence_incomplete", "evidence_contradictory", "difficulty_unknown"}
"""Reasons of rows whose `solved` does not depend on who else was asked about when."""


class Inbox:
    """An outbox that keeps the turns."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    def send_runs(self, turns: Sequence[Turn]) -> None:
        self.turns.extend(turns)

    def send_batches(self, batches: Batches, *, delay: float = 0.0) -> None:
        raise AssertionError((batches, delay, "an override sends no batch"))


class Evaluators:
    """Ours and the oracle, living the same history."""

    def __init__(self, database: Database, world: StandIn, settle_delay: int) -> None:
        self.database = database
        self.world = world
        self.settle_delay = settle_delay
        self.oracle = Oracle(settle_delay)
        self.passes: dict[int, int] = {}
        self.synchronous = Synchronous(database, world, attempts=3, backoff=0.0, sleep=lambda _: None)

    def do(self, step: Step) -> tuple[bool, list[str]]:
        """Whether ours refused the step, and why the oracle did."""
        self.world.now = step.at
        refused = self._do_ours(step)
        self.oracle.learn(self.world.world.catalogue(step.at))
        must_ask, asked = self.oracle.asks(step), {handle for handle, _ in self.world.given}
        assert refused or asked >= set(must_ask), (step, sorted(set(must_ask) - asked))
        for answer in self.world.given.values():
            self.oracle.observe(answer)
        self.world.given.clear()
        why = self.oracle.apply(step)
        for challenge, day in self._passes_beside(step):
            self.oracle.settle(challenge, day, step.at)
        return refused, why

    def _passes_beside(self, step: Step) -> list[tuple[str, date]]:
        """Days that ours has gone over without being told to: an edit or a cleared override had queued them."""
        with self.database.connection() as connection:
            rows = connection.execute("SELECT id, challenge_id, day, passes FROM runs ORDER BY opened_at").fetchall()
        again = [(challenge, day) for run, challenge, day, passes in rows if passes != self.passes.get(run, 0)]
        self.passes = {run: passes for run, _, _, passes in rows}
        return [(one, day) for one, day in again if not (isinstance(step, Enqueue) and step.day in {None, day})]

    def _do_ours(self, step: Step) -> bool:
        if isinstance(step, Apply):
            file = read_challenge_file(challenge_file(step.challenges).encode())
            if not isinstance(file, ChallengeFile):
                return True
            return isinstance(apply(self.database, file.challenges, step.at), ApplyRefused)
        if isinstance(step, Enqueue):
            request = Request(step.challenge, step.day, step.reevaluate)
            return bool(self.synchronous.run(request, step.at, self.settle_delay, lambda _: None).refused)
        if isinstance(step, Override):
            of = MemberDay(step.challenge, step.handle, step.day)
            inbox = Inbox()
            if step.outcome is None:
                refused = lift_override(self.database, inbox, of, "test")
                self.synchronous.settle(inbox.turns)
            else:
                over_by = step.at - self.settle_delay
                refused = override(self.database, inbox, of, Outcome(step.outcome), "test", "test", over_by)
            return refused is not None
        assert isinstance(step, Sync)
        return False

    def ours(self, challenge: str) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
        with self.database.connection() as connection:
            found = verdicts(connection, challenge)
            assert not isinstance(found, Unknown)
            rows = [
                (row.day, row.handle.lower(), row.outcome, row.reason, row.required, row.provisional)
                + ((row.solved,) if row.reason in COUNTED else ())
                for row in found
            ]
            places = ranking(connection, challenge)
            assert not isinstance(places, Unknown)
            standing = [
                (one.rank, one.handle.lower(), one.current_streak, one.longest_streak, one.penalty_minor)
                for one in places
            ]
        return sorted(rows, key=str), sorted(standing, key=str)

    def theirs(self, challenge: str) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
        rows: list[tuple[object, ...]] = [
            (row.day, row.handle.lower(), row.outcome, row.reason, row.required, row.provisional)
            + ((row.solved,) if row.reason in COUNTED else ())
            for row in self.oracle.verdicts(challenge)
        ]
        standing: list[tuple[object, ...]] = [
            (one.rank, one.handle.lower(), one.current_streak, one.longest_streak, one.penalty_minor)
            for one in self.oracle.standings(challenge)
        ]
        return sorted(rows, key=str), sorted(standing, key=str)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_ends_as_the_rules_say(database: Database, seed: int) -> None:
    history = generate(seed)
    both = Evaluators(database, StandIn(history.world), history.settle_delay)
    for number, step in enumerate(history.steps):
        refused, why = both.do(step)
        assert refused == bool(why), (number, step, why)
        for challenge in both.oracle.challenges:
            ours, theirs = both.ours(challenge), both.theirs(challenge)
            for mine, other in zip(ours, theirs, strict=True):
                assert sorted(set(mine) - set(other), key=str) == sorted(set(other) - set(mine), key=str), (
                    number,
                    replace(step, challenges=()) if isinstance(step, Apply) else step,
                )
