"""*Challenges*: what is going on, what is due, and how days end."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.panel import YELLOW, Query, bars, figure, lines, of, rate, stat

_RECORDED = "evaluator_evaluations_recorded_total"
_RUNS = "evaluator_runs"
_PENDING = figure("evaluator_pending_evaluations", by="reason")

_NOW = (
    stat("Running", "Challenges whose days are going on.", figure("evaluator_challenges", 'state="running"')),
    stat(
        "Closing",
        "Challenges whose last day is over, and of which not every day is settled.",
        figure("evaluator_challenges", 'state="closing"'),
    ),
    stat("Members", "Members who are in a running challenge now.", figure("evaluator_members")),
    stat("Days due", "Days that are due and not settled.", figure("evaluator_runs_due"), steps=((1, YELLOW),)),
    stat(
        "Days late",
        "Days that are not settled two hours after they fell due, be it for one member who cannot be decided.",
        figure("evaluator_runs_late"),
        steps=((1, YELLOW),),
        alerts=("EvaluatorDayLate", "EvaluatorPendingOld"),
    ),
    stat(
        "Need a person",
        "Members with a pending day that does not mend itself: no handle, no such account, a hidden profile.",
        figure("evaluator_members_needing_attention"),
        steps=((1, YELLOW),),
        alerts=("EvaluatorPendingOld",),
    ),
)

_DAYS = (
    lines(
        "Days that are not settled",
        "By state: queued until the day before is settled, open while workers are at it, pending until a later pass.",
        Query(figure(_RUNS, by="state"), "{{state}}"),
        stacked=True,
        alerts=("EvaluatorDayLate", "EvaluatorQueueStuck"),
    ),
    lines(
        "Challenges by state",
        "Upcoming, running, closing, completed, cancelled. Some of them may be unreadable: no day of theirs is begun.",
        Query(figure("evaluator_challenges", by="state"), "{{state}}"),
        Query(figure("evaluator_challenges_unreadable"), "unreadable"),
        alerts=("EvaluatorChallengeUnreadable",),
    ),
)

_VERDICTS = (
    bars(
        "Verdicts by outcome",
        "Recorded within the time that the dashboard shows. A day that stays pending is recorded in each pass.",
        Query(f"round(sum by (outcome) (increase({of(_RECORDED)}[$__range])))", "{{outcome}}"),
    ),
    bars(
        "Verdicts by reason",
        "Why days passed, failed, were frozen, exempt, or could not be decided.",
        Query(f"round(sum by (reason) (increase({of(_RECORDED)}[$__range]))) > 0", "{{reason}}"),
    ),
    lines(
        "Failed, of what was decided",
        "The share of failed days among those that passed, failed or were frozen. A jump that has no cause among the"
        " members deserves a look.",
        Query(
            rate(_RECORDED, 'outcome="failed"') + " / " + rate(_RECORDED, 'outcome=~"passed|failed|frozen"'),
            "failed",
        ),
        unit="percentunit",
        quiet="Nothing is being decided",
    ),
    lines(
        "Undecided members' days, by reason",
        "What was looked at and could not be decided. Nobody is punished for it.",
        Query(f"{_PENDING} > 0", "{{reason}}"),
        quiet="None",
        stacked=True,
        alerts=("EvaluatorPendingOld",),
    ),
)

CHALLENGES = Dashboard(
    "challenges",
    "challenges",
    "What is going on, what is due, and how days end.",
    (("Now", _NOW), ("Days", _DAYS), ("Verdicts", _VERDICTS)),
)
