"""*Tonight*: are we done, when shall we be, and who is stuck."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.panel import RED, YELLOW, Query, bars, figure, lines, of, rate, stat

_DRAIN = "evaluator_drain_seconds"
_FIRING = 'ALERTS{alertname=~"Evaluator.*", alertstate="firing", namespace=~"$namespace"}'
_MEASURED = figure(_DRAIN, 'by="measured"')
_UNTIL_DEADLINE = f"min ({of('evaluator_deadline_timestamp_seconds')}) - time()"

_ARE_WE_DONE = (
    stat(
        "Days left",
        "Days of challenges that are due and not settled, also those without a run yet. Some stay here for a member who"
        " cannot be decided.",
        figure("evaluator_runs_due"),
        steps=((1, YELLOW),),
        words=((0, "Done"),),
    ),
    stat(
        "Done at",
        "When everything that is queued or at work is settled, at the rate of the last minutes.",
        f"1000 * (time() + ({_MEASURED} > 0))",
        "dateTimeAsLocal",
        quiet="Nothing at work",
    ),
    stat(
        "Time left",
        "How long that takes, at the rate of the last minutes.",
        _MEASURED,
        "s",
        quiet="No rate yet",
        alerts=("EvaluatorQueueStuck", "EvaluatorWillMissDeadline"),
    ),
    stat(
        "Next day falls due in",
        "The next moment at which a further day falls due of a challenge that has work now. All should be done by"
        " then.",
        _UNTIL_DEADLINE,
        "s",
        quiet="No work",
        alerts=("EvaluatorWillMissDeadline",),
    ),
    stat(
        "Late days",
        "Days of challenges that fell due more than two hours ago, and over which no pass has come to its end. What is"
        " pending since does not count here.",
        figure("evaluator_runs_stuck"),
        steps=((1, RED),),
        alerts=("EvaluatorDayLate",),
    ),
    stat(
        "Last day settled",
        "How long ago a day of a challenge was last settled altogether.",
        f"time() - {figure('evaluator_last_success_timestamp_seconds')}",
        "s",
        steps=((26 * 3600, YELLOW),),
        quiet="None yet",
        alerts=("EvaluatorDayLate",),
    ),
)

_WHO_IS_STUCK = (
    stat(
        "Need a person",
        "Members with a pending day that does not mend itself: no handle, no such account, a hidden profile.",
        figure("evaluator_members_needing_attention"),
        steps=((1, YELLOW),),
        alerts=("EvaluatorPendingOld",),
    ),
    stat(
        "Given up",
        "Members' days that were given up after all attempts, and not settled, retried or cleared since."
        " `evaluator queue failed` lists them.",
        figure("evaluator_evaluations", 'state="failed"'),
        steps=((1, YELLOW),),
        alerts=("EvaluatorJobsGivenUp",),
    ),
    stat(
        "Oldest undecided day",
        "How long ago the oldest day fell due that is pending for anybody.",
        figure("evaluator_oldest_pending_seconds"),
        "s",
        steps=((24 * 3600, YELLOW),),
        words=((0, "None"),),
        alerts=("EvaluatorPendingOld",),
    ),
    stat(
        "Work",
        "Whether a person has paused the work.",
        figure("evaluator_paused"),
        steps=((1, YELLOW),),
        words=((0, "Goes on"), (1, "Paused")),
        alerts=("EvaluatorPaused",),
    ),
    stat(
        "Workers",
        "Worker processes that give signs of life. None is well where none is needed and an autoscaler brings them.",
        figure("evaluator_workers_alive"),
        alerts=("EvaluatorWorkersAbsent",),
    ),
    stat(
        "Alerts",
        "How many alerts of the evaluator fire.",
        f"count({_FIRING}) or vector(0)",
        steps=((1, RED),),
    ),
)

_OVER_TIME = (
    lines(
        "Members' days that are left",
        "Waiting in batches, at work, and everything that is due: with days that are queued, and what is pending for a"
        " later pass.",
        Query(figure("evaluator_unsettled_evaluations"), "due and not settled"),
        Query(figure("evaluator_evaluations", 'state="waiting"'), "waiting"),
        Query(figure("evaluator_evaluations", 'state="active"'), "at work"),
    ),
    lines(
        "Time left, and time to the deadline",
        "While the deadline's line is above the others, all is settled in time.",
        Query(_MEASURED, "at the rate of the last minutes"),
        Query(figure(_DRAIN, 'by="budget"'), "at the budget of requests"),
        Query(_UNTIL_DEADLINE, "until the next day falls due"),
        unit="s",
        alerts=("EvaluatorWillMissDeadline",),
    ),
    lines(
        "Verdicts a second",
        "What workers record, by outcome. A day that stays pending is recorded in each pass.",
        Query(rate("evaluator_evaluations_recorded_total", by="outcome") + " > 0", "{{outcome}}"),
        unit="cps",
        stacked=True,
    ),
    bars(
        "Undecided members' days, by reason",
        "What was looked at and could not be decided. The runbook says what each reason asks for.",
        Query(figure("evaluator_pending_evaluations", by="reason"), "{{reason}}"),
        steps=((1, YELLOW),),
        alerts=("EvaluatorPendingOld", "EvaluatorJobsGivenUp"),
        width=6,
    ),
    lines(
        "Alerts that fire",
        "Each is explained by its runbook.",
        Query(f"count by (alertname) ({_FIRING})", "{{alertname}}"),
        quiet="None fires",
        stacked=True,
        width=6,
    ),
)

TONIGHT = Dashboard(
    "tonight",
    "tonight",
    "Are we done, when shall we be, and who is stuck.",
    (("Are we done?", _ARE_WE_DONE), ("Who is stuck?", _WHO_IS_STUCK), ("How it goes", _OVER_TIME)),
)
