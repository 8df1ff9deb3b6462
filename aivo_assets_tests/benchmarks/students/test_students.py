"""The lake of the students benchmark, and its checks, small."""

from pathlib import Path

import polars as pl
import pytest

from aivo_assets.benchmarks.students.student_lake import SchoolLake, Size
from aivo_assets.benchmarks.students.students import StudentsReport, measure_students
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


def test_a_late_answer_lies_before_all_others_of_its_learners_day() -> None:
    school = SchoolLake(SIZE, 4)
    day, before = list(school.past())[5]
    after = school.one_more(day, before, 3)
    late = after.join(before, on="event", how="anti")
    assert late["learner"].n_unique() == late.height == 3
    assert late["sequence"].to_list() == [0, 0, 0]
    theirs = after.filter(pl.col("learner").is_in(late["learner"].implode())).sort("learner", "sequence")
    known = theirs.join(late, on="event", how="anti")
    assert known.filter(sequence=1)["gap_s"].to_list() == [60, 60, 60]
    content = [name for name in before.columns if name not in ("sequence", "gap_s")]
    assert after.join(late, on="event", how="anti").select(content).equals(before.select(content))
    assert all(times.is_sorted() for times in theirs.group_by("learner").agg("occurred_at")["occurred_at"])


@pytest.mark.slow
def test_every_check_folds_its_own_events_and_rebuilds_the_late_ones(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"home": tmp_path, "training": {"max_iterations": 5, "minimum_events": 500, "min_samples_leaf": 20}}
    )
    cost = measure_students(SIZE, settings, tmp_path / "lake", checks=2, late=3, say=lambda _: None)
    folded = [(check.events, check.learners, check.late) for check in cost.checks]
    # A late learner's whole past is folded anew: his 20 answers, those of the checks, and the late one.
    assert folded[:2] == [(200, 50, 0), (200, 50, 0)]
    assert folded[2][1:] == (3, 3)
    assert folded[2][0] in {3 * 21 + 4 * checked for checked in range(4)}
    assert all(check.skills >= check.learners for check in cost.checks)
    assert cost.signals.rows > SIZE.learners
    assert "late learners" in StudentsReport(asked={}, lakes=(cost,)).text()
    assert not (tmp_path / "lake").exists()
