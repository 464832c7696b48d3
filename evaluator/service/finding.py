"""Finding: what a reply adds to what was known of a handle. Reads and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.domain.evidence import VISIBLE_ROWS, Evidence, Reply, observe, solves_of
from evaluator.ledger.evidence import NewObservation


@dataclass(frozen=True, slots=True)
class Finding:
    """All that is known of a member now, and what of it is new."""

    evidence: Evidence
    new: NewObservation | None = None


def known_since(reply: Reply | None, since: int) -> int:
    """From when on the known solves of a handle are needed, to judge its days from `since` on and to check a reply.

    A reply that shows everything is checked against everything, a full one as far back as it reaches (RULES 9).
    """
    if reply is None:
        return since
    if len(reply.rows) < VISIBLE_ROWS:
        return 0
    return min([since, *(row.at for row in reply.rows if row.at is not None)])


def find(handle_key: str, reply: Reply | None, asked_at: int, years: Sequence[int], known: Evidence) -> Finding:
    """Join a reply of `asked_at` to what was known before it; None is no reply."""
    if reply is None:
        return Finding(known)
    earlier = [solve for solve in known.solves if solve.at <= asked_at]
    observation = observe(reply, asked_at, years, earlier)
    fresh = solves_of(reply.rows, asked_at)
    if known.solves:
        ids = {solve.submission_id for solve in known.solves}
        fresh = [solve for solve in fresh if solve.submission_id not in ids]
    # Another reply about the same handle may be newer: it was stored while this one was under way.
    observations = sorted((*known.observations, observation), key=lambda seen: seen.fetched_at)
    evidence = Evidence((*known.solves, *fresh), tuple(observations))
    return Finding(evidence, NewObservation(handle_key, observation, tuple(fresh), reply.detail))
