"""Pages: templates filled in. Whatever is shown is escaped, and a page may load nothing but the one style sheet."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from evaluator.domain.money import format_amount
from evaluator.domain.verdict import Outcome
from evaluator.service.explanation import alike

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}

_COMMAND = re.compile(r"`([^`]+)`")

SYMBOLS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✕",
    Outcome.PENDING: "?",
    Outcome.EXEMPT: "○",
    Outcome.FROZEN: "❄\ufe0e",  # as text: the colour of an emoji would be lost in the cell
}
"""What stands for an outcome beside its colour."""


def _time(moment: datetime) -> str:
    """`12 Nov 2026, 10:15`; the page says in which zone."""
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def _exact(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y, %H:%M:%S}"


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds:g} s"


def _prose(text: str) -> Markup:
    """A sentence with its `commands` set as code."""
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped before


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


_templates = Environment(
    loader=PackageLoader("evaluator.api"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(
    alike=alike, time=_time, exact=_exact, day=_day, duration=_duration, prose=_prose, money=format_amount
)
_templates.globals["symbols"] = SYMBOLS


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page; links in it begin with the path that the application is mounted at."""
    root = request.scope.get("root_path", "").rstrip("/")
    return HTMLResponse(_templates.get_template(template).render(root=root, **values), status, _HEADERS)
