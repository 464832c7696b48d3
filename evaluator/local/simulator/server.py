"""The simulator as a server: LeetCode's door at `/graphql`, and the door of those who stage it at `/control/`."""

from __future__ import annotations

import asyncio
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from evaluator.local.simulator.answers import answer, handles_in
from evaluator.local.simulator.catalogue import read_catalogue
from evaluator.local.simulator.control import PREFIX, Control
from evaluator.local.simulator.faults import Fault, FaultKind, Faults, spoil, too_many_requests
from evaluator.local.simulator.graphql import Operation, QueryError
from evaluator.local.simulator.habits import Habits
from evaluator.local.simulator.http import Reply, Request, converse, html_reply, json_reply, read_json
from evaluator.local.simulator.scene import Scene
from evaluator.local.simulator.schema import bind, read_query
from evaluator.local.simulator.script import ScriptedUser
from evaluator.local.simulator.users import Users


@dataclass(frozen=True, slots=True)
class Stage:
    """How a simulator starts. Port 0 is any that is free; the same `seed` makes the same population."""

    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 1
    habits: Habits = field(default_factory=Habits)
    users: Sequence[ScriptedUser] = ()
    faults: Sequence[Fault] = ()


def serve(stage: Stage, announce: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT; `announce` is called with the URL once it listens.

    Raises OSError where the address cannot be listened on.
    """

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await _run(stage, announce, stop)

    asyncio.run(main())


@contextmanager
def serving(stage: Stage) -> Iterator[str]:
    """Run in a thread while inside; yields the URL. Raises OSError where the address cannot be listened on."""
    told: SimpleQueue[str | OSError] = SimpleQueue()
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()

    def main() -> None:
        try:
            loop.run_until_complete(_run(stage, told.put, stop))
        except OSError as error:
            told.put(error)

    thread = threading.Thread(target=main, name="simulator")
    thread.start()
    try:
        url = told.get()
        if isinstance(url, OSError):
            raise url
        yield url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def _run(stage: Stage, announce: Callable[[str], None], stop: asyncio.Event) -> None:
    simulator = Simulator(stage)
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a coroutine runs in a task
        connections.add(task)
        try:
            with suppress(asyncio.CancelledError):  # told to stop, which is no failure of the connection
                await converse(reader, writer, simulator.handle)
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, stage.host, stage.port, backlog=1024)
    host, port, *_ = server.sockets[0].getsockname()
    announce(f"http://{f'[{host}]' if ':' in host else host}:{port}/graphql")
    await stop.wait()
    server.close()
    for task in connections:
        task.cancel()
    await asyncio.gather(*connections, return_exceptions=True)


class Simulator:
    """Answers requests of both doors."""

    def __init__(self, stage: Stage) -> None:
        self._catalogue = read_catalogue()
        users = Users(stage.seed, self._catalogue, stage.users)
        self._control = Control(users, stage.habits, Faults(stage.faults, stage.seed))
        self._chance = random.Random(stage.seed)  # noqa: S311  # it must repeat, not be secret

    async def handle(self, request: Request) -> Reply:
        if request.path.startswith(PREFIX):
            return self._control.handle(request)
        if request.path.rstrip("/") != "/graphql":
            return html_reply(404, "Page Not Found", "There is /graphql, and /control/ for those who stage it.")
        if request.method != "POST":
            return html_reply(200, "GraphQL", "Queries come by POST.", {"Set-Cookie": "csrftoken=simulated; Path=/"})
        return await self._answer(request)

    async def _answer(self, request: Request) -> Reply:
        """Refuse what comes too fast or is wrong, make the answer, let go wrong what is to, and take the time."""
        control, habits = self._control, self._control.habits
        arrived = control.traffic.arrive(request.arrived_at)
        if habits.limit is not None and arrived > habits.limit:
            control.traffic.answered("429", 0)
            return too_many_requests(habits.retry_after)
        try:
            operation, variables = _read(request.body)
        except (QueryError, ValueError, TypeError, AttributeError, RecursionError) as error:
            control.traffic.answered("400", 0)
            return json_reply({"errors": [{"message": str(error)}]}, 400)

        handles = handles_in(operation, variables)
        struck = control.faults.strike(handles)
        now = int(time.time()) if habits.now is None else habits.now
        reply = json_reply(
            answer(operation, Scene(control.users, self._catalogue, habits, now, variables, struck.users))
        )
        for fault in struck.whole:
            reply = spoil(fault, reply)
        control.traffic.answered("broken" if reply.cut_at is not None else str(reply.status), len(handles))

        late = sum(fault.seconds for fault in struck.whole if fault.kind is FaultKind.SLOW)
        wait = habits.latency + habits.latency_per_user * len(handles) + self._chance.uniform(0, habits.jitter) + late
        if wait:
            await asyncio.sleep(wait)
        return reply


def _read(body: bytes) -> tuple[Operation, dict[str, Any]]:
    """The operation that a request asks for, and its variables. Raises QueryError, and what bad JSON raises."""
    said = read_json(body)
    query = said.get("query")
    if not isinstance(query, str):
        raise QueryError("Must provide query string.")
    operation = read_query(query, said.get("operationName") or None)
    return operation, bind(operation, said.get("variables") or {})
