"""What an answer depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluator.local.simulator.catalogue import Catalogue
from evaluator.local.simulator.faults import Fault
from evaluator.local.simulator.graphql import Field
from evaluator.local.simulator.habits import Habits
from evaluator.local.simulator.schema import resolve
from evaluator.local.simulator.users import Users

Selections = Sequence[Field]


@dataclass(frozen=True, slots=True)
class Scene:
    """Who and what there is at a moment, seconds since the epoch; what a request's variables are, and its faults.

    `faults` hit single users, by their handles in lower case.
    """

    users: Users
    catalogue: Catalogue
    habits: Habits
    now: int
    variables: Mapping[str, Any]
    faults: Mapping[str, Fault]

    def arguments(self, field: Field) -> dict[str, Any]:
        """The arguments of a field by value."""
        return {name: resolve(value, self.variables) for name, value in field.arguments.items()}

    def fault_of(self, arguments: Mapping[str, Any]) -> Fault | None:
        """The fault that hits the user whom `arguments` name, if they name one."""
        return self.faults.get(str(arguments.get("username")).lower()) if self.faults else None
