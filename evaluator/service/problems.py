"""Problems: LeetCode's catalogue brought into the ledger, so that difficulties are known before they matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import structlog

from evaluator.ledger.database import Database
from evaluator.ledger.evidence import count_problems, put_problems
from evaluator.leetcode.catalogue import Page
from evaluator.leetcode.refusal import Refusal

_log = structlog.get_logger(__name__)


class Catalogue(Protocol):
    """Who lists all problems, page by page; a refusal is the last that comes."""

    def problems(self) -> Iterator[Page | Refusal]: ...


def sync_problems(
    database: Database, catalogue: Catalogue, on_page: Callable[[int, int], None] = lambda _known, _total: None
) -> int | Refusal:
    """Store the catalogue; gives how many problems are known then. What came before a refusal is kept.

    `on_page` hears after each page how many rows were read of how many.
    """
    read = 0
    for page in catalogue.problems():
        if isinstance(page, Refusal):
            _log.warning("Problem catalogue not read to its end", read=read, error=page.detail)
            return page
        read += page.row_count
        with database.connection() as connection:
            put_problems(connection, page.problems)
        on_page(read, page.total)
    with database.connection() as connection:
        known = count_problems(connection)
    _log.info("Problem catalogue synced", problems=known)
    return known
