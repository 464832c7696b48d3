"""*LeetCode*: how much of the budget is used, how it answers, and what it costs us."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.panel import RED, YELLOW, Query, figure, lines, mean, quantile, rate, stat

_REQUESTS = "evaluator_leetcode_requests_total"
_ANSWER = "evaluator_leetcode_request_duration_seconds"
_WAIT = "evaluator_pacer_wait_seconds"
_MEMBERS = "evaluator_batch_members"
_SENT = rate(_REQUESTS)
_BUDGET = figure("evaluator_leetcode_budget_requests_per_second")
_PAUSE = figure("evaluator_leetcode_paused_seconds")
_REFUSED = rate(_REQUESTS, 'class!="answered"') + " / " + _SENT

_NOW = (
    stat(
        "Budget used",
        "Requests sent, of those that LEETCODE_REQUESTS_PER_SECOND allows.",
        f"{_SENT} / {_BUDGET}",
        "percentunit",
    ),
    stat(
        "Refused",
        "Of the requests that were sent, the share that LeetCode refused or did not answer.",
        _REFUSED,
        "percentunit",
        steps=((0.1, YELLOW), (0.5, RED)),
        quiet="No requests",
        alerts=("EvaluatorLeetCodeRefusing",),
    ),
    stat(
        "Pause",
        "What is left of the pause that all processes make since LeetCode refused.",
        _PAUSE,
        "s",
        steps=((1, YELLOW), (300, RED)),
        words=((0, "None"),),
        alerts=("EvaluatorLeetCodePaused",),
    ),
    stat("Members a second", "Members whom LeetCode is asked about.", rate(f"{_MEMBERS}_sum"), "cps"),
    stat(
        "Members a request",
        "How well batches are filled: LEETCODE_USERS_PER_REQUEST at best. Members whose verdict needs no answer are"
        " left out.",
        mean(_MEMBERS),
        quiet="No requests",
    ),
    stat(
        "Answer",
        "The time within which 95 % of the requests are answered.",
        quantile(0.95, _ANSWER),
        "s",
        steps=((5, YELLOW), (15, RED)),
        quiet="No requests",
    ),
)

_OVER_TIME = (
    lines(
        "Requests a second",
        "By what came of them. `retry_later`: errors and time-outs; `slow_down`: 403, 429 and redirects; `bad_query`:"
        " LeetCode does not accept the query.",
        Query(rate(_REQUESTS, by="class") + " > 0", "{{class}}"),
        unit="reqps",
        stacked=True,
        alerts=("EvaluatorLeetCodeRefusing",),
    ),
    lines(
        "Requests sent, and the budget",
        "All processes share one budget, and never exceed it in any second.",
        Query(_SENT, "sent"),
        Query(_BUDGET, "budget"),
        unit="reqps",
    ),
    lines(
        "How long an answer takes",
        "Refusals and time-outs are counted too.",
        Query(quantile(0.5, _ANSWER), "half within"),
        Query(quantile(0.95, _ANSWER), "95 % within"),
        Query(quantile(0.99, _ANSWER), "99 % within"),
        unit="s",
    ),
    lines(
        "How long a request waits for its slot",
        "Waiting is well as long as the budget is used: then it is the budget that limits, and more workers would only"
        " wait.",
        Query(quantile(0.5, _WAIT), "half within"),
        Query(quantile(0.95, _WAIT), "95 % within"),
        unit="s",
    ),
    lines(
        "Members a request",
        "The mean. It falls where little is left to do, and where refused requests are asked again in smaller parts.",
        Query(mean(_MEMBERS), "mean"),
    ),
    lines(
        "Refusals and pauses",
        "The share of refused requests in percent, and the seconds that are left of the common pause.",
        Query(f"100 * {_REFUSED}", "refused, in percent"),
        Query(_PAUSE, "pause, in seconds"),
        alerts=("EvaluatorLeetCodeRefusing", "EvaluatorLeetCodePaused"),
    ),
)

LEETCODE = Dashboard(
    "leetcode",
    "LeetCode",
    "How much of the budget is used, how LeetCode answers, and who is asked about.",
    (("Now", _NOW), ("How it goes", _OVER_TIME)),
)
