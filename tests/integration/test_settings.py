"""Settings: everything wrong is named at once, and a secret's value never."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.settings import SECRETS, ConfigurationError, Settings, load_settings, misspelt
from tests.integration.program import Program

SECRET = "s3cr3t-hunter2"  # noqa: S105  # guards nothing


def refusal(**environment: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment)
    return str(caught.value).splitlines()


def test_without_any_setting_everything_has_its_default() -> None:
    settings = load_settings({})
    assert settings == Settings()
    assert settings.redis == "redis://localhost:6379/0"
    assert settings.leetcode_url == "https://leetcode.com/graphql"
    assert (settings.leetcode_requests_per_second, settings.leetcode_users_per_request) == (20, 20)
    assert (settings.worker_concurrency, settings.worker_processes) == (10, 1)
    assert settings.metrics_port == 9191
    assert (settings.job_attempts, settings.job_backoff) == (3, 5)
    assert (settings.retention_completed, settings.retention_failed) == (86_400, 7 * 86_400)
    assert (settings.settle_delay, settings.admin_token, settings.log_format) == (3600, "", "console")


def test_an_empty_value_is_none() -> None:
    assert load_settings(dict.fromkeys((name.upper() for name in Settings.model_fields), "")) == Settings()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1.5", 1.5),
        ("250ms", 0.25),
        ("5s", 5),
        ("60 min", 3600),
        ("2m", 120),
        ("24h", 86_400),
        ("7 D", 604_800),
    ],
)
def test_a_length_of_time_may_have_a_unit(text: str, seconds: float) -> None:
    assert load_settings({"SETTLE_DELAY": text}).settle_delay == seconds


@pytest.mark.parametrize("text", ["soon", "-1", "5 parsecs", "h", "nan", "1e300", "11000d"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    (line,) = refusal(JOB_BACKOFF=text)
    assert line.startswith(f"JOB_BACKOFF={text!r}: ")


def test_everything_wrong_is_named_at_once_with_its_value() -> None:
    wrong = {
        "REDIS_PORT": "99999",
        "REDIS_DB": "-1",
        "LEETCODE_URL": "leetcode.com/graphql",
        "LEETCODE_REQUESTS_PER_SECOND": "0",
        "LEETCODE_USERS_PER_REQUEST": "0",
        "LEETCODE_TIMEOUT": "0",
        "WORKER_CONCURRENCY": "ten",
        "WORKER_PROCESSES": "1.5",
        "METRICS_PORT": "65536",
        "JOB_ATTEMPTS": "0",
        "JOB_BACKOFF": "soon",
        "RETENTION_COMPLETED": "a day",
        "SETTLE_DELAY": "-5",
        "LOG_FORMAT": "xml",
        "LOG_LEVEL": "LOUD",
    }
    lines = refusal(**wrong)
    assert [line.partition(": ")[0] for line in lines] == sorted(f"{key}={value!r}" for key, value in wrong.items())


@pytest.mark.parametrize("url", ["http://", "https:///graphql", "http://host:port/graphql", "http://host:99999/"])
def test_leetcodes_address_names_a_host_and_a_port_that_can_be(url: str) -> None:
    (line,) = refusal(LEETCODE_URL=url)
    assert line.startswith(f"LEETCODE_URL={url!r}: ")


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    lines = refusal(DATABASE_URL=f"mysql://u:{SECRET}@h/x", REDIS_URL=f"http://:{SECRET}@h")
    assert lines == [
        "DATABASE_URL=(a secret, not shown): must begin with postgresql:// or postgres://",
        "REDIS_URL=(a secret, not shown): must begin with redis:// or rediss:// or unix://",
    ]
    file = tmp_path / "secret"
    file.write_text(f"mysql://u:{SECRET}@h/x", encoding="utf-8")
    (line,) = refusal(DATABASE_URL_FILE=str(file))
    assert SECRET not in line


@pytest.mark.parametrize("key", sorted(SECRETS))
def test_a_secret_may_lie_in_a_file(key: str, tmp_path: Path) -> None:
    value = {"DATABASE_URL": "postgresql://h/x", "REDIS_URL": "redis://h"}.get(key, SECRET)
    file = tmp_path / "secret"
    file.write_text(f"{value}\n", encoding="utf-8")
    assert getattr(load_settings({f"{key}_FILE": str(file)}), key.lower()) == value
    (both,) = refusal(**{key: value, f"{key}_FILE": str(file)})
    assert both == f"{key} and {key}_FILE are both set; keep one of them"
    (gone,) = refusal(**{f"{key}_FILE": str(tmp_path / "none")})
    assert gone == f"{key}_FILE={tmp_path / 'none'} cannot be read: No such file or directory"


def test_single_settings_make_redis_address_unless_it_is_given_whole() -> None:
    single = {"REDIS_HOST": "redis.example", "REDIS_PORT": "7000", "REDIS_DB": "3", "REDIS_PASSWORD": "p@ss/word"}
    assert load_settings(single).redis == "redis://:p%40ss%2Fword@redis.example:7000/3"
    assert load_settings({**single, "REDIS_URL": "rediss://other"}).redis == "rediss://other"


def test_what_is_given_instead_of_the_address_as_a_whole_is_not_looked_at(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(f"REDIS_PASSWORD_FILE={tmp_path / 'none'}\nREDIS_PORT=many\n", encoding="utf-8")
    assert load_settings({"REDIS_URL": "redis://whole"}, env_file).redis == "redis://whole"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('JOB_ATTEMPTS=7\nexport LOG_LEVEL="debug"  # more to see\nWORKER_CONCURRENCY=\n', encoding="utf-8")
    settings = load_settings({"JOB_ATTEMPTS": "9"}, file)
    assert (settings.job_attempts, settings.log_level, settings.worker_concurrency) == (9, "DEBUG", 10)
    assert load_settings({}, tmp_path / "none") == Settings()


def test_a_key_of_the_file_that_looks_like_a_setting_and_is_none_is_told(evaluator: Program) -> None:
    file = evaluator.folder / ".env"
    file.write_text(
        "LEETCODE_URI=https://elsewhere/graphql\nJOB_TIMELIMIT=60\njob_attempts=5\nREDIS_PASSWORT_FILE=/x\n"
        "LEETCODE_URL=\nLOG_FILE=x\nDATABASE_NAME=x\nPOSTGRES_PASSWORD=x\nEDITOR=vi\n",
        encoding="utf-8",
    )
    assert misspelt(file) == {
        "LEETCODE_URI": "LEETCODE_URL",
        "JOB_TIMELIMIT": "JOB_TIME_LIMIT",
        "job_attempts": "JOB_ATTEMPTS",
        "REDIS_PASSWORT_FILE": "REDIS_PASSWORD_FILE",
    }
    ended = evaluator("verdicts", "--challenge", "grind", DATABASE_URL="postgresql://127.0.0.1:1/x")
    assert ended.err.splitlines()[0] == ".env holds LEETCODE_URI, which is no setting: is LEETCODE_URL meant?"
    assert len(ended.err.splitlines()) == 5


def test_a_file_that_cannot_be_read_is_told_with_everything_else(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"ADMIN_TOKEN=\xff\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"JOB_ATTEMPTS": "0"}, file)
    one, other = sorted(str(caught.value).splitlines())
    assert one.startswith(f"{file} cannot be read: ")
    assert other.startswith("JOB_ATTEMPTS='0': ")


def test_a_command_with_wrong_settings_says_them_all_and_ends_with_78(evaluator: Program) -> None:
    (evaluator.folder / ".env").write_text("JOB_ATTEMPTS=none\n", encoding="utf-8")
    wrong = {"DATABASE_URL": f"mysql://u:{SECRET}@h/x", "LOG_FORMAT": "xml"}
    for command in (["enqueue"], ["queue", "stats"], ["worker"], ["server"], ["scheduler"], ["doctor"], ["migrate"]):
        ended = evaluator(*command, **wrong)
        assert (ended.code, ended.out) == (78, "")
        assert ended.err.splitlines() == [
            "The configuration is wrong; correct these and start again:",
            "DATABASE_URL=(a secret, not shown): must begin with postgresql:// or postgres://",
            "JOB_ATTEMPTS='none': Input should be a valid integer, unable to parse string as an integer",
            "LOG_FORMAT='xml': Input should be 'console' or 'json'",
        ]


@pytest.mark.parametrize(
    ("key", "address"),
    [
        ("DATABASE_URL", f"postgresql://u:%{SECRET}@h/x"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}/x@h/x"),  # all before the slash is a host, and a port
        ("DATABASE_URL", f"postgresql://h/x?{SECRET}=1"),
        ("REDIS_URL", f"redis://:{SECRET}/x@h"),
        ("REDIS_URL", "redis://h:port"),
        ("REDIS_URL", f"redis://h?{SECRET}=1"),
    ],
)
def test_an_address_that_its_client_cannot_read_is_wrong_too(evaluator: Program, key: str, address: str) -> None:
    ended = evaluator("verdicts", "--challenge", "grind", **{key: address})
    assert ended.code == 78
    assert f"{key}=(a secret, not shown): cannot be read as " in ended.err
    assert SECRET not in ended.err
    assert len(ended.err.splitlines()) == 2
