"""Student models kept up with the states: a learner's model in force is the one that a full build would give him."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import StudentSettings
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.fold.statistics import Statistics, fit_statistics
from aivo_assets.tracing.students.model_store import (
    ModelBuilder,
    mastery_in_force,
    models_sequence,
    stage_some,
    students_in_force,
    update_models,
)
from aivo_assets.tracing.students.state_store import StateStore
from aivo_assets.tracing.students.state_update import update
from aivo_assets.tracing.students.student_models import Brain, StudentModels, build_student_models
from aivo_assets_tests.tracing.arrivals import land
from aivo_assets_tests.tracing.histories import school
from aivo_assets_tests.tracing.students.test_state_update import SETTINGS, folder
from aivo_assets_tests.tracing.students.test_student_models import LEVELS, filtered

HISTORY = school(8, 20, 3).with_columns(shard=pl.lit(0, pl.Int32))
EVERYTHING = pl.Series([True] * HISTORY.height)
DAYS = HISTORY["day"].unique().sort()
LAST = HISTORY["day"] == DAYS[-1]
STUDENTS = StudentSettings()
ENROLLED = HISTORY.select("learner", "shard").unique().sort("learner")


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    return fit_statistics(school(20, 20, 99), SETTINGS)


@pytest.fixture
def lake(tmp_path, statistics) -> Lake:
    """One shard with all but the last day folded, and everybody's models as of the day before the last."""
    made = Lake(tmp_path / "lake", shards=1)
    land(made, HISTORY, there=~LAST, before=LAST & ~LAST)
    fold_and_make(made, statistics, DAYS[-2])
    return made


def maker(statistics: Statistics, day: date, version: str = "1") -> ModelBuilder:
    brain = Brain(filtered, statistics, SETTINGS, version)
    as_of = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=UTC)

    def build(states: LearnerStates, strangers: pl.DataFrame) -> StudentModels:
        return build_student_models(states, brain, LEVELS, as_of, STUDENTS, day=day, learners=strangers)

    return ModelBuilder(build, version, LEVELS)


def fold_and_make(lake, statistics, day, enrolled=ENROLLED, **how):
    update(lake, StateStore(lake), 0, lake.parts(ANONYMISED_INTERACTIONS)[0], folder(statistics))
    return update_models(lake, StateStore(lake), 0, maker(statistics, day, **how), enrolled, day=day)


