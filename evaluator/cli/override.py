"""`evaluator override`: decide a member's day by hand, or take that back."""

from __future__ import annotations

from typing import Annotated

import redis
import typer

from evaluator.cli.arguments import login_name, parse_day
from evaluator.cli.output import console, problem
from evaluator.cli.session import open_session, refuse
from evaluator.domain.verdict import Outcome

_OUTCOMES = [outcome.value for outcome in Outcome if outcome is not Outcome.PENDING]


def override(
    challenge: Annotated[str, typer.Argument(metavar="CHALLENGE", help="Id of the challenge.")],
    handle: Annotated[str, typer.Argument(metavar="HANDLE", help="The member's LeetCode handle.")],
    day: Annotated[str, typer.Argument(metavar="DAY", help="The date, as 2026-11-20.")],
    outcome: Annotated[str | None, typer.Option(help=f"One of {', '.join(_OUTCOMES)}.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept and shown.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the override back.")] = False,
    by: Annotated[str | None, typer.Option(help="Who decides; your login name if left out.")] = None,
) -> None:
    """Decide a member's day by hand. It acts at once, on streak and penalty too, and survives re-evaluation.

    Example: evaluator override winter-grind alice 2026-11-20 --outcome passed --reason "site was down"
    """
    from evaluator.service.override import MemberDay, lift_override
    from evaluator.service.override import override as put

    date = parse_day(day)
    assert date is not None  # noqa: S101  # the argument is required
    if clear == (outcome is not None) or (outcome is not None and not (reason or "").strip()):
        raise typer.BadParameter("give --outcome with --reason, or --clear alone")
    if outcome is not None and outcome not in _OUTCOMES:
        raise typer.BadParameter(f"{outcome!r} is no outcome; there are {', '.join(_OUTCOMES)}")
    of, who = MemberDay(challenge, handle, date), by or login_name()
    refused = None
    with open_session() as session:
        try:
            if outcome is None:
                refused = lift_override(session.database, session.outbox, of, who)
            else:
                over_by = session.clock() - session.settings.settle_delay
                why = (reason or "").strip()
                refused = put(session.database, session.outbox, of, Outcome(outcome), why, who, over_by)
        except redis.RedisError as error:
            # Messages are sent after everything is written down.
            problem(f"Redis does not answer ({error}), so no worker was woken; `evaluator enqueue` does that later")
    if refused:
        refuse(refused.message)
    done = "decided by LeetCode's answers again" if outcome is None else f"{outcome} from now on"
    console.print(f"{challenge}: {handle} on {day} is {done}", highlight=False)
