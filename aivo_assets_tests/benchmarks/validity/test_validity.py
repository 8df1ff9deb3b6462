"""A walk over made-up practice: nothing later is read, and the report says what it found."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from aivo_assets.benchmarks.simulated_school import simulated_school
from aivo_assets.benchmarks.validity.validity import measure_validity, reliability
from aivo_assets.benchmarks.validity.walk import Walked, WalkPlan, walk
from aivo_assets.cli.main import app
from aivo_assets.settings import Settings, TrainingSettings
from aivo_assets_tests.benchmarks.practice import QUICK
from aivo_assets_tests.benchmarks.validity.spread_answers import spread

PLAN = WalkPlan(learners=40, every=7, days=3, tried=20)


def settings(home: Path) -> Settings:
    training: TrainingSettings = QUICK.model_copy(update={"minimum_events": 100})
    return Settings(home=home, training=training)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    return walk(spread(), settings(tmp_path_factory.mktemp("walk")), PLAN)


def test_nobody_is_walked_with_who_fitted_the_brain(walked: Walked) -> None:
    assert walked.events["learner"].n_unique() == 40
    assert walked.train_learners == 40
    assert set(walked.recommendations["learner"]) <= set(walked.events["learner"])


def test_a_recommendation_reads_nothing_that_comes_after_its_day(walked: Walked, tmp_path: Path) -> None:
    second = walked.days[1]
    learners = walked.events["learner"].unique()
    flipped = spread().with_columns(
        correct=pl.when((pl.col("day") > second) & pl.col("learner").is_in(learners.implode()))
        .then(1 - pl.col("correct"))
        .otherwise("correct")
        .cast(pl.Int8)
    )
    other = walk(flipped, settings(tmp_path), PLAN)
    until, after = pl.col("day") <= second, pl.col("day") > second
    assert other.recommendations.filter(until).equals(walked.recommendations.filter(until))
    assert not other.recommendations.filter(after).equals(walked.recommendations.filter(after))


def test_the_report_accounts_for_all_recommendations(walked: Walked) -> None:
    report = measure_validity(walked, every=7)
    assert sum(row.rows for row in report.kinds) == walked.recommendations.height
    assert sum(row.share for row in report.kinds) == pytest.approx(1)
    said = {row.name: row for row in report.reliability}
    assert set(said) == {"model", "calibrated"}
    assert sum(count for _, _, count in said["model"].bins) == said["model"].outcomes > 0


def test_most_counterfactuals_come_true_when_the_learner_does_it(walked: Walked) -> None:
    """Answers move the main brain by a cautious guess, and its trees may do otherwise; the clock is exact."""
    rows = walked.tried.with_columns(true=pl.col("came") == pl.col("named"))
    assert rows.height >= 10
    assert rows.filter(pl.col("named") == pl.col("kind")).is_empty()
    assert rows["came"].null_count() == 0
    assert rows["true"].sum() >= 0.6 * rows.height
    assert rows.filter(pl.col("way").is_in(["days", "rest"]))["true"].all()
    shown = {row.way: row.true.rows for row in measure_validity(walked, every=7).proofs}
    assert sum(shown.values()) == rows.height


def test_nothing_is_judged_on_few_learners(walked: Walked) -> None:
    report = measure_validity(walked, every=7)
    few = {row.verdict for row in report.comparisons if not row.gap.enough}
    assert few == {"too few"}
    assert "too few" not in {row.verdict for row in report.comparisons if row.gap.enough}


def test_groups_come_into_the_report(walked: Walked) -> None:
    groups = pl.DataFrame({"learner": walked.events["learner"].unique().sort(), "half": "one"})
    report = measure_validity(walked, every=7, groups=groups)
    assert [(row.attribute, row.group) for row in report.groups] == [("half", "one")]
    assert report.groups[0].error.lower <= report.groups[0].error.value <= report.groups[0].error.upper


def test_simulated_learners_come_with_who_they_are() -> None:
    events, people = simulated_school(learners=40, days=3, seed=1)
    assert set(events["learner"]) <= set(people["learner"])
    assert events["learner"].n_unique() > 20
    assert {"female", "male"} <= set(people["gender"])
    again, _ = simulated_school(learners=40, days=3, seed=1)
    assert again.equals(events)


@pytest.mark.parametrize("asked", [[], ["answers.parquet", "--simulator"]])
def test_it_wants_a_file_or_the_simulator(asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("answers.parquet").touch()
    told = CliRunner().invoke(app, ["benchmark", "validity", *asked])
    assert told.exit_code != 0
    assert "either FILE or --simulator" in str(told.exception) + told.output


def test_reliability_by_hand() -> None:
    rows = pl.DataFrame({"learner": list("abcd"), "said": [0.25, 0.25, 0.85, 0.85], "held": [False, True, True, True]})
    found = reliability(rows, "said", "any")
    assert found.ece == pytest.approx((abs(0.25 - 0.5) + abs(0.85 - 1.0)) / 2)
    assert found.bins == ((0.25, 0.5, 2), (0.85, 1.0, 2))
    assert found.brier == pytest.approx((0.0625 + 0.5625 + 2 * 0.0225) / 4)


def test_the_command_prints_writes_and_lets_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIVO_TRAINING_MAX_ITERATIONS", "5")
    monkeypatch.setenv("AIVO_TRAINING_MIN_SAMPLES_LEAF", "20")
    file, out = tmp_path / "answers.parquet", tmp_path / "out.json"
    spread().select(user_id="learner", item_id="item_id", correct="correct", ts="occurred_at").write_parquet(file)
    asked = ["--learners", "30", "--days", "2", "--json", str(out), "--read", "1"]
    told = CliRunner().invoke(app, ["benchmark", "validity", str(file), *asked], catch_exceptions=False)
    assert told.exit_code == 0
    for expected in ("Against matched learners", "Reliability", "30 learners, 2 as-of days", "before:", "teacher:"):
        assert expected in told.stdout
    assert json.loads(out.read_text())["asked"]["policy"] == "success_zone"
