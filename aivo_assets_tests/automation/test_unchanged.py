"""When a frequent check is skipped because it would make again what is there, and when it must run."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from aivo_assets.automation.schedules import ADAPTIVE, DAILY, DRIFT, build_schedules
from aivo_assets.automation.unchanged import GIVEN_TAG
from aivo_assets.events.intake import FUTURE
from aivo_assets.events.landing.held_back import HELD_BACK
from aivo_assets.events.landing.overrides import land_overrides, raw_overrides, remove_overrides
from aivo_assets.events.receipts import Receipt, write_receipt
from aivo_assets.lake import Lake, open_lake
from aivo_assets.settings import Settings
from aivo_assets_tests.answers import land_answers

NIGHT = datetime(2026, 3, 10, 2, tzinfo=UTC)
DAY = "2026-03-10"
Tick = Callable[..., dg.RunRequest | str]
SUCCESS, FAILURE, STARTED = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED


@pytest.fixture
def instance(emptied: dg.DagsterInstance) -> dg.DagsterInstance:
    return emptied


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "answers.parquet"
    pl.DataFrame({"learner_id": ["ada"], "item_id": ["1"], "correct": [1]}).write_parquet(path)
    return path


@pytest.fixture
def settings(tmp_path: Path, answers: Path) -> Settings:
    made = Settings.model_validate({"home": tmp_path / "home", "source": {"kind": "parquet", "path": str(answers)}})
    land_answers(open_lake(made), NIGHT - timedelta(days=30), ("ada", "maths", ["s"]))
    return made


@pytest.fixture
def tick(instance: dg.DagsterInstance, settings: Settings) -> Tick:
    """What a schedule answers at an instant: the run that it asks for, or why it asks for none."""

    def evaluate(at: datetime = NIGHT, name: str = ADAPTIVE, settings: Settings = settings) -> dg.RunRequest | str:
        schedule = next(each for each in build_schedules(settings) if each.name == name)
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
        assert callable(schedule._execution_fn)
        answer = schedule._execution_fn(context)
        return str(answer.skip_message) if isinstance(answer, dg.SkipReason) else answer

    return evaluate


@pytest.fixture
def run(instance: dg.DagsterInstance) -> Callable[..., dg.DagsterRun]:
    """A run that was, as the instance keeps it: its beginning and end are noted by its events."""

    def make(
        job: str, status: dg.DagsterRunStatus = SUCCESS, request: dg.RunRequest | None = None, **more: object
    ) -> dg.DagsterRun:
        tags = {} if request is None else {**request.tags, "dagster/partition": str(request.partition_key)}
        made = instance.add_run(dg.DagsterRun(job_name=job, tags=tags, **more))  # type: ignore[arg-type]
        ends = {SUCCESS: dg.DagsterEventType.RUN_SUCCESS, FAILURE: dg.DagsterEventType.RUN_FAILURE}
        for kind in (dg.DagsterEventType.RUN_START, *([ends[status]] if status in ends else [])):
            instance.report_dagster_event(dg.DagsterEvent(kind.value, job, message="in a test"), made.run_id)
        return made

    return make


@pytest.fixture
def checked(tick: Tick, run: Callable[..., dg.DagsterRun]) -> dg.DagsterRun:
    """The two-hourly check of two o'clock has been made."""
    request = tick()
    assert isinstance(request, dg.RunRequest)
    return run("adaptive_check", request=request)


TWO_HOURS_LATER = NIGHT + timedelta(hours=2)


def test_at_night_when_nothing_arrived_a_check_is_skipped_and_says_since_when(
    tick: Tick, checked: dg.DagsterRun
) -> None:
    assert tick(TWO_HOURS_LATER) == (
        f"Nothing arrived and no model changed since run {checked.run_id} of adaptive_check as of {DAY}: "
        "another one would make the same again."
    )


def test_each_check_asks_for_itself(tick: Tick, checked: dg.DagsterRun, run: Callable[..., dg.DagsterRun]) -> None:
    drift = tick(TWO_HOURS_LATER, DRIFT)
    assert isinstance(drift, dg.RunRequest)
    made = run("drift_monitoring", request=drift)
    assert made.run_id in str(tick(TWO_HOURS_LATER + timedelta(hours=6), DRIFT))
    assert checked.run_id in str(tick(TWO_HOURS_LATER))  # a drift check changes nothing of what the other one makes


def test_a_new_day_is_checked_although_nothing_arrived(tick: Tick, checked: dg.DagsterRun) -> None:
    request = tick(NIGHT + timedelta(days=1))
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-03-11"
    assert request.tags[GIVEN_TAG] == checked.tags[GIVEN_TAG]


def test_the_daily_training_is_never_skipped_for_this(tick: Tick, checked: dg.DagsterRun) -> None:
    assert isinstance(tick(TWO_HOURS_LATER, DAILY), dg.RunRequest)


def _a_longer_file(path: Path, settings: Settings) -> None:
    pl.DataFrame({"learner_id": ["ada"] * 9, "item_id": ["1"] * 9, "correct": [1] * 9}).write_parquet(path)


def _the_same_length_later(path: Path, settings: Settings) -> None:
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + b"?")
    os.utime(path, ns=(1, 1))


def _a_word_taken_back(path: Path, settings: Settings) -> None:
    lake = open_lake(settings)
    assert remove_overrides(lake, raw_overrides(lake)["override_id"], now=NIGHT, run="by hand") == 1


def _a_teachers_word(path: Path, settings: Settings) -> None:
    said = {"learner_id": "ada", "subject": "maths", "skill_id": "s", "action": "accept", "kind": "level_up"}
    row = pl.DataFrame([said]).with_columns(_location=pl.lit("a test"), _row=pl.lit(1, pl.Int64))
    receipt = land_overrides(open_lake(settings), row, now=NIGHT, run="by hand", source="a test")
    assert receipt.kept == 1


