"""What `evaluator top` shows, for any size of terminal: lines are cut where the terminal ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from math import ceil
from textwrap import wrap

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evaluator.cli.source import Seen
from evaluator.ledger.figures import AtWork
from evaluator.ledger.jobs import FailedJob
from evaluator.ledger.runs import RunState
from evaluator.leetcode.pacer import PacerState
from evaluator.queue.figures import RedisFigures
from evaluator.queue.messages import QUEUES
from evaluator.service.figures import RATE_OVER
from evaluator.service.glance import Glance

_LABEL = 13  # columns, before each line's text
_BAR = 20  # columns
_NARROW = 70  # columns below which there is no room for bars
_AWAY = 3  # lines about a service that is away, at most
_PLENTY = 1_000  # lines that a file or a pipe takes

_MEASURED, _BUDGET = "at this rate", "at the limit"

_TITLE, _BAD, _DOUBTFUL, _GOOD, _QUIET = "bold", "bold red", "yellow", "green", "dim"

_Part = str | tuple[str, str]
"""Text, and its style if it has one."""


@dataclass(frozen=True, slots=True)
class QueueGlance:
    """What Redis knows: of messages and workers, and of the pace of requests to LeetCode."""

    figures: RedisFigures
    pacer: PacerState


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown `now`, in the zone in which times are told. `limit` is LeetCode's, in requests a second."""

    now: datetime
    limit: float
    ledger: Seen[Glance]
    queue: Seen[QueueGlance]

    @property
    def sources(self) -> tuple[Seen[Glance], Seen[QueueGlance]]:
        return self.ledger, self.queue


