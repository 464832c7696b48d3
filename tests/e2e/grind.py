"""A ledger in the cluster: challenges whose fate is known beforehand, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from evaluator.ledger.database import Database
from tests.e2e.kubernetes import Namespace
from tests.faults.arena import DAYS, FIRST, RULES, Fate, fate, handles, people
from tests.integration.leetcode import LeetCode
from tests.integration.scene import Scene

# A second entry of a day would show as an amount of its own.
_FOUND = """
SELECT challenge_id, handle,
  ARRAY(SELECT day - %s FROM evaluations WHERE member_id = members.id ORDER BY day),
  ARRAY(SELECT outcome FROM evaluations WHERE member_id = members.id ORDER BY day),
  ARRAY(SELECT ARRAY[day - %s, amount] FROM postings WHERE member_id = members.id ORDER BY day, entry),
  current_streak, longest_streak
FROM members
"""


@dataclass
class Grind:
    """The challenges of one release. Their verdicts are those of a run without any fault, whatever happens."""

    namespace: Namespace
    database: Database
    leetcode: LeetCode
    fates: dict[tuple[str, str], Fate] = field(default_factory=dict)

    def challenge(self, name: str, members: int, days: int = DAYS) -> None:
        """A challenge whose days are over long since, with members that no other has."""
        people(self.leetcode, name, members)
        those = handles(name, members)
        ends = FIRST + timedelta(days - 1)
        Scene(self.database).challenge(name, those, starts=FIRST, ends=ends, timezone="Etc/UTC", rules=RULES)
        self.fates |= {(name, handle): fate(handle, days) for handle in those}

    def evaluated(self, challenge: str) -> int:
        """How many days of members are."""
        return int(
            self._value(
                "SELECT count(*) FROM evaluations e JOIN members m ON m.id = member_id"
                " WHERE challenge_id = %s AND evaluated_at IS NOT NULL",
                challenge,
            )
        )

    def half_way(self, challenge: str) -> None:
        """Return in the middle of a run: some of its first day's members are evaluated, and most are not."""
        self.namespace.until(f"{challenge} is being settled", lambda: self.evaluated(challenge) > 0)
        assert not self.is_settled(challenge), "it was too quick to be disturbed"

    def has_table(self, name: str) -> bool:
        return self._value("SELECT to_regclass(%s) IS NOT NULL", name) is True

    def is_settled(self, challenge: str) -> bool:
        return self._value("SELECT completed_at IS NOT NULL FROM challenges WHERE id = %s", challenge) is True

    def settled_days(self, challenge: str) -> list[int]:
        """Those whose runs are settled, the challenge's first being 0."""
        found = self._rows("SELECT day FROM runs WHERE challenge_id = %s AND state = 'settled' ORDER BY day", challenge)
        return [(day - FIRST).days for (day,) in found]

    def check(self, within: float = 120.0) -> None:
        """Everything is settled before long, exactly as if nothing had gone wrong."""
        unsettled = "SELECT count(*) FROM challenges WHERE completed_at IS NULL"
        self.namespace.until("every challenge is settled", lambda: self._value(unsettled) == 0, within)
        found = {
            (challenge, handle): Fate(tuple(outcomes), tuple(map(tuple, postings)), (current, longest))
            for challenge, handle, days, outcomes, postings, current, longest in self._rows(_FOUND, FIRST, FIRST)
            if days == list(range(len(days)))
        }
        assert found == self.fates

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.database.connection() as connection:
            return connection.execute(statement, values).fetchall()

    def _value(self, statement: str, *values: object) -> Any:
        return self._rows(statement, *values)[0][0]
