"""`aivo benchmark training` takes a file through the real job and says what that took."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from aivo_assets.benchmarks.accuracy.features import resized
from aivo_assets.benchmarks.accuracy.training import TrainingCost, fill, settings_for
from aivo_assets.cli.main import app
from aivo_assets.lake import Lake, calendar
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets_tests.tracing.small_lake import FIRST, events


def test_the_lake_holds_every_event_once_in_shards_that_keep_learners_whole(tmp_path: Path) -> None:
    lake, given = Lake(tmp_path, shards=3), events(learners=10, days=5)
    days = fill(lake, given.sample(fraction=1.0, shuffle=True, seed=1))
    there = lake.scan(ANONYMISED_INTERACTIONS).collect()
    assert there.drop("shard").sort("event").equals(given.drop("shard").sort("event"))
    assert there.group_by("learner").agg(pl.col("shard").n_unique())["shard"].to_list() == [1] * 10
    assert (days[0], len(days)) == (FIRST, 5)
    assert calendar.first_day(lake, otherwise=days[-1]) == FIRST


def test_repeated_learners_have_events_of_their_own() -> None:
    more = resized(events(learners=10, days=5), 500)
    assert more.height == 500
    assert more["event"].is_unique().all()
    assert more["learner"].n_unique() == 25


def test_the_window_reaches_over_the_whole_file(tmp_path: Path) -> None:
    days = [FIRST, FIRST.replace(year=FIRST.year + 3)]
    made = settings_for(Settings(), tmp_path, days)
    assert made.training.window_days == (days[1] - days[0]).days + 1
    assert settings_for(Settings(), tmp_path, days[:1]).training == Settings().training


@pytest.mark.slow
def test_it_tells_every_step_the_whole_and_the_verdict(tmp_path: Path) -> None:
    file, out = tmp_path / "answers.parquet", tmp_path / "out.json"
    events(learners=80, days=12).select("learner", "item_id", "skill_ids", "correct", "occurred_at").write_parquet(file)
    quick = {"AIVO_TRAINING_MAX_ITERATIONS": "10", "AIVO_TUNING_TRIALS": "0", "AIVO_HOME": str(tmp_path / "home")}
    told = CliRunner(env=quick).invoke(
        app, ["benchmark", "training", str(file), "--json", str(out)], catch_exceptions=False
    )
    cost = TrainingCost.model_validate_json(out.read_text())
    steps = {step.step: step.seconds for step in cost.steps}
    assert set(steps) >= {
        "fold_training_events", "main_brain_hyperparameters", "main_brain_candidate", "main_brain_evaluation",
        "main_brain_promotion", "main_brain_card",
    }  # fmt: skip
    assert sum(steps.values()) <= cost.seconds
    assert cost.events == 80 * 12 * 4
    assert cost.trained_on == f"all {cost.events:,} answers of all 80 learners"
    assert 0.1 * 2**30 < cost.peak_bytes < 8 * 2**30
    assert "romoted: " in cost.verdict
    assert "within 300 s and 8 GiB: yes" in told.stdout
    assert not (tmp_path / "home").exists()
