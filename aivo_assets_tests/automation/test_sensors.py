"""From what happened to which run is asked for: drift, a need for training, changed recommendations, late events."""

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.automation.jobs import CAUSE_TAG, MODEL_TAG
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.drift.verdicts.training_need import TRAINING_NEED
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Dataset, Lake
from aivo_assets.operations.jobs.names import TRAINED_AT, TRAINED_OF
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import FixedClock
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets.tracing.judging.promotion import Identity, Verdict
from aivo_assets.tracing.judging.verdicts import VERDICTS
from aivo_assets_tests.automation.collector import Collector
from aivo_assets_tests.conftest import NOW

TODAY = NOW.date()


@pytest.fixture
def notifier() -> Collector:
    return Collector()


Evaluate = Callable[..., tuple[list[dg.RunRequest], str | None, str]]


@pytest.fixture
def look(instance: dg.DagsterInstance, definitions: dg.Definitions, lake: Lake, notifier: Collector) -> Evaluate:
    """Let a sensor of the real definitions look: what it asks for, its cursor afterwards, and why it skipped."""

    def evaluate(name: str, cursor: str | None = None) -> tuple[list[dg.RunRequest], str | None, str]:
        context = dg.build_sensor_context(
            instance=instance,
            cursor=cursor,
            repository_def=definitions.get_repository_def(),
            resources={"lake": lake, "clock": FixedClock(NOW), "notifier": notifier},
        )
        data = definitions.resolve_sensor_def(name).evaluate_tick(context)
        return list(data.run_requests or []), data.cursor, data.skip_message or ""

    return evaluate


def row(dataset: Dataset, **values: Any) -> pl.DataFrame:
    """One row of a dataset: the given values, null elsewhere."""
    return pl.DataFrame([{**dict.fromkeys(dataset.schema), **values}], schema=dict(dataset.schema))


def verdict(lake: Lake, word: str, *, model: str = "main_brain", day: date = TODAY, version: str = "3") -> None:
    frame = row(
        DRIFT_VERDICTS, day=day, model_id=model, model_version=version, verdict=word, score=0.3, reason="It fell."
    )
    lake.write(DRIFT_VERDICTS, frame, day=day)


@pytest.mark.parametrize("word", ["ok", "watch", "too_few_events", "no_reference"])
def test_a_model_that_did_not_drift_is_left_alone(word: str, lake: Lake, look: Evaluate) -> None:
    verdict(lake, word)
    requests, cursor, _ = look("drift_retraining")
    assert requests == []
    assert cursor is not None


def test_a_drifted_main_brain_is_retrained_and_the_run_says_why(lake: Lake, look: Evaluate) -> None:
    verdict(lake, "retrain")
    (request,), _, _ = look("drift_retraining")
    assert request.partition_key == TODAY.isoformat()
    assert request.tags[MODEL_TAG] == "main_brain"
    assert "It fell." in request.tags[CAUSE_TAG]
    assert request.asset_selection is None


@pytest.mark.parametrize(("word", "place"), [("retrain", "1"), ("alert", "2")])
def test_a_retraining_for_drift_leaves_the_queue_before_what_the_crons_asked_for(
    word: str, place: str, lake: Lake, look: Evaluate
) -> None:
    verdict(lake, word)
    (request,), _, _ = look("drift_retraining")
    assert request.tags["dagster/priority"] == place


def test_drifted_student_models_are_rebuilt_without_training_the_main_brain(lake: Lake, look: Evaluate) -> None:
    verdict(lake, "retrain", model="student_models")
    (request,), _, _ = look("drift_retraining")
    assert request.asset_selection is not None
    names = {key.to_user_string() for key in request.asset_selection}
    assert "student_models" in names
    assert "main_brain_candidate" not in names


def test_only_an_alarming_score_alerts(lake: Lake, look: Evaluate, notifier: Collector) -> None:
    verdict(lake, "retrain")
    look("drift_retraining")
    assert notifier.alerts == []
    verdict(lake, "alert")
    look("drift_retraining")
    assert [alert.severity for alert in notifier.alerts] == ["critical"]


