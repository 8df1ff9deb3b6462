"""`aivo benchmark` on a file of nobody's in particular."""

import json
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from aivo_assets.cli.benchmark import commands as benchmarks
from aivo_assets.errors import SettingsError, SourceError
from aivo_assets_tests.benchmarks.practice import practice

app = typer.Typer()
benchmarks.add_to(app)


@app.callback()
def _root() -> None:
    """A command of several."""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIVO_TRAINING_MAX_ITERATIONS", "5")
    monkeypatch.setenv("AIVO_TRAINING_MIN_SAMPLES_LEAF", "20")
    answers = practice(30, 20).select(
        pl.col("learner").alias("user_id"), "item_id", "correct", pl.col("occurred_at").alias("ts"), mood=pl.lit("x")
    )
    answers.with_columns(pl.col("ts").dt.to_string("iso:strict")).write_csv(tmp_path / "answers.csv")
    return tmp_path / "answers.csv"


def test_accuracy_prints_and_writes_one_fold(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    command = ["benchmark", "accuracy", str(file), "--folds", "3", "--fold", "1", "--json", str(out)]
    told = CliRunner().invoke(app, command, catch_exceptions=False)
    assert told.exit_code == 0
    for expected in ("main brain", "Best-LR", "cold start", "audit passed", "answers.csv", "lightgbm"):
        assert expected in told.stdout
    written = json.loads(out.read_text())
    assert [part["name"] for part in written["report"]["parts"]] == ["fold 1"]
    assert written["report"]["asked"]["seed"] == "0"


def test_features_prints_rows_a_second(file: Path) -> None:
    told = CliRunner().invoke(app, ["benchmark", "features", str(file), "--repeat", "1"], catch_exceptions=False)
    assert "600 events of 30 learners to 74 features" in told.stdout


def test_what_cannot_be_asked_is_refused_before_anything_is_fitted(file: Path) -> None:
    with pytest.raises(SourceError, match="--test cannot be combined with --protocol time or --fold"):
        CliRunner().invoke(
            app, ["benchmark", "accuracy", str(file), "--test", str(file), "--fold", "0"], catch_exceptions=False
        )
    with pytest.raises(SettingsError, match="There is no peer 'akt'"):
        CliRunner().invoke(app, ["benchmark", "accuracy", str(file), "--peer", "akt"], catch_exceptions=False)
