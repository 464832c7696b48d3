"""What the routes work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from evaluator.api.rate_limit import Buckets
from evaluator.ledger.database import Database
from evaluator.queue.broker import Broker
from evaluator.service.outbox import Outbox
from evaluator.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Given to the application by whoever starts it. `clock` tells the time in seconds since the epoch.

    `wrong_tokens` are what is left of each address's guesses at the admin token.
    """

    database: Database
    outbox: Outbox
    broker: Broker
    clock: Callable[[], int]
    settings: Settings
    wrong_tokens: Buckets


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Served = Annotated[Services, Depends(services_of)]
