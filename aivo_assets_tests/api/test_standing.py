"""What is said of a model's drift where cohorts are judged beside it."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.api.dagster_client import DagsterClient
from aivo_assets.api.standing import ModelStates
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.judging.verdicts import VERDICTS
from aivo_assets_tests.drift.stored_verdicts import DAY, verdicts

Rows = list[tuple[str, str, float | None]]


def standing(home: Path, rows: Rows, day: date = DAY) -> ModelStates:
    settings = Settings(home=home)
    lake = Lake(settings.lake_url, shards=2)
    lake.write(DRIFT_VERDICTS, verdicts(*rows, day=day), day=day)
    return ModelStates(settings, lake, Registry(home), DagsterClient("http://127.0.0.1:1", timeout_seconds=1.0))


@pytest.mark.parametrize(
    ("rows", "verdict", "reason"),
    [
        ([("main_brain", "ok", 0.1), ("main_brain/grade=5", "watch", 0.2)], "ok", "Reason of main_brain."),
        (
            [("main_brain", "watch", 0.1), ("main_brain/grade=5", "retrain", 0.2)],
            "retrain",
            "main_brain/grade=5: Reason of main_brain/grade=5.",
        ),
        ([("main_brain", "alert", 0.4), ("student_models/grade=5", "watch", 0.5)], "alert", "Reason of main_brain."),
        ([("main_brain", "ok", 0.0), ("student_models/grade=5", "retrain", 0.2)], "ok", "Reason of main_brain."),
    ],
)
def test_a_model_has_drifted_as_its_cohort_that_asks_for_training(
    tmp_path: Path, rows: Rows, verdict: str, reason: str
) -> None:
    said = standing(tmp_path, rows).drift("main_brain")
    assert said is not None
    assert (said.verdict, said.reason) == (verdict, reason)


def test_a_model_that_was_not_checked_has_no_verdict(tmp_path: Path) -> None:
    assert standing(tmp_path, [("main_brain", "ok", 0.0)]).drift("student_models") is None


def test_the_verdict_on_a_challenger_is_the_main_brains_alone(tmp_path: Path) -> None:
    found = standing(tmp_path, [("main_brain", "ok", 0.0)])
    lake = Lake(Settings(home=tmp_path).lake_url, shards=2)
    row = {**dict.fromkeys(VERDICTS.schema), "reason": "Refused: not surely better."}
    lake.write(VERDICTS, pl.DataFrame([row], schema=dict(VERDICTS.schema)), day=DAY)
    now = datetime(2026, 3, 10, 9, tzinfo=UTC)
    assert found.describe("main_brain", now=now).last_verdict == "Refused: not surely better."
    assert found.describe("student_models", now=now).last_verdict is None