def draw(view: View, width: int, height: int = _PLENTY, hint: str = "") -> RenderableType:
    """At most `height` lines, the important ones first; lists of runs and errors share what the others leave."""
    lines: list[RenderableType] = [
        _line("evaluator", f"{view.now:%Y-%m-%d %H:%M:%S %Z}", (f"   {hint}", _QUIET)),
        *(line for seen in view.sources if seen.why for line in _away(seen, width)),
        Text(),
        *_work(view),
        Text(),
        *_queues(view),
    ]
    glance = view.ledger.value
    if glance is not None:
        room = height - len(lines) - 4  # two of them empty, two titles
        for_errors = max(room - max(1, len(glance.at_work)), min(room // 2, len(glance.failed)))
        runs, errors = glance.at_work[: max(1, room - for_errors)], glance.failed[: max(0, for_errors)]
        lines += [Text(), _title("open runs", len(runs), glance.figures.runs[RunState.OPEN])]
        lines += [_runs(runs, width)] if runs else []
        lines += [Text(), _title("failed jobs", len(errors), glance.figures.evaluations.failed)]
        lines += [_errors(errors, view.now)] if errors else []
    return Group(*lines)


def _away(seen: Seen[Glance] | Seen[QueueGlance], width: int) -> Iterator[Text]:
    """Why a service says nothing: the only text that goes on in further lines."""
    said = wrap(
        f"for {_duration(seen.silent)}: {seen.why}", max(20, width - _LABEL - 1), max_lines=_AWAY, placeholder=" …"
    )
    for label, line in zip_longest(["away"], said, fillvalue=""):
        yield _line(label, (line, _BAD))


def _work(view: View) -> Iterator[Text]:
    glance = view.ledger.value
    if glance is None:
        for label in ("left", _MEASURED, _BUDGET, "evaluations", "pending", "days"):
            yield _line(label, "-")
        return
    figures = glance.figures
    counts, pending = figures.evaluations, sum(figures.pending.values())
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in figures.pending.items() if count)
    yield _line("left", *_left(view.now, glance, view.queue.value))
    abandoned = view.queue.value is not None and not view.queue.value.figures.workers_alive
    held = view.queue.value.pacer.paused_for if view.queue.value else 0.0
    yield _line(_MEASURED, *_done(view.now, glance, figures.drain.measured, abandoned=abandoned, refused=held > 0))
    yield _line(_BUDGET, *_done(view.now, glance, held + figures.drain.budget))
    yield _line(
        "evaluations",
        f"{counts.waiting:,} waiting, {counts.active:,} active, ",
        (f"{counts.failed:,} failed", _BAD if counts.failed else ""),
        f", {counts.completed:,} completed lately",
    )
    yield _line("pending", (f"{pending:,}", _DOUBTFUL if pending else ""), f": {reasons}" if reasons else "")
    yield _line(
        "days",
        f"{figures.runs_due:,} due, ",
        (f"{figures.runs_late:,} late", _BAD if figures.runs_late else ""),
        "".join(f", {count:,} {state}" for state, count in figures.runs.items()),
        "" if figures.last_success is None else f"; last settled {_clock(view.now, figures.last_success)}",
    )


def _left(now: datetime, glance: Glance, queue: QueueGlance | None) -> Iterator[_Part]:
    left = glance.figures.left
    yield f"{left:,} evaluations" if left else ("nothing", _GOOD)
    if glance.pause:
        since = _clock(now, glance.pause.set_at.timestamp())
        yield f", paused by {glance.pause.set_by} since {since}", _DOUBTFUL
    elif left and queue and not queue.figures.workers_alive:
        yield ", and no worker is alive", _BAD
    elif left and queue and not sum(depth.present for depth in queue.figures.depths.values()):
        yield ", but no message: does a server run?", _DOUBTFUL
    elif left and glance.rate is None:
        yield ", and none has ended in the last minute", _DOUBTFUL
    elif left:
        yield f", {glance.rate:,.1f} members/s in the last minute"


def _done(
    now: datetime, glance: Glance, seconds: float | None, *, abandoned: bool = False, refused: bool = False
) -> Iterator[_Part]:
    """By when it is done that takes so many seconds, and how long before or after the next day comes on top.

    While it is `abandoned` by all workers the rate is that of the last ones, and while requests are `refused` it is
    that of waiting.
    """
    at, deadline = glance.figures.at, glance.figures.deadline
    if not glance.figures.left:
        yield "-"
    elif glance.pause:
        yield "not before `evaluator queue resume`", _DOUBTFUL
    elif abandoned:
        yield "not before a worker runs", _BAD
    elif refused:
        yield "not known while LeetCode refuses", _DOUBTFUL
    elif seconds is None:
        yield f"not known: none has ended in the last {_duration(RATE_OVER)}", _DOUBTFUL
    else:
        yield f"done by {_clock(now, at + seconds)}"
        if deadline is not None:
            spare = deadline - at - seconds
            where, style = ("before", _GOOD) if spare >= 0 else ("AFTER", _BAD)
            yield f", {_duration(abs(spare))} {where} the next day, due {_clock(now, deadline)}", style


def _queues(view: View) -> Iterator[Text]:
    seen = view.queue.value
    yield _line(
        "messages", "".join(f"{state:>11}" for state in ("ready", "in flight", "delayed", "dead")), label_style=_TITLE
    )
    for queue in QUEUES.values():
        depth = seen.figures.depths[queue] if seen else None
        counts = (depth.ready, depth.in_flight, depth.delayed) if depth else ("-", "-", "-")
        dead = depth.dead if depth else "-"
        yield _line(queue, *(f"{count:>11}" for count in counts), (f"{dead:>11}", _BAD if depth and depth.dead else ""))
    yield _line("workers", f"{seen.figures.workers_alive} alive" if seen else "-")
    yield _line("leetcode", *(_pace(seen.pacer, view.limit) if seen else "-"))


def _pace(pacer: PacerState, limit: float) -> Iterator[_Part]:
    yield f"{pacer.sent} of {limit:g} requests in the last second"
    if pacer.paused_for:
        yield f", paused for another {_duration(ceil(pacer.paused_for))}", _DOUBTFUL
    elif pacer.rate < limit:
        yield f", slowed to {pacer.rate:.3g} a second", _DOUBTFUL
    else:
        yield f" {_bar(pacer.sent / limit)}"


def _runs(runs: Sequence[AtWork], width: int) -> RenderableType:
    return _table(_run(run, bar=width >= _NARROW) for run in runs)


def _run(run: AtWork, *, bar: bool) -> list[str]:
    done = run.total - run.left
    share = done / run.total if run.total else 0.0
    told = f"{done:,} of {run.total:,}{'' if run.fanned_out else ' so far'}"
    return [run.challenge, run.day.isoformat(), *([_bar(share)] if bar else []), f"{share:.0%}", told]


def _errors(jobs: Sequence[FailedJob], now: datetime) -> RenderableType:
    return _table(
        [
            _clock(now, job.failed_at.timestamp()),
            job.challenge,
            job.handle,
            job.day.isoformat(),
            job.error or job.reason,
        ]
        for job in jobs
    )


def _table(rows: Iterable[Sequence[str]]) -> RenderableType:
    """A line for each row. The widest columns are cut first."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(Text(" ".join(cell.split()), no_wrap=True, overflow="ellipsis") for cell in row))
    return table


def _title(title: str, shown: int, there_are: int) -> Text:
    return _line(
        title, f"{shown} of {there_are:,}" if shown < there_are else "" if there_are else "none", label_style=_TITLE
    )


def _line(label: str, *parts: _Part, label_style: str = "") -> Text:
    text = Text.assemble((f"{label:<{_LABEL}} ", label_style or _QUIET), *parts, no_wrap=True, overflow="ellipsis")
    text.rstrip()
    return text


def _bar(share: float) -> str:
    filled = round(min(1.0, share) * _BAR)
    return "█" * filled + "░" * (_BAR - filled)


def _clock(now: datetime, seconds: float) -> str:
    """`01:12`, on another day `Thu 01:12`, and the date where that is more than some days away."""
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(now.tzinfo)
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    return f"{moment:%a %H:%M}" if abs(moment - now) < timedelta(days=6) else f"{moment:%Y-%m-%d}"


def _duration(seconds: float) -> str:
    """`12 s`, `48 min`, `22 h 48 min`, `2 d 3 h`, rounded down."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = int(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"
