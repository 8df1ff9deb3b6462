"""The assets of states and student models on a real registry: what a run folds, what it makes, what it compares."""

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from aivo_assets.adaptive.schema import ITEM_BANK, RECOMMENDATIONS
from aivo_assets.adaptive.signals.signals import compute_signals
from aivo_assets.adaptive.signals.signals_by_shard import assignments_of, signals_of
from aivo_assets.assets.students.learner_states import COMPARE, STATES_TAG, fold_learners, folded_once
from aivo_assets.assets.students.student_models import item_bank, newest, student_models
from aivo_assets.drift.schema import SCORED_EVENTS
from aivo_assets.engine import InProcess
from aivo_assets.lake import open_lake
from aivo_assets.operations.jobs.causes import Cause
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.tracing.students.model_store import mastery_in_force, students_in_force
from aivo_assets.tracing.students.state_store import StateStore
from aivo_assets_tests.tracing.judging.test_shadow_asset import FIRST_AS_OF, Stage
from aivo_assets_tests.tracing.small_lake import FIRST, events, filled, settings, trained_on

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
TRAINED, LEARNERS = FIRST_AS_OF, 60
Figures = dict[str, object]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A champion as of a day, and a lake that knows three days more; a third of the learners stay away on the last."""
    home: Path = tmp_path_factory.mktemp("home")
    given = settings(home)
    lake = open_lake(given)
    school = events(learners=LEARNERS, days=21)
    away = (pl.col("learner") < "learner-020") & (pl.col("day") == FIRST + timedelta(days=20))
    filled(lake, school.filter(~away))
    training = trained_on(lake, TRAINED, given)
    return Stage(home, given, (training, training))


def run(stage: Stage, day: date, **tags: str) -> tuple[dict[str, Figures], dict[str, dg.AssetCheckEvaluation]]:
    """Materialise as of a day; figures by asset, checks by name."""
    result = dg.materialize(
        [item_bank, fold_learners, student_models],
        resources={"settings": stage.settings, "lake": stage.lake, "registry": stage.registry, "engine": InProcess()},
        partition_key=day.isoformat(),
        tags=tags,
    )
    made = {
        event.materialization.asset_key.to_user_string(): {
            name: value.value for name, value in event.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
    }
    return made, {check.check_name: check for check in result.get_asset_check_evaluations()}


def test_runs_one_after_the_other_fold_what_is_new_and_equal_a_fold_from_nothing(stage: Stage) -> None:
    days = [TRAINED + timedelta(days=offset) for offset in range(1, 4)]
    first, checks = run(stage, days[0])
    assert first["learner_states"]["everybody folded anew"] == "There were no states."
    assert first["student_models"]["learners"] == LEARNERS
    assert checks["incremental_equals_rebuild"].metadata["learners compared"].value == LEARNERS

    run(stage, days[1])
    third, checks = run(stage, days[2])
    assert third["learner_states"]["everybody folded anew"] == "no"
    assert third["learner_states"]["rows_out"] == third["student_models"]["learners"] == LEARNERS - 20
    assert checks["every_answer_folded_once"].passed
    of_day = students_in_force(stage.lake, until=days[2]).group_by("day").len().sort("day").collect()
    assert of_day.rows() == [(days[1], 20), (days[2], LEARNERS - 20)]

    again, _ = run(stage, days[2])
    assert again["learner_states"]["rows_out"] == again["student_models"]["learners"] == 0

    _, checks = run(stage, days[2], **{STATES_TAG: COMPARE})
    compared = checks["incremental_equals_rebuild"]
    assert compared.passed
    assert compared.metadata["learners compared"].value == LEARNERS

    answers = stage.lake.scan(ANONYMISED_INTERACTIONS, days=[days[2]]).select(pl.len()).collect().item()
    assert stage.lake.scan(SCORED_EVENTS, days=[days[2]]).select(pl.len()).collect().item() == answers


def test_answers_that_come_while_others_are_folded_are_the_next_runs_and_a_lost_one_is_found(tmp_path: Path) -> None:
    lake = open_lake(settings(tmp_path))
    school = events(learners=10, days=3)
    day = FIRST + timedelta(days=2)
    filled(lake, school)
    parts = lake.parts(ANONYMISED_INTERACTIONS, until=day)
    counted = {shard: school.filter(pl.col("shard") == shard).group_by("learner").len()["len"] for shard in parts}
    assert folded_once(lake, counted, parts, day).passed

    busy = next(shard for shard, kept in parts.items() if kept)
    one_less = {**counted, busy: counted[busy] - pl.Series([1] + [0] * (len(counted[busy]) - 1))}
    assert not folded_once(lake, one_less, parts, day).passed
    lake.replace_shard(ANONYMISED_INTERACTIONS, school.filter(day=FIRST, shard=busy).head(1), day=FIRST, shard=busy)
    meanwhile = folded_once(lake, one_less, parts, day)
    assert meanwhile.passed
    assert meanwhile.metadata["shards that got answers meanwhile"].value == 1
    other = next(shard for shard, kept in parts.items() if kept and shard != busy)
    assert not folded_once(lake, {**one_less, other: counted[other] + 1}, parts, day).passed


def test_signals_made_some_learners_after_the_others_are_those_of_all_at_once(stage: Stage) -> None:
    day = TRAINED + timedelta(days=3)
    run(stage, day)
    bank = newest(stage.lake, ITEM_BANK, until=day)
    assert bank is not None
    assignments = assignments_of(stage.lake, day=day, settings=stage.settings)
    whole = compute_signals(
        stage.lake.scan(ANONYMISED_INTERACTIONS),
        bank,
        mastery_in_force(stage.lake, until=day),
        students_in_force(stage.lake, until=day),
        None,
        as_of=day,
        settings=stage.settings.policy,
        session_gap_minutes=stage.settings.features.session_gap_minutes,
        interval=stage.settings.students.interval,
        assignments=assignments,
    )
    few = stage.settings.students.model_copy(update={"events_at_once": 300})
    little = stage.settings.model_copy(update={"students": few})
    parts = [
        signals_of(stage.lake, shard, bank, assignments, day=day, settings=little) for shard in range(stage.lake.shards)
    ]
    assert whole["learner"].n_unique() == LEARNERS
    assert pl.concat(parts).sort("learner", "subject", "skill_id").equals(whole)


def advise(stage: Stage, day: date, *learners: str, levels: int) -> pl.DataFrame:
    """Recommend a level in every skill of these learners, and what the models of all others hold."""
    models = mastery_in_force(stage.lake, until=day).collect()
    said = models.select(
        "learner", "shard", "subject", "skill_id", "plan", day=pl.lit(day), recommended_level="level", rank=pl.lit(1)
    ).with_columns(
        recommended_level=pl.when(pl.col("learner").is_in(learners))
        .then(pl.lit(levels, pl.Int8))
        .otherwise("recommended_level"),
        plan=pl.when(pl.col("learner").is_in(learners)).then(pl.lit("remediation")).otherwise("plan"),
    )
    absent = [
        pl.lit(None, dtype).alias(name) for name, dtype in RECOMMENDATIONS.schema.items() if name not in said.columns
    ]
    whole = said.with_columns(absent).select(pl.col(name).cast(dtype) for name, dtype in RECOMMENDATIONS.schema.items())
    stage.lake.write(RECOMMENDATIONS, whole, day=day)
    return models


UPDATE = Cause("recommendations", "student_model_update", "The test says so.").tags()


def test_a_recommended_level_and_plan_become_part_of_these_learners_models_and_of_nobody_elses(stage: Stage) -> None:
    day = TRAINED + timedelta(days=4)
    run(stage, day - timedelta(days=1))
    before = students_in_force(stage.lake, until=day).collect()
    concerned = before["learner"][7]
    held = advise(stage, day, concerned, levels=7)
    figures, _ = run(stage, day, **UPDATE)
    assert figures["student_models"]["learners"] == 1
    after, now = students_in_force(stage.lake, until=day).collect(), mastery_in_force(stage.lake, until=day).collect()
    others = pl.col("learner") != concerned
    assert after.filter(others).equals(before.filter(others))
    assert now.filter(others).equals(held.filter(others))
    assert after.filter(~others)["day"].to_list() == [day] != before.filter(~others)["day"].to_list()
    theirs = now.filter(~others)
    assert theirs["level"].unique().to_list() == [7]
    assert theirs["plan"].unique().to_list() == ["remediation"]
    at_seven = theirs["level_probabilities"].list.get(6).cast(pl.Float64)
    assert theirs["success_at_level"].equals(at_seven, check_names=False)
    again, _ = run(stage, day, **UPDATE)
    assert again["student_models"]["learners"] == 0  # the models hold what is recommended


def test_a_promotion_folds_everybody_anew_and_makes_every_student_model_anew(stage: Stage) -> None:
    day = TRAINED + timedelta(days=3)
    run(stage, day)
    before = StateStore(stage.lake).folded(0)
    assert before is not None
    stage.promote(stage.sets[1], _other(stage), TRAINED + timedelta(days=3), force="the test wants another")
    made, _ = run(stage, day)
    after = StateStore(stage.lake).folded(0)
    assert after is not None
    assert after.champion != before.champion
    assert made["learner_states"]["rows_out"] == made["student_models"]["learners"] == LEARNERS


def test_models_that_are_made_again_keep_the_level_in_force_and_the_next_day_has_it_too(stage: Stage) -> None:
    day = TRAINED + timedelta(days=5)
    run(stage, day)
    concerned = students_in_force(stage.lake, until=day).collect()["learner"][3]
    advise(stage, day, concerned, levels=2)
    theirs = pl.col("learner") == concerned
    unaware = mastery_in_force(stage.lake, until=day).filter(theirs).collect()
    run(stage, day)  # the check before the sensor has looked: the same day made again is the same
    assert mastery_in_force(stage.lake, until=day).filter(theirs).collect().equals(unaware)
    run(stage, day, **UPDATE)
    for later in (day, day + timedelta(days=1)):
        stage.promote(stage.sets[1], _other(stage, str(later)), later, force="everybody's models are made anew")
        run(stage, later)
        now = mastery_in_force(stage.lake, until=later).filter(theirs).collect()
        assert now["day"].unique().to_list() == [later]
        assert now["level"].unique().to_list() == [2]


def _other(stage: Stage, code: str = "another"):
    from aivo_assets_tests.tracing.judging.test_shadow_asset import fitted

    return fitted(stage.sets[1], stage.settings.training, code=code)
