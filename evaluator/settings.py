"""Settings from the environment, validated together at boot.

Every setting may also be given as `NAME_FILE`, the path of a file that holds the value (a mounted secret), and in
a `.env` file; the environment wins over `.env`.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError

SECRETS = frozenset({"DATABASE_URL", "REDIS_URL", "REDIS_PASSWORD", "ADMIN_TOKEN"})
"""Settings whose value never appears in a message."""

_ALIKE = 0.8
"""From this likeness on, 1 being the same, a key of `.env` is taken for a setting misspelt."""

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: object) -> float:
    text = str(value).strip().lower()
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = text[len(number) :].strip()
    try:
        seconds = float(number) * _UNITS[unit]
    except (ValueError, KeyError):
        raise ValueError("is not a length of time: write seconds (3600) or a number with ms, s, m, h, d") from None
    if not 0 <= seconds < 10 * 365 * 86400:
        raise ValueError("must lie between 0 and ten years")
    return seconds


def _url(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        if url and urlsplit(url).scheme not in schemes:
            raise ValueError(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return url

    return AfterValidator(check)


def _names_a_host(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("must name a host")
    parts.port  # noqa: B018  # looking at it raises ValueError where it is no port
    return url


Seconds = Annotated[float, PlainValidator(_seconds)]


_INSTEAD_OF_REDIS_URL = frozenset({"redis_host", "redis_port", "redis_password", "redis_db"})


class ConfigurationError(Exception):
    """The environment is unusable; the message names every bad key at once."""


class Settings(BaseModel):
    """Everything that can be set, with its default. Durations are seconds."""

    model_config = ConfigDict(frozen=True)

    database_url: Annotated[str, _url("postgresql", "postgres")] = "postgresql://localhost/evaluator"
    redis_url: Annotated[str, _url("redis", "rediss", "unix")] = ""
    redis_host: str = "localhost"
    redis_port: Annotated[int, Field(ge=1, le=65535)] = 6379
    redis_password: str = ""
    redis_db: Annotated[int, Field(ge=0)] = 0
    leetcode_url: Annotated[str, _url("https", "http"), AfterValidator(_names_a_host)] = "https://leetcode.com/graphql"
    leetcode_requests_per_second: Annotated[float, Field(gt=0, le=1_000_000)] = 20.0
    leetcode_users_per_request: Annotated[int, Field(ge=1, le=100)] = 20
    leetcode_timeout: Annotated[Seconds, Field(gt=0)] = 15.0
    worker_concurrency: Annotated[int, Field(ge=1, le=1000)] = 10
    worker_processes: Annotated[int, Field(ge=1, le=64)] = 1
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 9191
    job_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    job_backoff: Seconds = 5.0
    job_time_limit: Annotated[Seconds, Field(ge=1)] = 120.0
    retention_completed: Seconds = 24 * 3600.0
    retention_failed: Seconds = 7 * 86400.0
    settle_delay: Seconds = 3600.0
    admin_token: str = ""
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def members_per_second(self) -> float:
        """How many members all processes together may ask LeetCode about in a second."""
        return self.leetcode_requests_per_second * self.leetcode_users_per_request

    @property
    def redis(self) -> str:
        """The URL of Redis: `REDIS_URL`, or one made of the single settings."""
        if self.redis_url:
            return self.redis_url
        login = f":{quote(self.redis_password, safe='')}@" if self.redis_password else ""
        return f"redis://{login}{self.redis_host}:{self.redis_port}/{self.redis_db}"


def load_settings(environ: Mapping[str, str], env_file: Path | None = None) -> Settings:
    """Read `environ`, with `env_file` below it. Raises ConfigurationError, which names everything wrong at once."""
    values: dict[str, str] = {}
    wrong: list[str] = []
    in_file = _in_file(env_file, wrong)
    unused = _INSTEAD_OF_REDIS_URL if _source("REDIS_URL", environ, in_file) else frozenset()
    for name in Settings.model_fields.keys() - unused:
        key = name.upper()
        source = _source(key, environ, in_file)
        value, path = source.get(key), source.get(f"{key}_FILE")
        if path and value:
            wrong.append(f"{key} and {key}_FILE are both set; keep one of them")
        elif path:
            try:
                values[name] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
                if not values[name]:
                    wrong.append(f"{key}_FILE={path} is empty; write the value into it, or unset the key")
            except (OSError, UnicodeDecodeError) as error:
                wrong.append(f"{key}_FILE={path} cannot be read: {getattr(error, 'strerror', None) or error}")
        elif value:
            values[name] = value.strip() if name.startswith("log_") else value
    if "log_level" in values:
        values["log_level"] = values["log_level"].upper()
    try:
        settings = Settings(**values)  # type: ignore[arg-type]  # pydantic reads the strings
    except ValidationError as error:
        wrong.extend(_describe(problem["loc"], problem["msg"], values) for problem in error.errors())
    if wrong:
        raise ConfigurationError("\n".join(sorted(wrong)))
    return settings


def misspelt(env_file: Path) -> dict[str, str]:
    """Keys of a readable `env_file` that are no setting and look like one, with the setting that is meant."""
    settings = [key for name in Settings.model_fields for key in (name.upper(), f"{name.upper()}_FILE")]
    strange = [key for key in _in_file(env_file, []) if key not in settings]
    meant = {key: get_close_matches(key.upper(), settings, n=1, cutoff=_ALIKE) for key in strange}
    return {key: found[0] for key, found in meant.items() if found}


def _in_file(env_file: Path | None, wrong: list[str]) -> Mapping[str, str | None]:
    """What a `.env` file says; nothing where there is none. One that cannot be read is told among what is wrong."""
    try:
        return dotenv_values(env_file) if env_file and env_file.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        wrong.append(f"{env_file} cannot be read: {getattr(error, 'strerror', None) or error}")
        return {}


def _source(key: str, *sources: Mapping[str, str | None]) -> Mapping[str, str | None]:
    """The first that has a key, or its `KEY_FILE`: the environment says it all or nothing, and meets no `.env`."""
    return next((one for one in sources if one.get(key) or one.get(f"{key}_FILE")), {})


def _describe(location: tuple[int | str, ...], message: str, values: Mapping[str, str]) -> str:
    name = str(location[0])
    key = name.upper()
    value = values.get(name, "")
    shown = "(a secret, not shown)" if key in SECRETS else repr(value)
    # Kubernetes tells a pod of each Service of its namespace so: of one called redis, by REDIS_PORT.
    linked = "; a Service of Kubernetes sets this, unless the pod has enableServiceLinks: false"
    return f"{key}={shown}: {message.removeprefix('Value error, ')}{linked if value.startswith('tcp://') else ''}"
