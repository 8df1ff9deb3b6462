"""An evaluation says how good a model is on later events, for whom, and beside what costs nothing."""

import numpy as np
import polars as pl
import pytest

from aivo_assets.errors import ModelError
from aivo_assets.settings import PromotionSettings
from aivo_assets.tracing.card.plots import days_png, reliability_png
from aivo_assets.tracing.judging.evaluation import Evaluation, evaluate, hold_out, score
from aivo_assets.tracing.judging.slices import find_slices
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.model.scores import losses
from aivo_assets.tracing.model.splits import split_by_time
from aivo_assets_tests.tracing.synthetic_school import QUICK, School, school

SETTINGS = PromotionSettings(slice_minimum_events=20, slice_minimum_learners=5)


@pytest.fixture(scope="module")
def taught() -> tuple[School, MainBrain]:
    made = school()
    return made, made.fit()


def attributes(made: School) -> pl.DataFrame:
    """Learners 0000 to 0003 have a gender that is suppressed, 0004 is unknown altogether."""
    learners = made.table.keys["learner"].unique().sort()
    frame = pl.DataFrame({"learner": learners, "shard": [0] * len(learners)}).with_row_index()
    return (
        frame.with_columns(
            pl.when(pl.col("index") < 4).then(None).otherwise(pl.lit("f")).alias("gender"),
            pl.when(pl.col("index") % 3 == 0).then(pl.lit("7")).otherwise(pl.lit("8")).alias("grade"),
        )
        .filter(pl.col("index") != 4)
        .drop("index")
    )


