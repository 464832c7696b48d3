"""Exhibits: the solves and the answers of LeetCode that a verdict rests on, as they are shown to people."""

from __future__ import annotations

from evaluator.domain.day import Window
from evaluator.domain.evidence import VISIBLE_ROWS, Solve, Standing, standing_on
from evaluator.domain.rules import Difficulty
from evaluator.domain.verdict import Bearing
from evaluator.ledger.database import Connection
from evaluator.ledger.history import (
    EvaluationRecord,
    ObservationRecord,
    read_neighbours,
    read_observations,
    read_titles,
)
from evaluator.service.explanation import ReplySeen, SolveSeen
from evaluator.service.place import Place
from evaluator.service.reasons import Note, note_sentence, standing_sentence

NEIGHBOURHOOD = 12 * 3600
"""Seconds before and after a day whose solves are shown too: a reader may count days by another clock."""


def solves_shown(connection: Connection, place: Place, evaluation: EvaluationRecord | None) -> tuple[SolveSeen, ...]:
    """The solves that were judged, and those just outside of the day, in order of time."""
    window = place.window
    found: list[tuple[Solve, Difficulty | None, Note]] = []
    for judged in evaluation.judged if evaluation else ():
        solve = Solve(judged["id"], judged["problem"], judged["at"])
        difficulty = Difficulty(judged["difficulty"]) if judged["difficulty"] else None
        found.append((solve, difficulty, Note(Bearing(judged["bearing"]))))
    if window is not None:
        near = read_neighbours(connection, place.member.handle_key, window.start, window.end, NEIGHBOURHOOD)
        found += [
            (solve, None, Note.BEFORE_THE_DAY if solve.at < window.start else Note.AFTER_THE_DAY) for solve in near
        ]
    titles = read_titles(connection, (solve.slug for solve, _, _ in found))
    return tuple(
        SolveSeen(
            place.at(solve.at),
            solve.slug,
            titles.get(solve.slug, solve.slug),
            difficulty,
            note is Note.COUNTS,
            note,
            note_sentence(note, difficulty, place.rules),
            solve.submission_id,
        )
        for solve, difficulty, note in sorted(found, key=lambda one: (one[0].at, one[0].submission_id))
    )


def replies_shown(
    connection: Connection, place: Place, evaluation: EvaluationRecord | None, now: int
) -> tuple[ReplySeen, ...]:
    """The answers from the beginning of the day until it was decided; until `now` where it is not."""
    window = place.window
    if window is None:
        return ()
    decided_at = evaluation.evaluated_at if evaluation else None
    until = int(decided_at.timestamp()) if decided_at else now
    return tuple(
        _reply(place, window, one)
        for one in read_observations(connection, place.member.handle_key, window.start, until)
    )


def _reply(place: Place, window: Window, record: ObservationRecord) -> ReplySeen:
    seen = record.seen
    standing = standing_on(seen, window)
    return ReplySeen(
        place.at(seen.fetched_at),
        standing,
        seen.row_count,
        None if seen.after is None else place.at(seen.after),
        seen.contradictory,
        _reply_sentence(place, window, record, standing),
    )


def _reply_sentence(place: Place, window: Window, record: ObservationRecord, standing: Standing) -> str:
    seen = record.seen
    if standing is not Standing.VISIBLE:
        return standing_sentence(standing) + (f": {record.detail}" if record.detail else "")
    rows = f"{seen.row_count} submission{'' if seen.row_count == 1 else 's'}"
    if seen.after is None:
        text = f"{rows}, fewer than {VISIBLE_ROWS}: everything up to then"
    else:
        reaches = "from before the day began" if seen.after < window.start else "not as far back as the day's beginning"
        text = f"the newest {rows}: everything since {place.told(seen.after)}, {reaches}"
    return f"{text}; it lacks one that was seen before, so it proves nothing" if seen.contradictory else text
