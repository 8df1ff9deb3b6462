"""What a replay keeps of the drift checks: every whole model, and cohorts only where they asked for a training."""

from datetime import UTC, datetime
from pathlib import Path

from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.lake import Lake
from aivo_assets.replay.outcomes import Outcomes
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets_tests.drift.stored_verdicts import DAY, verdicts


def test_cohorts_are_kept_where_they_asked_for_a_training(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", shards=2)
    rows = verdicts(
        ("main_brain", "ok", 0.1),
        ("main_brain/subject=a", "retrain", 0.2),
        ("main_brain/subject=b", "watch", 0.2),
        ("main_brain/subject=c", "ok", 0.0),
        ("student_models", "too_few_events", None),
    )
    lake.write(DRIFT_VERDICTS, rows, day=DAY)
    outcomes = Outcomes(lake, Registry(tmp_path))
    outcomes.note({"drift_verdict"}, day=DAY, at=datetime(2026, 3, 10, 6, tzinfo=UTC), cause="")
    assert [(kept.model, kept.verdict) for kept in outcomes.drift] == [
        ("main_brain", "ok"),
        ("main_brain/subject=a", "retrain"),
        ("student_models", "too_few_events"),
    ]