@pytest.mark.parametrize("change", [_a_longer_file, _the_same_length_later, _a_teachers_word])
def test_whatever_arrives_makes_a_check_run(
    change: Callable[[Path, Settings], None], tick: Tick, checked: dg.DagsterRun, answers: Path, settings: Settings
) -> None:
    change(answers, settings)
    assert isinstance(tick(TWO_HOURS_LATER), dg.RunRequest)


def test_a_word_that_is_taken_back_makes_a_check_run(
    tick: Tick, run: Callable[..., dg.DagsterRun], answers: Path, settings: Settings
) -> None:
    _a_teachers_word(answers, settings)
    request = tick()
    assert isinstance(request, dg.RunRequest)
    run("adaptive_check", request=request)
    assert isinstance(tick(TWO_HOURS_LATER), str)
    _a_word_taken_back(answers, settings)
    assert isinstance(tick(TWO_HOURS_LATER), dg.RunRequest)


def test_a_changed_setting_makes_a_check_run(tick: Tick, checked: dg.DagsterRun, settings: Settings) -> None:
    changed = settings.model_copy(update={"drift": settings.drift.model_copy(update={"retrain_score": 0.2})})
    assert isinstance(tick(TWO_HOURS_LATER, settings=changed), dg.RunRequest)


@pytest.mark.parametrize(
    ("job", "status", "more"),
    [
        ("main_brain_training", SUCCESS, {}),
        ("weekly_full_retraining", FAILURE, {}),
        ("emergency_retrain", STARTED, {}),
        ("late_events", SUCCESS, {}),
        ("__ASSET_JOB", SUCCESS, {}),
        ("drift_monitoring", FAILURE, {}),
        ("adaptive_check", SUCCESS, {"asset_selection": frozenset([dg.AssetKey("learner_states")])}),
    ],
)
def test_a_run_that_may_have_changed_a_model_or_the_events_makes_a_check_run(
    job: str,
    status: dg.DagsterRunStatus,
    more: dict[str, object],
    tick: Tick,
    checked: dg.DagsterRun,
    run: Callable[..., dg.DagsterRun],
) -> None:
    run(job, status, **more)
    assert isinstance(tick(TWO_HOURS_LATER), dg.RunRequest)


def test_a_training_that_was_under_way_as_the_check_began_makes_it_run_again(
    tick: Tick, run: Callable[..., dg.DagsterRun]
) -> None:
    run("main_brain_training", STARTED)
    request = tick()
    assert isinstance(request, dg.RunRequest)
    run("adaptive_check", request=request)
    assert isinstance(tick(TWO_HOURS_LATER), dg.RunRequest)


@pytest.mark.parametrize("status", [FAILURE, STARTED])
def test_only_a_check_that_succeeded_counts(
    status: dg.DagsterRunStatus, tick: Tick, run: Callable[..., dg.DagsterRun]
) -> None:
    request = tick()
    assert isinstance(request, dg.RunRequest)
    made = run("adaptive_check", status, request=request)
    answer = tick(TWO_HOURS_LATER)
    assert isinstance(answer, dg.RunRequest) or f"Run {made.run_id} of adaptive_check is still under way" in answer


def test_rows_whose_time_had_not_come_are_looked_at_again(
    tick: Tick, checked: dg.DagsterRun, settings: Settings
) -> None:
    lake: Lake = open_lake(settings)
    receipt = Receipt(
        run=checked.run_id, source="a test", batch_id="b", landed_at=NIGHT, rows_read=1, rows_in=1, kept=0,
        duplicates=0, set_aside=1, by_reason={FUTURE: 1},
    )  # fmt: skip
    write_receipt(lake, receipt, what="all")
    assert isinstance(tick(TWO_HOURS_LATER), dg.RunRequest)


@pytest.mark.parametrize(("hours", "runs"), [(1, True), (3, False)])
def test_a_row_that_is_held_back_until_its_time_makes_the_check_run_then_and_not_before(
    hours: int, runs: bool, tick: Tick, checked: dg.DagsterRun, settings: Settings
) -> None:
    row = dict.fromkeys(HELD_BACK.schema) | {"learner_id": "ada", "occurred_at": NIGHT + timedelta(hours=hours)}
    open_lake(settings).write(HELD_BACK, pl.DataFrame([row], schema=dict(HELD_BACK.schema)))
    assert isinstance(tick(TWO_HOURS_LATER), dg.RunRequest) == runs


def test_a_source_that_cannot_be_known_without_reading_it_is_read(
    tick: Tick, run: Callable[..., dg.DagsterRun], settings: Settings
) -> None:
    simulated = settings.model_copy(update={"source": settings.source.model_copy(update={"kind": "simulator"})})
    request = tick(settings=simulated)
    assert isinstance(request, dg.RunRequest)
    assert GIVEN_TAG not in request.tags
    run("adaptive_check", request=request)
    assert isinstance(tick(TWO_HOURS_LATER, settings=simulated), dg.RunRequest)


def test_a_missing_file_is_left_to_the_run_to_complain_about(tick: Tick, checked: dg.DagsterRun, answers: Path) -> None:
    answers.unlink()
    assert isinstance(tick(TWO_HOURS_LATER), dg.RunRequest)


def test_it_can_be_switched_off(tick: Tick, checked: dg.DagsterRun, settings: Settings) -> None:
    every = settings.model_copy(update={"schedule": settings.schedule.model_copy(update={"skip_unchanged": False})})
    request = tick(TWO_HOURS_LATER, settings=every)
    assert isinstance(request, dg.RunRequest)
    assert GIVEN_TAG not in request.tags
