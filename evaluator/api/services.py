"""What the routes work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from evaluator.ledger.database import Database
from evaluator.queue.broker import Broker
from evaluator.service.outbox import Outbox
from evaluator.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Given to the application by whoever starts it. `clock` tells the time in seconds since the epoch."""

    database: Database
    outbox: Outbox
    broker: Broker
    clock: Callable[[], int]
    settings: Settings


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Served = Annotated[Services, Depends(services_of)]
