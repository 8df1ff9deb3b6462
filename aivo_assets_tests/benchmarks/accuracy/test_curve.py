"""Accuracy against size: same test learners, fewer training learners, every size in a process of its own."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from aivo_assets.benchmarks.accuracy.accuracy import MAIN_BRAIN, Contest, measure_accuracy
from aivo_assets.benchmarks.accuracy.curve import Curve, sizes_of
from aivo_assets.benchmarks.child import in_own_process
from aivo_assets.benchmarks.machine import peak_bytes
from aivo_assets.benchmarks.partitions import parts_by_learner
from aivo_assets.cli.main import app
from aivo_assets.errors import ModelError, RunError, SettingsError
from aivo_assets_tests.benchmarks.practice import QUICK, practice

LEARNERS, EACH = 60, 20


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Curve]:
    """What the command says of half and all of a file, and what it writes."""
    folder = tmp_path_factory.mktemp("curve")
    given = {
        f"AIVO_TRAINING_{name.upper()}": str(value) for name, value in QUICK.model_dump(exclude_defaults=True).items()
    }
    file, out = folder / "answers.parquet", folder / "out.json"
    practice(LEARNERS, EACH).write_parquet(file)
    command = ["benchmark", "curve", str(file), "--sizes", "1/2, 1", "--folds", "3", "--fold", "1", "--json", str(out)]
    result = CliRunner(env={"AIVO_HOME": str(folder / "home"), **given}).invoke(app, command, catch_exceptions=False)
    return result, Curve.model_validate_json(out.read_text())


def test_every_size_predicts_the_same_learners_and_trains_on_whole_ones(told: tuple[Result, Curve]) -> None:
    half, whole = (point.part for point in told[1].points)
    assert [point.size for point in told[1].points] == ["1/2", "1"]
    assert (half.test_events, half.test_learners) == (whole.test_events, whole.test_learners)
    assert whole.train_events + whole.test_events == LEARNERS * EACH
    assert half.train_events == half.train_learners * EACH
    assert half.train_learners == whole.train_learners // 2


def test_the_whole_size_is_what_the_accuracy_benchmark_says(told: tuple[Result, Curve], tmp_path: Path) -> None:
    """To the last bit, although another process read the events back from a file."""
    from aivo_assets.benchmarks.interactions import read_interactions

    practice(LEARNERS, EACH).write_parquet(tmp_path / "answers.parquet")
    events = read_interactions(tmp_path / "answers.parquet")
    parts = list(parts_by_learner(events, folds=3, seed=0, only=1))
    (plain,) = measure_accuracy(parts, Contest(training=QUICK, best_lr=False)).parts
    assert told[1].points[-1].part.models == plain.models
    assert plain.models[0].name == MAIN_BRAIN


def test_the_table_names_size_scores_and_cost(told: tuple[Result, Curve]) -> None:
    shown = told[0].stdout
    scores = told[1].points[0].part.models[0].scores
    (row,) = (line for line in shown.splitlines() if line.startswith("| 1/2 |"))
    assert f"{scores.auc:.4f} | {scores.log_loss:.4f} | {scores.ece:.4f}" in row
    for expected in ("answers.parquet", "fold: 1 of 3", "peak memory GiB", "lightgbm", "of the same "):
        assert expected in shown
    assert json.loads(told[1].model_dump_json())["asked"]["seed"] == "0"


def test_a_process_of_its_own_has_the_peak_of_its_own() -> None:
    held = np.ones(50_000_000)  # 400 MB here are no memory of the child
    assert peak_bytes() > held.nbytes
    assert in_own_process(peak_bytes) < held.nbytes
    assert in_own_process(_peak_after, 50_000_000) > held.nbytes


def _peak_after(numbers: int) -> int:
    assert np.ones(numbers).sum() == numbers
    return peak_bytes()


def _refuse() -> None:
    raise ModelError("no model", fix="none")


def test_what_the_process_raises_is_raised_here_and_one_that_dies_is_told() -> None:
    with pytest.raises(ModelError, match="no model"):
        in_own_process(_refuse)
    with pytest.raises(RunError, match="The process of _exit ended with code 9"):
        in_own_process(os._exit, 9)


@pytest.mark.parametrize("text", ["0", "1/0", "2", "half", "1/2,", "-1/2"])
def test_a_size_that_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="is no share above 0 and up to 1"):
        sizes_of(text)