def test_the_model_beats_item_difficulty_which_beats_a_constant(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    evaluation = evaluate(brain, made.table, made.split, SETTINGS)
    difficulty, constant = evaluation.baselines["item_difficulty"], evaluation.baselines["constant"]
    assert evaluation.scores.log_loss < difficulty.log_loss < constant.log_loss
    assert constant.auc == 0.5
    assert evaluation.scores.events == made.split.evaluate.size
    assert evaluation.learners == 120
    assert sum(part.events for part in evaluation.reliability) == evaluation.scores.events
    assert sum(day.events for day in evaluation.days) == evaluation.scores.events
    assert evaluation.since == made.split.evaluate_from


def test_the_constant_is_the_share_of_right_answers_of_the_fit_rows(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    holdout = hold_out(made.table.keys, made.split, brain.statistics, SETTINGS)
    assert set(holdout.baselines["constant"]) == {made.table.target[made.split.fit].mean()}


def test_item_difficulty_says_one_thing_per_item_and_something_of_unseen_ones(
    taught: tuple[School, MainBrain],
) -> None:
    made, brain = taught
    holdout = hold_out(made.table.keys, made.split, brain.statistics, SETTINGS)
    said = pl.DataFrame({"item_id": holdout.keys["item_id"], "said": holdout.baselines["item_difficulty"]})
    assert said.group_by("item_id").agg(pl.col("said").n_unique())["said"].unique().to_list() == [1]
    unseen = said.join(brain.statistics.items, on="item_id", how="anti")
    assert unseen.height > 0
    assert unseen["said"].n_unique() == 1
    ordered = said.unique().join(brain.statistics.items, on="item_id").sort("difficulty")["said"].to_numpy()
    assert (np.diff(ordered) <= 0).all()


def test_slices_hold_the_rows_they_name(taught: tuple[School, MainBrain]) -> None:
    made, _ = taught
    parts = {(part.kind, part.value): part for part in find_slices(made.table.keys, made.split, SETTINGS)}
    evaluated = made.table.keys[made.split.evaluate]
    fitted = set(made.table.keys["item_id"][made.split.fit])
    unseen = parts["items", "not seen in training"]
    assert unseen.rows.tolist() == [item not in fitted for item in evaluated["item_id"]]
    algebra = parts["subject", "algebra"]
    assert set(evaluated.filter(algebra.rows)["subject"]) == {"algebra"}
    assert algebra.rows.sum() + parts["subject", "geometry"].rows.sum() == evaluated.height
    assert ("experience", "first 10 answers of a learner") not in parts  # all have 72 answers by then


def test_cold_start_is_the_first_ten_answers_of_a_learner_in_the_order_of_events() -> None:
    """Learners `new` begin on the last day with 12 answers each, whose rows stand in reverse order."""
    old = school(days=20).table.keys
    last = old["day"].max()
    new = pl.concat(
        [
            old.filter(pl.col("day") == last)
            .head(1)
            .with_columns(pl.lit(f"new-{learner}").alias("learner"), pl.lit(sequence, pl.Int32).alias("sequence"))
            for learner in range(25)
            for sequence in reversed(range(12))
        ]
    )
    keys = pl.concat([new, old])
    split = split_by_time(keys, QUICK)
    (cold,) = (part for part in find_slices(keys, split, SETTINGS) if part.kind == "experience")
    chosen = keys[split.evaluate].filter(cold.rows)
    assert chosen.height == 250
    assert cold.learners == 25
    assert sorted(chosen["sequence"].unique()) == list(range(10))


def test_learners_are_sliced_by_what_is_known_of_them(taught: tuple[School, MainBrain]) -> None:
    made, _ = taught
    parts = find_slices(made.table.keys, made.split, SETTINGS, attributes=attributes(made))
    known = {(part.kind, part.value): part.learners for part in parts if part.kind in ("gender", "grade", "shard")}
    assert known == {("gender", "f"): 115, ("grade", "7"): 40, ("grade", "8"): 79}


def test_groups_too_small_to_speak_of_are_left_out(taught: tuple[School, MainBrain]) -> None:
    made, _ = taught
    few = PromotionSettings(slice_minimum_events=1, slice_minimum_learners=41)
    parts = find_slices(made.table.keys, made.split, few, attributes=attributes(made))
    assert ("grade", "7") not in {(part.kind, part.value) for part in parts}
    many = PromotionSettings(slice_minimum_events=10_000, slice_minimum_learners=1)
    assert find_slices(made.table.keys, made.split, many) == ()


def test_a_learner_with_two_rows_of_attributes_is_refused(taught: tuple[School, MainBrain]) -> None:
    made, _ = taught
    twice = pl.concat([attributes(made), attributes(made).head(3)])
    with pytest.raises(ModelError, match="3 learners have more than one row of attributes"):
        find_slices(made.table.keys, made.split, SETTINGS, attributes=twice)


def test_slices_are_scored_on_their_rows(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    evaluation = evaluate(brain, made.table, made.split, SETTINGS)
    (algebra,) = (part for part in evaluation.slices if part.value == "algebra")
    rows = made.table.keys[made.split.evaluate]["subject"].to_numpy() == "algebra"
    said = brain.predict(made.table.take(made.split.evaluate))[rows]
    correct = made.table.target[made.split.evaluate][rows]
    assert algebra.scores.log_loss == pytest.approx(losses(correct, said).mean())
    assert algebra.scores.events == rows.sum()


def test_a_model_is_not_evaluated_on_what_it_has_seen(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    earlier = split_by_time(
        made.table.keys, QUICK.model_copy(update={"evaluation_share": 0.3, "calibration_share": 0.2})
    )
    assert earlier.evaluate_from < made.split.evaluate_from
    with pytest.raises(ModelError, match="The model has seen events up to"):
        evaluate(brain, made.table, earlier, SETTINGS)


@pytest.mark.parametrize("spoilt", ["short", "nan", "above"])
def test_what_is_no_probability_of_each_event_is_refused(taught: tuple[School, MainBrain], spoilt: str) -> None:
    made, brain = taught
    holdout = hold_out(made.table.keys, made.split, brain.statistics, SETTINGS)
    said = np.full(holdout.correct.size, 0.5)
    said = said[:-1] if spoilt == "short" else np.append(said[:-1], np.nan if spoilt == "nan" else 1.1)
    with pytest.raises(ModelError, match="numbers between 0 and 1"):
        score(holdout, said, model="m")


def test_an_evaluation_is_the_same_after_being_written_down(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    evaluation = evaluate(brain, made.table, made.split, SETTINGS, attributes=attributes(made))
    assert Evaluation.model_validate_json(evaluation.model_dump_json()) == evaluation
    metrics = evaluation.metrics()
    assert metrics["log_loss"] == evaluation.scores.log_loss
    assert metrics["item_difficulty_auc"] == evaluation.baselines["item_difficulty"].auc


def test_pictures_are_small_pngs(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    evaluation = evaluate(brain, made.table, made.split, SETTINGS)
    for picture in (reliability_png(evaluation), days_png(evaluation)):
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 60_000
