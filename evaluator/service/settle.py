"""Settle: locked members decided, and outcomes, streaks and postings recorded in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from evaluator.domain.evidence import Evidence
from evaluator.domain.rules import Difficulty
from evaluator.domain.verdict import Outcome, Reason, Verdict
from evaluator.ledger.database import Connection
from evaluator.ledger.evaluations import Account, Decision, Finished, read_accounts, read_outcomes, record
from evaluator.ledger.evidence import NewObservation
from evaluator.leetcode.refusal import plain
from evaluator.service.judge import Day, decision_on, extends_streak, verdict_on

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    """The verdicts on those who were decided, and the errors of those among them that were given up: failed jobs.

    `more` says whether other batches of the run wait to be sent.
    """

    verdicts: Mapping[int, Verdict]
    errors: Mapping[int, str]
    more: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What members are decided by: their evidence, with the `observations` of it that are new and to be kept.

    `errors` says of a member why its newest answer is missing; it is a failed job then.
    """

    evidence: Mapping[int, Evidence]
    difficulties: Mapping[str, Difficulty]
    errors: Mapping[int, str] = field(default_factory=dict)
    observations: Sequence[NewObservation] = ()


def settle(
    connection: Connection, day: Day, opened_at: datetime | None, known: Known, finished: Finished | None = None
) -> Settled:
    """Decide members, whose locks the transaction holds, by what is known of them.

    Those that were decided since `opened_at` are left alone: another delivery of the message was first. Without it
    everybody is decided. `finished` are the batches that have nothing left to do after this.
    """
    accounts = _undecided(connection, day, opened_at, known.evidence)
    verdicts: list[Verdict] = []
    mishaps: list[str | None] = []
    for account in accounts:
        mishap = known.errors.get(account.member_id)
        try:
            verdict = verdict_on(day, account, known.evidence[account.member_id], known.difficulties)
        except Exception as bug:  # noqa: BLE001  # one member's data never spoil the others' verdicts
            _log.exception("Member could not be decided", member_id=account.member_id, day=str(day.date))
            verdict, mishap = _left_open(day, account), f"{type(bug).__name__}: {plain(str(bug))}"
        verdicts.append(verdict)
        mishaps.append(mishap if verdict.outcome is Outcome.PENDING else None)
    decisions = _decisions(connection, day, accounts, verdicts, mishaps)
    more = record(connection, day.date, decisions, known.observations, finished)
    members = [account.member_id for account in accounts]
    failed = {key: mishap for key, mishap in zip(members, mishaps, strict=True) if mishap is not None}
    return Settled(dict(zip(members, verdicts, strict=True)), failed, more)


def leave_open(
    connection: Connection, day: Day, opened_at: datetime | None, member_ids: Iterable[int], error: str
) -> list[Verdict]:
    """Leave locked members pending for an error of ours; gives their verdicts. What was settled before stays."""
    accounts = _undecided(connection, day, opened_at, member_ids)
    verdicts = [_left_open(day, one) for one in accounts]
    record(connection, day.date, _decisions(connection, day, accounts, verdicts, [error] * len(accounts)))
    return verdicts


def _undecided(
    connection: Connection, day: Day, opened_at: datetime | None, member_ids: Iterable[int]
) -> list[Account]:
    accounts = read_accounts(connection, list(member_ids), day.date, opened_at, day.rules)
    return [account for account in accounts.values() if account.undecided]


def _decisions(
    connection: Connection,
    day: Day,
    accounts: Sequence[Account],
    verdicts: Sequence[Verdict],
    errors: Sequence[str | None],
) -> list[Decision]:
    replayed = [account.member_id for account in accounts if not extends_streak(day.date, account)]
    histories = read_outcomes(connection, replayed) if replayed else {}
    return [
        decision_on(day, account, verdict, histories.get(account.member_id), error)
        for account, verdict, error in zip(accounts, verdicts, errors, strict=True)
    ]


def _left_open(day: Day, account: Account) -> Verdict:
    if account.outcome is Outcome.PENDING:
        return Verdict(Outcome.PENDING, Reason.INTERNAL_ERROR, 0, day.rules.min_solves)
    return Verdict(account.outcome, account.reason, account.solved, account.required)