def in_force(lake: Lake, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    return students_in_force(lake, until=day).collect(), mastery_in_force(lake, until=day).collect()


def test_only_who_has_new_answers_gets_a_new_model_and_it_is_that_of_a_full_build(lake, statistics):
    before = in_force(lake, DAYS[-1])
    land(lake, HISTORY, there=EVERYTHING, before=~LAST)
    done = fold_and_make(lake, statistics, DAYS[-1])
    active = HISTORY.filter(LAST)["learner"].unique()
    assert (done.learners, done.whole) == (len(active), False)
    full = maker(statistics, DAYS[-1]).build(StateStore(lake).read(0), ENROLLED)
    his = pl.col("learner").is_in(active.implode())
    for now, then, whole in zip(in_force(lake, DAYS[-1]), before, (full.learners, full.skills), strict=True):
        assert now.filter(his).equals(whole.filter(his))
        assert now.filter(~his).equals(then.filter(~his))
        assert now["learner"].n_unique() == ENROLLED.height


def some(lake, statistics, asked, day, **how):
    names = pl.Series("learner", asked)
    made = stage_some(lake, StateStore(lake), 0, maker(statistics, day, **how), ENROLLED, names, day=day)
    lake.commit(made.staged)
    return made


def test_some_learners_alone_get_todays_model_and_again_the_same(lake, statistics):
    before, asked = in_force(lake, DAYS[-1]), ENROLLED["learner"].to_list()[2:4]
    assert some(lake, statistics, asked, DAYS[-1]).learners == 2
    version = lake.version(STUDENT_MODELS, days=[DAYS[-1]]), lake.version(SKILL_MASTERY, days=[DAYS[-1]])
    full = maker(statistics, DAYS[-1]).build(StateStore(lake).read(0), ENROLLED)
    theirs = pl.col("learner").is_in(asked)
    for now, then, whole in zip(in_force(lake, DAYS[-1]), before, (full.learners, full.skills), strict=True):
        assert now.filter(theirs).equals(whole.filter(theirs))
        assert now.filter(~theirs).equals(then.filter(~theirs))
    some(lake, statistics, asked, DAYS[-1])
    assert (lake.version(STUDENT_MODELS, days=[DAYS[-1]]), lake.version(SKILL_MASTERY, days=[DAYS[-1]])) == version


def test_what_is_due_for_others_stays_due_after_some_were_made(lake, statistics):
    land(lake, HISTORY, there=EVERYTHING, before=~LAST)
    update(lake, StateStore(lake), 0, lake.parts(ANONYMISED_INTERACTIONS)[0], folder(statistics))
    active = HISTORY.filter(LAST)["learner"].unique().to_list()
    asked = [active[0], next(name for name in ENROLLED["learner"] if name not in active)]
    assert some(lake, statistics, asked, DAYS[-1]).learners == 2
    assert fold_and_make(lake, statistics, DAYS[-1]).learners == len(active)
    assert some(lake, statistics, asked, DAYS[-1], version="2").learners == 2
    assert fold_and_make(lake, statistics, DAYS[-1], version="2").whole


def test_where_no_models_are_none_are_made_of_some(tmp_path, statistics):
    made = Lake(tmp_path / "lake", shards=1)
    land(made, HISTORY, there=EVERYTHING, before=LAST & ~LAST)
    update(made, StateStore(made), 0, made.parts(ANONYMISED_INTERACTIONS)[0], folder(statistics))
    assert some(made, statistics, ENROLLED["learner"].to_list(), DAYS[-1]).learners == 0
    assert made.days(STUDENT_MODELS) == []


def test_a_second_update_changes_nothing(lake, statistics):
    land(lake, HISTORY, there=EVERYTHING, before=~LAST)
    fold_and_make(lake, statistics, DAYS[-1])
    before = in_force(lake, DAYS[-1])
    assert fold_and_make(lake, statistics, DAYS[-1]).learners == 0
    for now, then in zip(in_force(lake, DAYS[-1]), before, strict=True):
        assert now.equals(then)


def test_a_learner_who_enrols_without_an_answer_gets_the_populations_model_once(lake, statistics):
    more = pl.concat([ENROLLED, pl.DataFrame({"learner": ["new"], "shard": [0]}, schema=dict(ENROLLED.schema))])
    assert fold_and_make(lake, statistics, DAYS[-1], more).learners == 1
    assert fold_and_make(lake, statistics, DAYS[-1], more).learners == 0
    students, mastery = in_force(lake, DAYS[-1])
    assert students.filter(pl.col("learner") == "new")["events"].to_list() == [0]
    assert mastery.filter(pl.col("learner") == "new").height > 0


def test_a_new_champion_or_other_levels_make_everybody_anew(lake, statistics):
    assert fold_and_make(lake, statistics, DAYS[-1], version="2").whole
    other = ModelBuilder(maker(statistics, DAYS[-1]).build, "2", LEVELS.with_columns(pl.col("difficulty") + 0.5))
    assert update_models(lake, StateStore(lake), 0, other, ENROLLED, day=DAYS[-1]).whole
    assert set(in_force(lake, DAYS[-1])[0]["model_version"]) == {"1"}


def test_merged_layers_are_no_change_but_states_folded_from_nothing_are(lake, statistics):
    land(lake, HISTORY, there=EVERYTHING, before=~LAST)
    update(lake, StateStore(lake), 0, lake.parts(ANONYMISED_INTERACTIONS)[0], folder(statistics))
    states = StateStore(lake).read(0)
    StateStore(lake).compact(0, models_sequence(lake, StateStore(lake), 0, until=DAYS[-1]))  # the models lag behind
    done = fold_and_make(lake, statistics, DAYS[-1])
    assert (done.whole, done.learners) == (False, HISTORY.filter(LAST)["learner"].n_unique())
    StateStore(lake).compact(0, models_sequence(lake, StateStore(lake), 0, until=DAYS[-1]))
    assert StateStore(lake).read(0).equals(states)
    assert fold_and_make(lake, statistics, DAYS[-1]).learners == 0
    parts = lake.parts(ANONYMISED_INTERACTIONS)[0]
    update(lake, StateStore(lake), 0, parts, folder(statistics, champion="2"))
    assert update_models(lake, StateStore(lake), 0, maker(statistics, DAYS[-1]), ENROLLED, day=DAYS[-1]).whole


def test_the_models_of_an_earlier_day_are_still_there(lake, statistics):
    then = in_force(lake, DAYS[-2])
    land(lake, HISTORY, there=EVERYTHING, before=~LAST)
    fold_and_make(lake, statistics, DAYS[-1])
    for now, before in zip(in_force(lake, DAYS[-2]), then, strict=True):
        assert now.equals(before)
