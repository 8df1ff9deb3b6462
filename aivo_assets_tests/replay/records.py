"""A replay as it might have been, small enough to check by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from aivo_assets.replay.choices import as_text
from aivo_assets.replay.record import (
    Alerted,
    Costs,
    Drifted,
    Moved,
    Recommended,
    Record,
    RunCost,
    RunMade,
    Scored,
    Ticks,
    Training,
    TrainingNeed,
)
from aivo_assets.settings import Settings

AT = datetime(2026, 3, 3, 2, tzinfo=UTC)
DAY = date(2026, 3, 2)


def record(**other: Any) -> Record:
    """Two trainings, of which the first promoted and the second, for drift, was refused; one run failed."""
    values: dict[str, Any] = {
        "source": "simulator",
        "first": DAY,
        "last": date(2026, 3, 8),
        "seed": 0,
        "learners": 60,
        "learners_found": 90,
        "events": 5000,
        "rows_read": 5010,
        "rows_without_time": 10,
        "every_tick": False,
        "settings": as_text(Settings.model_construct()),
        "ticks": {"adaptive_training_2h": Ticks(asked=84, same=30), "aivo_main_brain_daily": Ticks(asked=2, skipped=5)},
        "runs": (
            run(AT, "main_brain_training", "aivo_main_brain_daily"),
            run(AT + timedelta(days=2), "emergency_retrain", "drift_retraining", cause="Score 0.31: <it> fell."),
            run(AT + timedelta(days=3), "late_events", "late_events", failure="ingest: the disk is full"),
        ),
        "trainings": (training(AT, 1, promoted=True), training(AT + timedelta(days=2), 2, promoted=False)),
        "moves": (Moved(at=AT, kind="promotion", before=None, after=1, reason="It is better."),),
        "drift": (
            Drifted(at=AT, day=DAY, model="main_brain", version="1", verdict="ok", score=0.02, reason="Fine."),
            Drifted(at=AT, day=DAY, model="main_brain", version="1", verdict="alert", score=0.31, reason="It fell."),
        ),
        "needs": (TrainingNeed(at=AT, day=DAY, needed=True, reason="Much is new."),),
        "recommendations": (Recommended(at=AT, day=DAY, kinds={"maintain": 40, "level_up": 20}, changed=7),),
        "scores": (score(DAY, 100, 0.5), score(DAY + timedelta(days=1), 300, 0.6)),
        "alerts": (Alerted(at=AT, severity="critical", title="main_brain drifted", body="It fell."),),
    }
    return Record(**{**values, **other})


def run(at: datetime, job: str, by: str, *, cause: str = "It was due.", failure: str = "") -> RunMade:
    return RunMade(at=at, job=job, asked_by=by, cause=cause, days=str(DAY), success=not failure, failure=failure)


def training(at: datetime, version: int, *, promoted: bool) -> Training:
    return Training(
        at=at,
        day=DAY,
        cause="It was due.",
        version=version,
        promoted=promoted,
        reason="As it is.",
        events=500,
        log_loss=0.55,
        reference_log_loss=0.6,
    )


def score(day: date, events: int, log_loss: float) -> Scored:
    return Scored(day=day, version=1, events=events, log_loss=log_loss, auc=0.7, constant_log_loss=0.65)


def costs() -> Costs:
    runs = (
        RunCost(at=AT, job="adaptive_check", wall=1.0, cpu=0.5, steps={"ingest": 0.25, "recommendations": 0.5}),
        RunCost(at=AT, job="adaptive_check", wall=3.0, cpu=1.5, steps={"ingest": 0.75}),
        RunCost(at=AT, job="main_brain_training", wall=10.0, cpu=9.0, steps={"main_brain_candidate": 8.0}),
    )
    return Costs(machine={"machine": "a good one"}, wall=90.0, cpu=60.0, peak_memory_bytes=2**30, runs=runs)
