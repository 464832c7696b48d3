"""The application on a port of its own, with a client for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from evaluator.api.app import create_app
from evaluator.ledger.database import Database
from evaluator.queue.broker import connect
from evaluator.queue.outbox import MessageOutbox
from evaluator.settings import Settings

TOKEN = "a-token-of-the-tests"  # noqa: S105  # guards nothing


@contextmanager
def served(
    database: Database,
    redis_url: str,
    now: int,
    *,
    token: str = TOKEN,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[httpx.Client]:
    """Serve over these services, at a time that stands still; the client knows the way and no token."""
    settings = Settings(redis_url=redis_url, admin_token=token)
    broker = connect(settings)
    app = create_app(
        database=database,
        outbox=MessageOutbox(broker),
        broker=broker,
        clock=lambda: now,
        settings=settings,
        monotonic=monotonic,
    )
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        broker.client.close()
