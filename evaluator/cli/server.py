"""`evaluator server`: the HTTP API, the console, and the reconciler that keeps queue and ledger in step."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from evaluator.cli.session import DONE, open_session, refuse
from evaluator.tracing import start_tracing


def server(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; all that this machine has if left out.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 is any that is free.")] = 8000,
) -> None:
    """Serve the API and the pages, and keep the work going: resend what was lost, retry what is pending, enqueue.

    Any number of servers may run; one of them at a time does the keeping.

    Example: evaluator server --port 8000
    """
    import uvicorn

    from evaluator.api.app import create_app
    from evaluator.api.metrics import keeper_actions
    from evaluator.cli.keeper import Keeper
    from evaluator.interfaces import has_ipv6
    from evaluator.queue.broker import Broker, redis_client

    # Of any free port the addresses of IPv4 and of IPv6 would each get another one.
    if host is None and (port == 0 or not has_ipv6()):
        host = "0.0.0.0"  # noqa: S104  # a pod is asked from outside

    with open_session(connections=10, stays=True) as session:
        session.require_schema()
        start_tracing(os.environ)
        app = create_app(
            database=session.database,
            outbox=session.outbox,
            broker=Broker(redis_client(session.settings, timeout=1.0, retries=0), ()),
            clock=session.clock,
            settings=session.settings,
        )
        actions = keeper_actions(app.state.registry)
        # Uvicorn raises the signal again when it has stopped in good order: that is the end then, and not a kill.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(DONE))
        try:
            with Keeper(session, lambda action, times: actions.labels(action).inc(times)):
                uvicorn.run(
                    app,
                    host=host,  # type: ignore[arg-type]  # None, which asyncio takes for all addresses of IPv4 and IPv6
                    port=port,
                    log_config=None,
                    access_log=False,
                    timeout_graceful_shutdown=10,
                )
        except SystemExit as ended:
            if ended.code != DONE:
                where = f"{host or 'all addresses'}:{port}"
                refuse(f"The server cannot serve on {where}, for the reason above. Is another --port free?")
