"""Who there is on the simulated LeetCode: the population, and users put over it."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from evaluator.local.simulator.account import Account
from evaluator.local.simulator.catalogue import Catalogue
from evaluator.local.simulator.population import Population
from evaluator.local.simulator.script import ScriptedAccount, ScriptedSubmission, ScriptedUser, scripted_account


class Users:
    """Accounts by handle, whose case does not matter."""

    def __init__(self, seed: int, catalogue: Catalogue, scripted: Iterable[ScriptedUser] = ()) -> None:
        self._population = Population(seed, catalogue)
        self._catalogue = catalogue
        self._scripted: dict[str, tuple[ScriptedUser, ScriptedAccount]] = {}
        for user in scripted:
            self.put(user)

    def find(self, handle: str) -> Account:
        """The account of a handle; one that does not exist is an account that is unknown."""
        entry = self._scripted.get(handle.lower()) if self._scripted else None
        return entry[1] if entry else self._population.account(handle)

    def script(self, handle: str) -> ScriptedUser:
        """What is written about a user; of the others, that they are generated."""
        entry = self._scripted.get(handle.lower())
        return entry[0] if entry else ScriptedUser(handle=handle, generated=True)

    def put(self, user: ScriptedUser) -> None:
        """Write a user down, in place of what was written before."""
        key = user.handle.lower()
        generated = self._population.account(user.handle)
        account = scripted_account(user, generated, crc32(key.encode("utf-8", "replace")), self._catalogue)
        self._scripted[key] = (user, account)

    def submit(self, handle: str, submissions: Iterable[ScriptedSubmission]) -> ScriptedUser:
        """Add submissions to those that a user has."""
        user = self.script(handle)
        user = user.model_copy(update={"submissions": (*user.submissions, *submissions)})
        self.put(user)
        return user

    def remove(self, handle: str) -> None:
        """Give a user back to the population."""
        self._scripted.pop(handle.lower(), None)
