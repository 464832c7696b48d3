"""`evaluator simulator`: a LeetCode of this machine's own, to try things out on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError

from evaluator.cli.output import problem
from evaluator.local.simulator.control import mistakes
from evaluator.local.simulator.faults import Fault
from evaluator.local.simulator.habits import Habits
from evaluator.local.simulator.http import read_json
from evaluator.local.simulator.script import ScriptedUser
from evaluator.local.simulator.server import Stage, serve

List = Literal["empty", "null"]
Item = TypeVar("Item")


def simulator(  # noqa: PLR0913, PLR0917  # each argument is an option of the command
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 is any that is free.")] = 8085,
    latency: Annotated[float, typer.Option(help="Seconds that an answer takes.")] = 0.0,
    latency_per_user: Annotated[float, typer.Option(help="Seconds more for each user asked about.")] = 0.0,
    jitter: Annotated[float, typer.Option(help="Up to so many seconds more, by chance.")] = 0.0,
    limit: Annotated[
        int | None, typer.Option(help="Requests allowed in any second; more are answered with 429. Left out: any.")
    ] = None,
    retry_after: Annotated[
        str | None, typer.Option(help="The Retry-After header of a 429: seconds or an HTTP date. Left out: none.")
    ] = None,
    collapse: Annotated[
        bool, typer.Option("--collapse", help="Show only the newest of neighbouring solves of one problem.")
    ] = False,
    unknown_list: Annotated[List, typer.Option(help="The list of an account that does not exist.")] = "empty",
    hidden_list: Annotated[List, typer.Option(help="The list of a hidden account.")] = "empty",
    seed: Annotated[int, typer.Option(help="Which population: the same seed makes the same users.")] = 1,
    now: Annotated[
        str | None, typer.Option(help="Time to stand still at, as 2026-11-20T18:00:00Z. Left out: the real time.")
    ] = None,
    users: Annotated[
        Path | None, typer.Option(help="JSON file of users with submissions of their own.", exists=True, dir_okay=False)
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(help="JSON file of faults to begin with.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Serve what LeetCode serves, without LeetCode: users who solve problems, rate limits, outages.

    Every handle has an account that solves the same problems whenever it is asked for. How it behaves follows from
    how its handle begins: diligent-, sloppy-, weekend-, vanishing-, binge- (more than 20 a day), idle-, hidden-,
    unknown-; other handles are a mixture. Users of --users have exactly the submissions written for them:

        [{"handle": "ada", "submissions": [{"slug": "two-sum", "at": "2026-11-20T18:00:00+05:30"}]}]

    While it runs, /control/ changes everything and tells what was asked for: `curl` of /control/ explains it.

    Example: evaluator simulator --port 0 --latency 0.05 --limit 20, then LEETCODE_URL=<the address it prints>
    """
    values = {
        "latency": latency,
        "latency_per_user": latency_per_user,
        "jitter": jitter,
        "limit": limit,
        "retry_after": retry_after,
        "collapse": collapse,
        "unknown_list": unknown_list,
        "hidden_list": hidden_list,
        "now": now,
    }
    try:
        habits = Habits.model_validate(values)
    except ValidationError as error:
        raise typer.BadParameter(mistakes(error).replace("_", "-")) from None
    stage = Stage(host, port, seed, habits, _read(users, ScriptedUser), _read(faults, Fault))
    try:
        serve(stage, lambda url: typer.echo(f"LeetCode simulator: {url}"))
    except OSError as error:
        problem(f"The simulator cannot listen on {host}:{port}: {error.strerror or error}. Choose another --port.")
        raise typer.Exit(1) from None


def _read(path: Path | None, kind: type[Item]) -> list[Item]:
    """The items of a JSON file that holds a list of them."""
    if path is None:
        return []
    adapter: TypeAdapter[list[Item]] = TypeAdapter(list[kind])  # type: ignore[valid-type]  # a type made at run time
    try:
        content: Any = read_json(path.read_bytes())
        return adapter.validate_python(content)
    except ValidationError as error:
        raise typer.BadParameter(f"{path}: {mistakes(error)}") from None
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from None