def test_the_same_verdict_is_dealt_with_once(lake: Lake, look: Evaluate) -> None:
    verdict(lake, "retrain")
    _, cursor, _ = look("drift_retraining")
    requests, _, reason = look("drift_retraining", cursor)
    assert requests == []
    assert "dealt with" in reason


def test_a_repeated_tick_and_a_repeated_check_ask_for_the_same_run(lake: Lake, look: Evaluate) -> None:
    """A tick that lost its cursor, and the six-hourly check of the same day with other numbers."""
    verdict(lake, "retrain")
    (first,), _, _ = look("drift_retraining")
    (again,), _, _ = look("drift_retraining")
    lake.write(
        DRIFT_VERDICTS,
        row(DRIFT_VERDICTS, day=TODAY, model_id="main_brain", model_version="3", verdict="retrain", reason="More."),
        day=TODAY,
    )
    (checked_again,), _, _ = look("drift_retraining")
    assert first.run_key == again.run_key == checked_again.run_key


def test_the_next_model_or_the_next_day_is_another_run(lake: Lake, look: Evaluate) -> None:
    verdict(lake, "retrain")
    (first,), _, _ = look("drift_retraining")
    verdict(lake, "retrain", day=TODAY + timedelta(days=1), version="4")
    (next_day,), _, _ = look("drift_retraining")
    assert first.run_key != next_day.run_key


def test_drift_waits_for_a_training_that_is_under_way_and_is_not_forgotten(
    lake: Lake, look: Evaluate, instance: dg.DagsterInstance
) -> None:
    run = instance.add_run(dg.DagsterRun(job_name="main_brain_training", status=dg.DagsterRunStatus.STARTED))
    verdict(lake, "retrain")
    requests, cursor, reason = look("drift_retraining")
    assert (requests, cursor) == ([], None)
    assert run.run_id in reason
    instance.delete_run(run.run_id)
    assert len(look("drift_retraining", cursor)[0]) == 1


def refused(lake: Lake, hours_ago: float) -> None:
    """A challenger was refused so long ago."""
    given = Verdict(
        promote=False, reason="No better.", decided_at=NOW - timedelta(hours=hours_ago),
        challenger=Identity(fingerprint="b", as_of=TODAY), champion=None, since=None, events=0, difference=None,
        challenger_scores=None, reference_scores=None, findings=(),
    )  # fmt: skip
    frame = row(VERDICTS, day=TODAY, promote=False, reason="No better.", challenger_version=2,
                verdict=given.model_dump_json())  # fmt: skip
    lake.write(VERDICTS, frame, day=TODAY)


def test_after_a_refused_challenger_drift_waits_for_the_cool_down_unless_it_is_extreme(
    lake: Lake, look: Evaluate, notifier: Collector
) -> None:
    refused(lake, hours_ago=5)
    verdict(lake, "retrain")
    requests, cursor, reason = look("drift_retraining")
    assert (requests, cursor) == ([], None)
    assert "refused 5.0 hours ago" in reason
    verdict(lake, "alert")
    assert len(look("drift_retraining")[0]) == 1
    assert len(notifier.alerts) == 1


def answers(lake: Lake, *learners: str) -> None:
    frame = pl.concat([row(ANONYMISED_INTERACTIONS, learner=each, shard=0, day=TODAY, event=each) for each in learners])
    lake.write(ANONYMISED_INTERACTIONS, frame, day=TODAY)


@pytest.mark.parametrize("word", ["retrain", "alert"])
def test_drift_waits_for_an_answer_that_the_last_training_did_not_know(
    word: str, lake: Lake, look: Evaluate, instance: dg.DagsterInstance, notifier: Collector
) -> None:
    answers(lake, "a" * 32)
    known = {TRAINED_OF: lake.version(ANONYMISED_INTERACTIONS)}
    instance.report_runless_asset_event(dg.AssetMaterialization("main_brain_candidate", metadata=known))
    verdict(lake, word)
    requests, cursor, reason = look("drift_retraining")
    assert (requests, cursor) == ([], None)
    assert "knew every answer" in reason
    assert len(notifier.alerts) == (word == "alert")
    answers(lake, "a" * 32, "b" * 32)
    assert len(look("drift_retraining")[0]) == 1


