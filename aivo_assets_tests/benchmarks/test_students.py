"""The lake of the students benchmark, and its checks, small."""

from pathlib import Path

import polars as pl
import pytest

from aivo_assets.benchmarks.student_lake import SchoolLake, Size
from aivo_assets.benchmarks.students import StudentsReport, measure_students
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings

SIZE = Size(learners=240, events_per_learner=20, new_events=200, new_learners=50, days=10)


def test_the_past_has_every_learners_answers_in_order_and_again_the_same() -> None:
    days = [events for _, events in SchoolLake(SIZE, 4).past()]
    past = pl.concat(days)
    assert dict(past.schema) == dict(ANONYMISED_INTERACTIONS.schema)
    assert past.group_by("learner").len()["len"].unique().to_list() == [20]
    assert past["learner"].n_unique() == SIZE.learners
    assert past["event"].is_unique().all()
    places = past.group_by("learner", "day").agg(pl.col("sequence").sort()).explode("sequence")
    assert (places["sequence"] == places.select(pl.int_range(pl.len()).over("learner", "day"))["literal"]).all()
    assert past["gap_s"].is_null().equals(past["sequence"] == 0)
    assert pl.concat([events for _, events in SchoolLake(SIZE, 4).past()]).equals(past)


def test_each_check_brings_answers_of_other_learners() -> None:
    school = SchoolLake(SIZE, 4)
    first, second = school.today(0), school.today(1)
    assert first.height == second.height == SIZE.new_events
    assert first["learner"].n_unique() == second["learner"].n_unique() == SIZE.new_learners
    assert not set(first["learner"]) & set(second["learner"])


@pytest.mark.slow
def test_every_check_folds_its_own_events_and_rebuilds_the_late_ones(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"home": tmp_path, "training": {"max_iterations": 5, "minimum_events": 500, "min_samples_leaf": 20}}
    )
    cost = measure_students(SIZE, settings, tmp_path / "lake", checks=2, late=3, say=lambda _: None)
    assert [(check.events, check.learners) for check in cost.checks] == [
        (200, 50),
        (200, 50),
        (cost.checks[2].events, 3),
    ]
    # A late answer on a day that its shard had no answer on is folded as a new part, and not counted as late.
    assert [check.late for check in cost.checks[:2]] == [0, 0]
    assert 1 <= cost.checks[2].late <= 3
    assert all(check.skills >= check.learners for check in cost.checks)
    assert "late learners" in StudentsReport(asked={}, lakes=(cost,)).text()
    assert not (tmp_path / "lake").exists()
