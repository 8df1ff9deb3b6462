"""Better on the whole and worse for a group of people is not better: real models, trained on what harms one grade."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from aivo_assets.settings import PromotionSettings
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.judging.evaluation import Holdout, hold_out
from aivo_assets.tracing.judging.promotion import Contender, Finding, Verdict, decide
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets_tests.tracing.synthetic_school import NAMES, QUICK, School, school

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
DAY = date(2026, 2, 28)
SETTINGS = PromotionSettings(
    minimum_events=500, slice_minimum_events=150, slice_minimum_learners=10, calibration_limit=1.0
)
WEAK = QUICK.model_copy(update={"max_iterations": 2, "learning_rate": 0.05})


@pytest.fixture(scope="module")
def made() -> School:
    """A school in which one feature tells the grade: one learner in five is in grade 8."""
    plain = school()
    values = plain.table.values.copy()
    values[:, NAMES.index("noise")] = grade_8(plain)
    return School(
        FeatureTable(plain.table.keys, values, plain.table.schema), plain.statistics, plain.split, plain.truth
    )


def grade_8(made: School) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return (made.table.keys["learner"].str.slice(-4).cast(pl.Int32) % 5 == 0).to_numpy()


def attributes(made: School) -> pl.DataFrame:
    number = pl.col("learner").str.slice(-4).cast(pl.Int32)
    return (
        made.table.keys.select("learner")
        .unique()
        .with_columns(
            grade=pl.when(number % 5 == 0).then(pl.lit("8")).otherwise(pl.lit("7")),
            region=pl.when(number < 60).then(pl.lit("*")).otherwise(pl.lit("north")),
            gender=pl.when(number < 5).then(pl.lit("f")).otherwise(pl.lit("*")),
        )
    )


def holdout_of(made: School) -> Holdout:
    return hold_out(made.table.keys, made.split, made.statistics, SETTINGS, attributes=attributes(made))


def contender(made: School, brain: MainBrain) -> Contender:
    said = brain.predict(made.table.take(made.split.evaluate))
    return Contender(brain.fingerprint, DAY, brain.summary.unseen_from, said)


def verdict_on(made: School, challenger: MainBrain, champion: MainBrain) -> Verdict:
    ours, theirs = contender(made, challenger), contender(made, champion)
    return decide(holdout_of(made), ours, theirs, SETTINGS, now=NOW)


def flipped(made: School, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> School:
    """The school with the answers of some fit rows turned round."""
    correct = made.table.keys["correct"].to_numpy().copy()
    fit = made.split.fit[rows[made.split.fit]]
    correct[fit] = 1 - correct[fit]
    return made.with_answers(correct)


def failed(verdict: Verdict) -> list[Finding]:
    return [finding for finding in verdict.findings if not finding.passed]


def test_a_challenger_worse_for_one_grade_is_refused_though_better_on_the_whole(made: School) -> None:
    harmful = flipped(made, grade_8(made)).fit(data="grade 8 flipped")
    verdict = verdict_on(made, harmful, made.fit(WEAK))
    assert {finding.check for finding in failed(verdict)} == {"slice"}
    assert "grade = 8" in {finding.about for finding in failed(verdict)}
    assert "grade = 7" not in {finding.about for finding in failed(verdict)}
    assert verdict.difference is not None
    assert verdict.difference.upper < 0
    assert "for grade = 8 (" in verdict.reason


def test_the_same_challenger_without_the_harm_is_promoted(made: School) -> None:
    verdict = verdict_on(made, made.fit(), made.fit(WEAK))
    assert verdict.promote
    assert {"grade = 7", "grade = 8", "subject = algebra", "subject = geometry"} <= {
        finding.about for finding in verdict.findings
    }


def test_a_challenger_of_flipped_answers_is_refused_against_a_champion(made: School) -> None:
    everybody = np.ones(made.table.height, dtype=np.bool_)
    verdict = verdict_on(made, flipped(made, everybody).fit(data="flipped"), made.fit(WEAK))
    assert not verdict.promote
    assert "worse than that of the champion" in verdict.reason
    assert {"grade = 7", "grade = 8"} <= {finding.about for finding in failed(verdict)}


def test_suppressed_attributes_are_no_group_and_small_groups_are_left_out(made: School) -> None:
    groups = {(part.kind, part.value) for part in holdout_of(made).slices}
    assert ("region", "north") in groups
    assert not {group for group in groups if group[1] == "*" or group[0] == "gender"}