@pytest.mark.parametrize(("hours", "asks"), [(5, False), (47.9, False), (48.1, True)])
def test_after_a_refused_challenger_no_check_asks_for_another_for_two_days(
    hours: float, asks: bool, lake: Lake, look: Evaluate
) -> None:
    refused(lake, hours_ago=hours)
    need(lake, needed=True)
    assert (len(look("adaptive_training")[0]) == 1) == asks


def test_extreme_drift_is_told_even_while_a_training_is_under_way(
    lake: Lake, look: Evaluate, notifier: Collector, instance: dg.DagsterInstance
) -> None:
    instance.add_run(dg.DagsterRun(job_name="main_brain_training", status=dg.DagsterRunStatus.STARTED))
    verdict(lake, "alert")
    assert look("drift_retraining")[0] == []
    assert [alert.key for alert in notifier.alerts] == ["drift:main_brain"]


@pytest.mark.parametrize(("tags", "alerts"), [({}, 1), ({"dagster/will_retry": "true"}, 0)])
def test_a_training_that_failed_after_its_retries_alerts_and_one_that_is_tried_again_does_not(
    tags: dict[str, str], alerts: int, instance: dg.DagsterInstance, definitions: dg.Definitions, notifier: Collector
) -> None:
    @dg.op
    def main_brain_candidate() -> None:
        raise dg.Failure("no memory")

    @dg.job
    def main_brain_training() -> None:
        main_brain_candidate()

    failed = main_brain_training.execute_in_process(
        instance=instance, raise_on_error=False, tags={**tags, CAUSE_TAG: "schedule aivo_main_brain_daily"}
    )
    context = dg.build_run_status_sensor_context(
        sensor_name="failed_runs",
        dagster_event=failed.get_run_failure_event(),
        dagster_instance=instance,
        dagster_run=failed.dagster_run,
        resources={"clock": FixedClock(NOW), "notifier": notifier},
    ).for_run_failure()
    definitions.resolve_sensor_def("failed_runs")(context)
    assert len(notifier.alerts) == alerts
    if alerts:
        (told,) = notifier.alerts
        assert told.severity == "critical"
        assert told.key == "run_failure:main_brain_training:main_brain_candidate"
        assert "schedule aivo_main_brain_daily" in told.body
        assert "main_brain_candidate: Failure: no memory." in told.body


def need(lake: Lake, needed: bool) -> None:
    frame = row(TRAINING_NEED, day=TODAY, model_id="main_brain", needed=needed, reason="Much is new.")
    lake.write(TRAINING_NEED, frame, day=TODAY)


def test_a_needed_training_is_asked_for(lake: Lake, look: Evaluate) -> None:
    need(lake, needed=True)
    (request,), _, _ = look("adaptive_training")
    assert "Much is new." in request.tags[CAUSE_TAG]


def test_no_training_is_asked_for_where_none_is_needed(lake: Lake, look: Evaluate) -> None:
    need(lake, needed=False)
    requests, cursor, reason = look("adaptive_training")
    assert requests == []
    assert cursor is not None
    assert "Much is new." in reason


def test_a_needed_training_waits_out_the_twenty_hours(lake: Lake, look: Evaluate, instance: dg.DagsterInstance) -> None:
    trained_at = (NOW - timedelta(hours=7)).isoformat()
    instance.report_runless_asset_event(
        dg.AssetMaterialization("main_brain_candidate", metadata={TRAINED_AT: trained_at})
    )
    need(lake, needed=True)
    requests, cursor, reason = look("adaptive_training")
    assert (requests, cursor) == ([], None)
    assert "7.0 hours ago" in reason


ADVISED = {"learner": "a" * 32, "subject": "maths", "skill_id": "fractions", "shard": 1}


