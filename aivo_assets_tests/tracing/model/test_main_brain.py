"""The main brain learns what is there, says it as probabilities that hold, and refuses what it was not made for."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from aivo_assets.errors import ModelError
from aivo_assets.tracing.fold.schema import FeatureSchema, FeatureTable
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.model.scores import Scores
from aivo_assets.tracing.model.trees.boosting import Progress, fit_boosted
from aivo_assets_tests.tracing.synthetic_school import NAMES, QUICK, School, school


@pytest.fixture(scope="module")
def taught() -> tuple[School, MainBrain]:
    made = school()
    return made, made.fit()


def with_schema(table: FeatureTable, names: tuple[str, ...], meaning: str = "other") -> FeatureTable:
    values = np.zeros((table.height, len(names)), dtype=np.float32)
    return FeatureTable(table.keys, values, FeatureSchema(names, meaning))


def test_it_comes_near_the_truth_on_later_events(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    rows = made.split.evaluate
    said = brain.predict(made.table.take(rows))
    assert np.corrcoef(said, made.truth[rows])[0, 1] > 0.9
    best = Scores.of(made.table.target[rows], made.truth[rows])
    assert Scores.of(made.table.target[rows], said).log_loss < best.log_loss + 0.04


def test_probabilities_are_float64_and_never_certain(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    said = brain.predict(made.table)
    assert said.dtype == np.float64
    assert said.shape == (made.table.height,)
    assert 1e-6 <= said.min() <= said.max() <= 1 - 1e-6


def test_unknown_features_are_answered(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    unknown = FeatureTable(made.table.keys[:3], np.full((3, len(NAMES)), np.nan, np.float32), made.table.schema)
    assert np.isfinite(brain.predict(unknown)).all()


def test_no_rows_give_no_probabilities(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    assert brain.predict(made.table.take(np.array([], dtype=np.intp))).shape == (0,)


def test_the_same_data_and_seed_give_the_same_bits_on_any_number_of_threads(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    with threadpool_limits(limits=2, user_api="openmp"):
        together = made.fit()
        said_together = together.predict(made.table)
    assert (said_together == brain.predict(made.table)).all()
    assert together.fingerprint == brain.fingerprint


def test_the_fingerprint_changes_with_whatever_made_the_model(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    others = [
        made.fit(data="v2").fingerprint,
        made.fit(code="c2").fingerprint,
        made.fit(QUICK.model_copy(update={"seed": 1})).fingerprint,
        made.fit(QUICK.model_copy(update={"max_leaves": 9})).fingerprint,
    ]
    assert len({brain.fingerprint, *others}) == 5
    assert made.fit(QUICK.model_copy(update={"minimum_hours_between": 1.0})).fingerprint == brain.fingerprint


def test_several_models_are_averaged_on_the_logit(taught: tuple[School, MainBrain]) -> None:
    made, _ = taught
    brain = made.fit(QUICK.model_copy(update={"models": 3, "calibration": "none"}))
    logits = np.mean([trees.decision_function(made.table.values) for trees in brain.estimators], axis=0)
    assert len({boosted.held_out_log_loss for boosted in brain.summary.boosted}) == 3
    np.testing.assert_allclose(brain.predict(made.table), 1 / (1 + np.exp(-logits)), rtol=1e-12)


def test_boosting_ends_on_learners_it_does_not_see(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    (boosted,) = brain.summary.boosted
    assert boosted.held_out == "learners"
    shuffled = school(seed=2)
    noise = shuffled.with_answers(np.random.default_rng(0).integers(0, 2, shuffled.table.height).astype(np.int8))
    assert noise.fit(QUICK.model_copy(update={"max_iterations": 200})).summary.boosted[0].rounds < 30
    assert boosted.held_out_events == pytest.approx(0.1 * made.split.fit.size, rel=0.6)


def test_a_handful_of_learners_hold_out_their_latest_events() -> None:
    few = school(learners=6, days=60, a_day=4)
    (boosted,) = few.fit().summary.boosted
    assert boosted.held_out == "latest events"
    assert boosted.held_out_events == pytest.approx(0.1 * few.split.fit.size, rel=0.2)


@pytest.mark.parametrize("known", [0, 3])
def test_a_feature_that_nobody_or_nearly_nobody_knows_is_ignored(taught: tuple[School, MainBrain], known: int) -> None:
    made, _ = taught
    values = made.table.values.copy()
    values[known:, NAMES.index("noise")] = np.nan
    table = FeatureTable(made.table.keys, values, made.table.schema)
    brain = School(table, made.statistics, made.split, made.truth).fit()
    assert brain.summary.boosted[0].ignored == ("noise",)
    assert (brain.predict(table) == brain.predict(made.table)).all()


def test_a_monotone_feature_only_raises_the_probability(taught: tuple[School, MainBrain]) -> None:
    made, _ = taught
    brain = made.fit(QUICK.model_copy(update={"monotone": {"noise": 1}}))
    rows = np.repeat(made.table.values[:1], 50, axis=0)
    rows[:, NAMES.index("noise")] = np.linspace(-3, 3, 50)
    said = brain.predict(FeatureTable(made.table.keys[:50], rows, made.table.schema))
    assert (np.diff(said) >= 0).all()


def test_a_constraint_on_no_feature_is_refused(taught: tuple[School, MainBrain]) -> None:
    with pytest.raises(ModelError, match="names what is no feature: abilty"):
        taught[0].fit(QUICK.model_copy(update={"monotone": {"abilty": 1}}))


def test_answers_of_one_kind_are_refused(taught: tuple[School, MainBrain]) -> None:
    made = taught[0]
    with pytest.raises(ModelError, match="all right or all wrong"):
        made.with_answers(np.ones(made.table.height, np.int8)).fit()


def test_every_mismatch_of_the_features_is_listed(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    offered = ("learner_opportunities", "item_difficulty", "ability_hint", "pace", "mood")
    with pytest.raises(ModelError) as refused:
        brain.predict(with_schema(made.table, offered))
    for sentence in (
        "learner_win_rate is missing",
        "noise is missing",
        "pace is unexpected",
        "mood is unexpected",
        "item_difficulty moved from column 0 to 1",
        "learner_opportunities moved from column 1 to 0",
    ):
        assert sentence in refused.value.what
    assert "ability_hint" not in refused.value.what


def test_features_of_the_same_names_and_another_meaning_are_refused(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    with pytest.raises(ModelError, match="what they mean has changed"):
        brain.predict(with_schema(made.table, NAMES))


def test_training_reports_its_progress(taught: tuple[School, MainBrain], monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = taught
    monkeypatch.setattr("aivo_assets.tracing.model.trees.boosting.SECONDS_BETWEEN_REPORTS", 0.001)
    settings = QUICK.model_copy(update={"max_iterations": 150, "patience": 150, "learning_rate": 0.01})
    seen: list[Progress] = []
    fit_boosted(made.table, made.split.fit, settings, model=0, report=seen.append)
    assert [each.rounds for each in seen] == sorted({each.rounds for each in seen})
    assert 0 < seen[0].rounds <= 150
    assert seen[-1].held_out_log_loss < seen[0].held_out_log_loss


def test_a_report_that_fails_fails_the_training(
    taught: tuple[School, MainBrain], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = taught
    monkeypatch.setattr("aivo_assets.tracing.model.trees.boosting.SECONDS_BETWEEN_REPORTS", 0.001)

    def fail(progress: Progress) -> None:
        raise OSError("nobody listens")

    with pytest.raises(OSError, match="nobody listens"):
        fit_boosted(made.table, made.split.fit, QUICK, model=0, report=fail)


def test_the_summary_says_what_was_seen(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    times = made.table.keys["occurred_at"]
    assert brain.summary.unseen_from == times[made.split.evaluate].min()
    assert brain.summary.first_event == times.min()
    assert (
        brain.summary.fit_events + brain.summary.calibrate_events + brain.summary.evaluate_events == made.table.height
    )
    assert brain.summary.after_calibration.log_loss <= brain.summary.before_calibration.log_loss + 1e-9
