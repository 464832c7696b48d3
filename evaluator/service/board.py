"""Board: the standings of a challenge beside a grid of its members and days, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import islice

from evaluator.domain.challenge import handle_key
from evaluator.domain.day import ONE_DAY, days_between
from evaluator.ledger.database import Connection
from evaluator.ledger.reports import Cell, read_cells
from evaluator.service.overview import ChallengeOverview, overview
from evaluator.service.ranking import StandingRow, rank_members
from evaluator.service.unknown import Unknown, unknown_challenge, unknown_member

MEMBERS_A_PAGE = 50
DAYS_A_PAGE = 31


@dataclass(frozen=True, slots=True)
class View:
    """What part of a board is looked at: a page of members or one `member`, and the days up to `until`."""

    page: int = 1
    until: date | None = None
    member: str | None = None


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A member's place, and the verdict on each day of the board, None where there is none."""

    standing: StandingRow
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One page, the newest day first.

    `earlier` and `later` are the newest days of the pages before and after, None where there is none.
    """

    challenge: ChallengeOverview
    days: tuple[date, ...]
    rows: tuple[BoardRow, ...]
    page: int
    pages: int
    earlier: date | None
    later: date | None


def board(connection: Connection, challenge_id: str, view: View, now: int) -> Board | Unknown:
    """The part of a challenge's board that is looked at. A page beyond the last is the last."""
    found = overview(connection, now, [challenge_id])
    if not found:
        return unknown_challenge(challenge_id)
    challenge = found[0]
    pages = max(1, -(-challenge.members // MEMBERS_A_PAGE))
    page = min(max(1, view.page), pages)
    places = _places(connection, challenge, page, view.member)
    if view.member and not places:
        return unknown_member(challenge_id, view.member)
    newest = min(challenge.ends, challenge.today)
    last = min(view.until or newest, newest)
    first = max(challenge.starts, last - (DAYS_A_PAGE - 1) * ONE_DAY)
    days = tuple(reversed(list(days_between(first, last))))
    keys = [handle_key(place.handle) for place in places]
    cells = read_cells(connection, challenge_id, keys, first, last)
    return Board(
        challenge,
        days,
        tuple(
            BoardRow(place, tuple(cells[key].get(day) for day in days)) for key, place in zip(keys, places, strict=True)
        ),
        page,
        pages,
        earlier=first - ONE_DAY if first > challenge.starts else None,
        later=min(newest, last + DAYS_A_PAGE * ONE_DAY) if last < newest else None,
    )


def _places(connection: Connection, challenge: ChallengeOverview, page: int, member: str | None) -> list[StandingRow]:
    """The standings of one page, or of one member."""
    if member is None:
        best = rank_members(connection, challenge.id, challenge.currency, page * MEMBERS_A_PAGE)
        return list(islice(best, (page - 1) * MEMBERS_A_PAGE, None))
    everybody = rank_members(connection, challenge.id, challenge.currency)
    key = handle_key(member)
    return list(islice((place for place in everybody if handle_key(place.handle) == key), 1))