def modelled(lake: Lake, day: date = TODAY, **in_force: object) -> None:
    """A student model of the day with this level and plan in force."""
    note = {"stamp": "1", "sequence": 0, "whole": True}
    for dataset, values in ((SKILL_MASTERY, ADVISED | in_force), (STUDENT_MODELS, {"learner": "a" * 32, "shard": 1})):
        lake.replace_shard(dataset, row(dataset, day=day, **values), day=day, shard=1, made_by=note)


def recommended(lake: Lake, level: int, plan: str = "practice", **more: object) -> None:
    values = ADVISED | {"day": TODAY, "rank": 1, "kind": "level_up", "recommended_level": level, "plan": plan}
    lake.write(RECOMMENDATIONS, row(RECOMMENDATIONS, **values, **more), day=TODAY)


def test_recommendations_that_say_another_level_update_the_student_models_once(lake: Lake, look: Evaluate) -> None:
    modelled(lake, level=3, plan="practice")
    recommended(lake, 4)
    (request,), cursor, _ = look("student_model_update")
    assert request.partition_key == TODAY.isoformat()
    assert "of 1 learner" in request.tags[CAUSE_TAG]
    assert look("student_model_update", cursor)[0] == []


def test_a_model_of_an_earlier_day_is_the_one_in_force(lake: Lake, look: Evaluate) -> None:
    modelled(lake, TODAY - timedelta(days=5), level=3, plan="practice")
    recommended(lake, 3, "remediation")
    assert len(look("student_model_update")[0]) == 1
    recommended(lake, 3)
    assert look("student_model_update")[0] == []


def test_a_level_that_is_taken_back_the_same_day_is_asked_for_again(lake: Lake, look: Evaluate) -> None:
    keys, cursor = [], None
    for before, now in ((3, 4), (4, 3), (3, 4)):
        modelled(lake, level=before, plan="practice")
        recommended(lake, now, confidence=0.1 * len(keys))
        (request,), cursor, _ = look("student_model_update", cursor)
        keys.append(request.run_key)
    assert len(set(keys)) == 3


@pytest.mark.parametrize("confidence", [0.7, 0.8])
def test_recommendations_that_say_what_the_models_hold_update_nothing(
    lake: Lake, look: Evaluate, confidence: float
) -> None:
    modelled(lake, level=4, plan="enrichment")
    recommended(lake, 4, "enrichment", confidence=confidence)
    requests, _, reason = look("student_model_update")
    assert requests == []
    assert "changed no level and no plan" in reason


def test_a_plan_that_is_no_longer_recommended_ends_and_a_day_that_holds_nothing_ends_none(
    lake: Lake, look: Evaluate
) -> None:
    modelled(lake, level=4, plan="practice")
    lake.write(RECOMMENDATIONS, RECOMMENDATIONS.empty(), day=TODAY)
    assert look("student_model_update")[0] == []
    other = ADVISED | {"skill_id": "geometry", "day": TODAY, "recommended_level": 2, "plan": "practice"}
    lake.write(RECOMMENDATIONS, row(RECOMMENDATIONS, **other), day=TODAY)
    assert len(look("student_model_update")[0]) == 1


def test_an_update_under_way_is_waited_for_and_what_changed_meanwhile_is_not_forgotten(
    lake: Lake, look: Evaluate, instance: dg.DagsterInstance
) -> None:
    run = instance.add_run(dg.DagsterRun(job_name="student_model_update", status=dg.DagsterRunStatus.STARTED))
    modelled(lake, level=3, plan="practice")
    recommended(lake, 4)
    requests, cursor, reason = look("student_model_update")
    assert (requests, cursor) == ([], None)
    assert run.run_id in reason
    instance.delete_run(run.run_id)
    assert len(look("student_model_update", cursor)[0]) == 1


def landed(lake: Lake, day: date, *, anonymised: bool) -> None:
    lake.write(RAW_INTERACTIONS, RAW_INTERACTIONS.empty(), day=day)
    if anonymised:
        version = lake.version(RAW_INTERACTIONS, days=[day])
        lake.write(ANONYMISED_INTERACTIONS, ANONYMISED_INTERACTIONS.empty(), day=day, made_by={"raw_version": version})


