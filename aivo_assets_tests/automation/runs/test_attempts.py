"""A run that failed is asked for again under another key, by every sensor that asks for runs."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from dagster._core.storage.tags import RUN_KEY_TAG, WILL_RETRY_TAG

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.automation.runs.attempts import FIRST_PAUSE, LONGEST_PAUSE, next_attempt, pause_after
from aivo_assets.definitions import build_definitions
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.drift.verdicts.training_need import TRAINING_NEED
from aivo_assets.events.landing.events import land
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.events.sources import open_source
from aivo_assets.lake import Dataset, Lake, calendar
from aivo_assets.operations.jobs.causes import CAUSE_TAG
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import FixedClock
from aivo_assets.resources.platform import open_lake
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets_tests.automation.collector import Collector
from aivo_assets_tests.conftest import NOW

TODAY = NOW.date()
Status = dg.DagsterRunStatus


def row(dataset: Dataset, **values: object) -> pl.DataFrame:
    return pl.DataFrame([{**dict.fromkeys(dataset.schema), **values}], schema=dict(dataset.schema))


def drifted(lake: Lake) -> None:
    frame = row(DRIFT_VERDICTS, day=TODAY, model_id="main_brain", model_version="8", verdict="retrain", reason="Worse.")
    lake.write(DRIFT_VERDICTS, frame, day=TODAY)


def training_needed(lake: Lake) -> None:
    lake.write(TRAINING_NEED, row(TRAINING_NEED, day=TODAY, needed=True, reason="Many answers."), day=TODAY)


def advice_changed(lake: Lake) -> None:
    about = {"learner": "f00d", "shard": 1, "subject": "maths", "skill_id": "s"}
    note = {"stamp": "1", "sequence": 0, "whole": True}
    for dataset, values in ((SKILL_MASTERY, about | {"level": 3}), (STUDENT_MODELS, {"learner": "f00d", "shard": 1})):
        lake.replace_shard(dataset, row(dataset, day=TODAY, **values), day=TODAY, shard=1, made_by=note)
    lake.write(RECOMMENDATIONS, row(RECOMMENDATIONS, **about, recommended_level=5, plan="practice"), day=TODAY)


def answers_came_late(lake: Lake) -> None:
    lake.write(RAW_INTERACTIONS, RAW_INTERACTIONS.empty(), day=TODAY - timedelta(days=4))


CAUSES: dict[str, Callable[[Lake], None]] = {
    "drift_retraining": drifted,
    "adaptive_training": training_needed,
    "student_model_update": advice_changed,
    "late_events": answers_came_late,
}


@pytest.fixture
def look(
    instance: dg.DagsterInstance, definitions: dg.Definitions, lake: Lake
) -> Callable[[str, str | None], tuple[list[dg.RunRequest], str | None]]:
    def evaluate(name: str, cursor: str | None) -> tuple[list[dg.RunRequest], str | None]:
        context = dg.build_sensor_context(
            instance=instance,
            cursor=cursor,
            repository_def=definitions.get_repository_def(),
            resources={"lake": lake, "clock": FixedClock(NOW), "notifier": Collector()},
        )
        data = definitions.resolve_sensor_def(name).evaluate_tick(context)
        return list(data.run_requests or []), data.cursor if data.cursor is not None else cursor

    return evaluate


def ended(instance: dg.DagsterInstance, request: dg.RunRequest, status: Status, **tags: str) -> dg.DagsterRun:
    """The run of a request, at its end."""
    carried = {**request.tags, RUN_KEY_TAG: str(request.run_key), **tags}
    return instance.add_run(dg.DagsterRun(job_name="some", status=status, tags=carried))


@pytest.mark.parametrize("sensor", CAUSES)
def test_what_failed_is_asked_for_again_and_what_did_not_is_not(
    sensor: str, lake: Lake, instance: dg.DagsterInstance, look: Callable[..., tuple[list[dg.RunRequest], str | None]]
) -> None:
    CAUSES[sensor](lake)
    (first,), cursor = look(sensor, None)
    failed = ended(instance, first, Status.FAILURE)
    (second,), cursor = look(sensor, cursor)
    assert second.run_key != first.run_key
    assert f"attempt 2, run {failed.run_id[:8]} failed" in second.tags[CAUSE_TAG]
    assert (second.partition_key, second.asset_selection) == (first.partition_key, first.asset_selection)
    ended(instance, second, Status.SUCCESS)
    assert look(sensor, cursor)[0] == []


@pytest.mark.parametrize("sensor", CAUSES)
def test_what_somebody_cancelled_or_dagster_starts_again_itself_is_left_alone(
    sensor: str, lake: Lake, instance: dg.DagsterInstance, look: Callable[..., tuple[list[dg.RunRequest], str | None]]
) -> None:
    CAUSES[sensor](lake)
    (first,), cursor = look(sensor, None)
    run = ended(instance, first, Status.FAILURE, **{WILL_RETRY_TAG: "true"})
    assert look(sensor, cursor)[0] == []
    instance.delete_run(run.run_id)
    ended(instance, first, Status.CANCELED)
    assert look(sensor, cursor)[0] == []


def test_pauses_grow_and_a_cause_is_never_given_up(instance: dg.DagsterInstance) -> None:
    now = datetime.now(UTC)
    attempt = next_attempt(instance, "cause", now)
    pauses = []
    for _ in range(4):
        assert attempt is not None
        request = dg.RunRequest(run_key=attempt.run_key, tags=attempt.tags)
        ended(instance, request, Status.FAILURE)
        waits = [
            wait for wait in range(0, 40) if next_attempt(instance, "cause", now + timedelta(minutes=wait, seconds=30))
        ]
        pauses.append(waits[0])
        attempt = next_attempt(instance, "cause", now + timedelta(hours=7))
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[1]) == (0, FIRST_PAUSE.seconds // 60)
    assert attempt is not None
    assert (attempt.number, attempt.run_key) == (5, "cause:attempt-5")
    assert pause_after(60) == LONGEST_PAUSE
    other = next_attempt(instance, "another cause", now)
    assert other is not None
    assert other.number == 1


@pytest.fixture
def school(tmp_path: Path) -> Settings:
    (tmp_path / "answers.csv").write_text(
        "user_id,item_id,occurred_at,correct\n"
        + "".join(f"u{n},i{n % 3},2026-03-0{1 + n % 6} 10:{n:02d}:00,{n % 2}\n" for n in range(30))
    )
    return Settings.model_validate(
        {
            "home": tmp_path / "home",
            "pseudonym_key": "a key of thirty-two characters or more",
            "source": {"kind": "csv", "path": str(tmp_path / "answers.csv")},
        }
    )


def test_a_day_whose_run_failed_for_its_source_becomes_whole_when_the_source_is_back(
    school: Settings, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """The real job, really failing, on a real instance."""
    lake, file = open_lake(school), tmp_path / "answers.csv"
    land(lake, open_source(school, NOW), window=None, now=NOW, run="aivo ingest")
    calendar.extend(lake, date(2026, 3, 1))
    definitions = build_definitions(school, clock=FixedClock(NOW))

    def tick() -> list[dg.RunRequest]:
        context = dg.build_sensor_context(
            instance=instance, repository_def=definitions.get_repository_def(), resources={"lake": lake}
        )
        return list(definitions.resolve_sensor_def("late_events").evaluate_tick(context).run_requests or [])

    def run(request: dg.RunRequest) -> bool:
        tags = {**request.tags, RUN_KEY_TAG: str(request.run_key)}
        job = definitions.resolve_job_def("late_events")
        return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).success

    (request,) = tick()
    file.rename(tmp_path / "gone.csv")
    assert not run(request)
    (again,) = tick()
    assert again.run_key != request.run_key
    (tmp_path / "gone.csv").rename(file)
    assert run(again)
    assert tick() == []
    assert lake.scan(ANONYMISED_INTERACTIONS).collect().height == 30
