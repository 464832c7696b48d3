"""Where the services are, in words; and whether their clients can read where that is."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg
import redis
from psycopg.conninfo import conninfo_to_dict

from evaluator.settings import ConfigurationError, Settings

_UNREADABLE = (
    "{name}=(a secret, not shown): cannot be read as {example}; in a password write characters other than letters and "
    "digits as %2F and the like"
)


def require_readable(settings: Settings) -> None:
    """Raises ConfigurationError where a client cannot read an address, without what it says: that may be a password."""
    wrong: list[str] = []
    try:
        port = str(conninfo_to_dict(settings.database_url).get("port", "0"))
    except psycopg.ProgrammingError:
        port = ""
    if not port.replace(",", "").isdigit():
        wrong.append(_UNREADABLE.format(name="DATABASE_URL", example="postgresql://user:password@host:5432/database"))
    try:
        redis.ConnectionPool.from_url(settings.redis).make_connection()
    except (ValueError, TypeError):
        wrong.append(_UNREADABLE.format(name="REDIS_URL", example="redis://:password@host:6379/0"))
    if wrong:
        raise ConfigurationError("\n".join(wrong))


def postgres_place(settings: Settings) -> str:
    parts = conninfo_to_dict(settings.database_url)
    return f"{parts.get('host') or 'localhost'}:{parts.get('port') or 5432}"


def redis_place(settings: Settings) -> str:
    url = urlsplit(settings.redis)
    return url.path if url.scheme == "unix" else f"{url.hostname}:{url.port or 6379}"