def test_days_that_got_late_events_are_anonymised_again(lake: Lake, look: Evaluate) -> None:
    for back in range(5):
        landed(lake, TODAY - timedelta(days=back), anonymised=back not in (2, 3))
    (request,), _, _ = look("late_events")
    assert request.tags["dagster/asset_partition_range_start"] == (TODAY - timedelta(days=3)).isoformat()
    assert request.tags["dagster/asset_partition_range_end"] == (TODAY - timedelta(days=2)).isoformat()


def test_days_that_are_up_to_date_are_left_alone(lake: Lake, look: Evaluate) -> None:
    landed(lake, TODAY, anonymised=True)
    requests, _, reason = look("late_events")
    assert requests == []
    assert "up to date" in reason


def test_a_day_whose_file_was_cut_short_is_made_again_once_for_each_damage(lake: Lake, look: Evaluate) -> None:
    landed(lake, TODAY, anonymised=False)
    row = ANONYMISED_INTERACTIONS.empty().clear(1).with_columns(shard=pl.lit(0, pl.Int32))
    made_by = {"raw_version": lake.version(RAW_INTERACTIONS, days=[TODAY])}
    lake.write(ANONYMISED_INTERACTIONS, row, day=TODAY, made_by=made_by)
    assert look("late_events")[0] == []
    cut = Path(lake.files(ANONYMISED_INTERACTIONS, days=[TODAY])[0])
    asked = []
    for kept in (100, 100, 50):
        cut.write_bytes(cut.read_bytes()[:kept])
        os.utime(cut, (kept, kept))
        asked += look("late_events")[0]
    assert all(each.tags["dagster/asset_partition_range_start"] == TODAY.isoformat() for each in asked)
    assert "1 damaged files" in asked[0].tags[CAUSE_TAG]
    assert asked[0].run_key == asked[1].run_key != asked[2].run_key


def test_a_day_whose_raw_file_was_cut_short_is_read_again_by_itself_and_holds_no_other_day_back(
    lake: Lake, look: Evaluate
) -> None:
    """Also where the source cannot give it again: it is asked for once, and late days far from it are dealt with."""
    long_ago = TODAY - timedelta(days=60)
    landed(lake, long_ago, anonymised=True)
    landed(lake, TODAY, anonymised=False)
    cut = Path(lake.files(RAW_INTERACTIONS, days=[long_ago])[0])
    cut.write_bytes(cut.read_bytes()[:50])
    first, late = look("late_events")[0]
    assert [first.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end")] == [str(long_ago)] * 2
    assert f"the raw file of {long_ago} is damaged" in first.tags[CAUSE_TAG]
    assert late.tags["dagster/asset_partition_range_start"] == str(TODAY)
    assert [each.run_key for each in look("late_events")[0]] == [first.run_key, late.run_key]
    cut.unlink()
    assert look("late_events")[0][0].run_key != first.run_key


def test_however_many_raw_files_are_damaged_each_is_asked_for(lake: Lake, look: Evaluate) -> None:
    days = [TODAY - timedelta(days=back) for back in range(40)]
    for day in days:
        landed(lake, day, anonymised=True)
        Path(lake.files(RAW_INTERACTIONS, days=[day])[0]).unlink()
    asked = {request.tags["dagster/asset_partition_range_start"] for request in look("late_events")[0]}
    assert asked == {str(day) for day in days}


def test_late_days_wait_for_a_run_that_may_be_dealing_with_them(
    lake: Lake, look: Evaluate, instance: dg.DagsterInstance
) -> None:
    landed(lake, TODAY, anonymised=False)
    instance.add_run(dg.DagsterRun(job_name="end_to_end", status=dg.DagsterRunStatus.STARTED))
    assert look("late_events")[0] == []


@pytest.mark.parametrize("name", ["drift_retraining", "adaptive_training", "student_model_update", "late_events"])
def test_an_empty_lake_asks_for_nothing(name: str, look: Evaluate) -> None:
    requests, _, reason = look(name)
    assert requests == []
    assert reason
