"""A past day by hand: what is made of it knows nothing later, and the present stays as it is."""

import pickle
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from aivo_assets.assets.drift.verdict import drift_verdict
from aivo_assets.assets.students.learner_states import COMPARE, STATES_TAG, fold_learners
from aivo_assets.assets.students.student_models import item_bank, student_models
from aivo_assets.cli.platform.settings import no_champion_serves
from aivo_assets.drift.schema import PAST_SCORED_EVENTS, SCORED_EVENTS
from aivo_assets.engine import InProcess
from aivo_assets.errors import LakeError
from aivo_assets.lake import open_lake
from aivo_assets.operations.alerts.rules import no_champion_can_serve
from aivo_assets.tracing.fold.catalogue import feature_schema
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets.tracing.students.model_store import mastery_in_force
from aivo_assets.tracing.students.state_store import PAST_STATES, Folded, StateStore, states_as_of
from aivo_assets_tests.tracing.judging.test_shadow_asset import FIRST_AS_OF, Stage, morning_after
from aivo_assets_tests.tracing.small_lake import FIRST, events, filled, settings, trained_on

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
LEARNERS = 60
EARLY, BETWEEN, TODAY = (FIRST_AS_OF + timedelta(days=days) for days in (1, 3, 4))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A champion, and four days of answers that it has not seen; on the last, two thirds of the learners answered."""
    given = settings(tmp_path)
    school = events(learners=LEARNERS, days=22)
    away = (pl.col("learner") < "learner-020") & (pl.col("day") == TODAY)
    filled(open_lake(given), school.filter(~away))
    training = trained_on(open_lake(given), FIRST_AS_OF, given)
    return Stage(tmp_path, given, (training, training))


def make(stage: Stage, day: date, assets: Sequence[dg.AssetsDefinition], **tags: str) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        list(assets),
        resources={
            "settings": stage.settings, "lake": open_lake(stage.settings), "registry": stage.registry,
            "engine": InProcess(),
            "notifier": dg.ResourceDefinition.hardcoded_resource(stage.alerts),
        },
        partition_key=day.isoformat(),
        tags=tags,
    )  # fmt: skip


ALL = (item_bank, fold_learners, student_models)


def folded(stage: Stage) -> list[Folded | None]:
    return [StateStore(stage.lake).folded(shard) for shard in range(stage.lake.shards)]


def models_of(stage: Stage, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    learners = stage.lake.scan(STUDENT_MODELS, days=[day]).collect().sort("learner")
    return learners, stage.lake.scan(SKILL_MASTERY, days=[day]).collect().sort("learner", "subject", "skill_id")


def test_a_past_day_has_models_of_its_time_and_the_present_stays_as_it_is(stage: Stage) -> None:
    make(stage, EARLY, ALL)
    of_its_time = models_of(stage, EARLY)
    make(stage, TODAY, ALL)
    before, scored = folded(stage), stage.lake.version(SCORED_EVENTS)
    in_force = mastery_in_force(stage.lake, until=TODAY).collect()

    make(stage, EARLY, ALL)

    for now, then in zip(models_of(stage, EARLY), of_its_time, strict=True):
        assert now.equals(then)
    assert folded(stage) == before
    assert stage.lake.version(SCORED_EVENTS) == scored
    make(stage, TODAY, [student_models])
    assert mastery_in_force(stage.lake, until=TODAY).collect().equals(in_force)


def test_student_models_of_a_past_day_alone_say_that_its_states_come_first(stage: Stage) -> None:
    make(stage, TODAY, ALL)
    make(stage, BETWEEN, [item_bank])
    make(stage, EARLY, [fold_learners])
    made = stage.lake.days(STUDENT_MODELS)
    with pytest.raises(LakeError, match=f"no learner_states of {BETWEEN}") as refused:
        make(stage, BETWEEN, [student_models])
    assert f"Materialise learner_states of {BETWEEN} first" in refused.value.fix
    assert stage.lake.days(STUDENT_MODELS) == made
    make(stage, BETWEEN, [fold_learners])
    make(stage, BETWEEN, [student_models])
    learners, _ = models_of(stage, BETWEEN)
    assert learners.height == LEARNERS
    assert learners["events"].sum() == LEARNERS * 4 * ((BETWEEN - FIRST).days + 1)


def test_a_process_that_is_given_the_states_of_a_past_day_knows_that_they_are(stage: Stage) -> None:
    make(stage, TODAY, ALL)
    given = pickle.loads(pickle.dumps(states_as_of(stage.lake, EARLY)))
    assert given.is_past
    assert not pickle.loads(pickle.dumps(states_as_of(stage.lake, TODAY))).is_past


def test_days_after_a_past_day_are_folded_onto_its_states(stage: Stage) -> None:
    make(stage, TODAY, ALL)
    make(stage, EARLY, ALL)
    result = make(stage, BETWEEN, ALL)
    (states,) = (
        event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("learner_states")
    )
    assert states["everybody folded anew"].value == "no"
    assert states["rows_in"].value == LEARNERS * 4 * (BETWEEN - EARLY).days


def test_a_later_champion_is_not_asked_about_a_past_day_and_the_earlier_one_leaves_no_trace(stage: Stage) -> None:
    make(stage, BETWEEN, ALL)
    _promote_another(stage, BETWEEN)
    make(stage, TODAY, ALL)
    before = folded(stage)
    assert {kept.champion for kept in before if kept is not None} == {"2"}
    make(stage, EARLY, ALL)
    past = StateStore(stage.lake, PAST_STATES)
    assert {kept.champion for shard in range(2) if (kept := past.folded(shard)) is not None} == {"1"}
    assert folded(stage) == before
    assert set(models_of(stage, EARLY)[0]["model_version"]) == {"1"}


def test_student_models_whose_states_another_champion_folded_say_what_comes_first(stage: Stage) -> None:
    make(stage, TODAY, ALL)
    _promote_another(stage, BETWEEN)
    with pytest.raises(LakeError, match=r"folded by main brain 1 .*main brain 2 serves"):
        make(stage, TODAY, [student_models])


def test_the_drift_of_a_past_day_is_judged_on_what_was_scored_as_of_it(stage: Stage) -> None:
    make(stage, TODAY, ALL)
    with pytest.raises(LakeError, match=f"no learner_states of {BETWEEN}"):
        make(stage, BETWEEN, [drift_verdict])
    make(stage, BETWEEN, [fold_learners])
    make(stage, BETWEEN, [drift_verdict])
    assert max(stage.lake.days(PAST_SCORED_EVENTS)) == BETWEEN
    first = BETWEEN - timedelta(days=stage.settings.drift.window_days - 1)
    make(stage, EARLY, [fold_learners])
    assert max(stage.lake.days(PAST_SCORED_EVENTS)) == EARLY
    assert min(stage.lake.days(PAST_SCORED_EVENTS)) < first or first <= FIRST


def test_the_comparison_finds_a_stored_state_that_is_not_what_its_answers_give(stage: Stage) -> None:
    make(stage, BETWEEN, ALL)
    store = StateStore(stage.lake)
    kept, states = store.folded(0), store.read(0)
    assert kept is not None
    wrong = states.learners.with_columns(wins=pl.col("wins") + (pl.int_range(pl.len()) == 3).cast(pl.Int64))
    store.commit(store.stage_all(0, [replace(states, learners=wrong.select(states.learners.columns))], kept))
    result = make(stage, TODAY, ALL, **{STATES_TAG: COMPARE})
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    compared = checks["incremental_equals_rebuild"]
    assert not compared.passed
    assert compared.metadata["differing"].value == 1
    again = make(stage, TODAY, ALL, **{STATES_TAG: COMPARE})
    assert {check.check_name: check.passed for check in again.get_asset_check_evaluations()}[
        "incremental_equals_rebuild"
    ]


def test_a_setting_that_no_champion_can_serve_is_said_and_what_was_made_last_stays(stage: Stage) -> None:
    make(stage, TODAY, ALL)
    made, before = mastery_in_force(stage.lake, until=TODAY).collect(), folded(stage)
    assert no_champion_serves(stage.settings) is None
    wider = stage.settings.features.model_copy(update={"ability_sd": stage.settings.features.ability_sd + 0.5})
    said = no_champion_serves(stage.settings.model_copy(update={"features": wider}))
    assert said is not None
    assert "Champion 1 cannot serve: it reads other features than the present settings (AIVO_FEATURES_…)" in said
    stage.settings = stage.settings.model_copy(update={"features": wider})
    result = make(stage, TODAY, ALL)
    notes = {str(event.materialization.metadata["note"].value) for event in result.get_asset_materialization_events()}
    assert all(note.startswith("No champion can serve: Champion 1") for note in notes)
    assert all(not check.passed for check in result.get_asset_check_evaluations())
    assert mastery_in_force(stage.lake, until=TODAY).collect().equals(made)
    assert folded(stage) == before
    standing = stage.registry.standing(feature_schema(wider))
    alert = no_champion_can_serve(standing.problems, morning_after(TODAY))
    assert alert is not None
    assert alert.severity == "critical"
    assert no_champion_can_serve(stage.registry.standing().problems, morning_after(TODAY)) is None


def _promote_another(stage: Stage, day: date) -> None:
    from aivo_assets_tests.tracing.judging.test_shadow_asset import fitted

    another = fitted(stage.sets[1], stage.settings.training, code="another")
    stage.promote(stage.sets[1], another, day, force="the test wants another")
