"""What reacts by itself: drift, a need for training, changed recommendations, late events, and failed runs.

Belongs here: from what happened to which run is asked for. A run key is the purpose and the id of what caused it, so a
tick that is repeated asks for the same run; the cursor moves last. What is computed is in the assets.
"""

from datetime import date, timedelta
from typing import Any

import dagster as dg
import polars as pl

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.automation.guards import reason_to_wait, under_way
from aivo_assets.automation.jobs import CAUSE_TAG, EVERY_JOB, MODEL_TAG
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.drift.training_need import TRAINING_NEED
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Dataset, Lake
from aivo_assets.operations.alerts import Alert, Notifier
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import Clock
from aivo_assets.settings import Settings

STUDENT_ASSETS = ("learner_states", "scored_events", "student_models", "learning_signals", "recommendations")

Tick = dg.RunRequest | dg.SkipReason | dg.SensorResult


def build_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """The sensors, all on as soon as a daemon runs."""
    kept: dict[str, Any] = {
        "minimum_interval_seconds": settings.schedule.sensor_seconds,
        "default_status": dg.DefaultSensorStatus.RUNNING,
    }

    @dg.sensor(
        description="A verdict that a model drifted starts its retraining; a score that alarms alerts as well.",
        job_name="emergency_retrain",
        **kept,
    )
    def drift_retraining(
        context: dg.SensorEvaluationContext,
        lake: dg.ResourceParam[Lake],
        clock: dg.ResourceParam[Clock],
        notifier: dg.ResourceParam[Notifier],
    ) -> Tick:
        return retrain_drifted(context, lake, clock, notifier)

    @dg.sensor(
        description="A two-hourly check that found training needed starts it, unless a guard says to wait.",
        job_name="main_brain_training",
        **kept,
    )
    def adaptive_training(
        context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake], clock: dg.ResourceParam[Clock]
    ) -> Tick:
        return train_if_needed(context, lake, clock, settings.training.minimum_hours_between)

    @dg.sensor(
        description="A recommendation that changed a learner's level or plan brings the student models up to date.",
        job_name="student_model_update",
        **kept,
    )
    def student_model_update(context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake]) -> Tick:
        return update_students(context, lake)

    @dg.sensor(
        description="Days whose raw events are newer than what was made of them are anonymised again.",
        job_name="late_events",
        **kept,
    )
    def late_events(context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake]) -> Tick:
        return catch_up_late_days(context, lake)

    @dg.run_failure_sensor(
        description="A run that failed for good becomes an alert.",
        monitor_all_code_locations=True,
        **kept,
    )
    def failed_runs(
        context: dg.RunFailureSensorContext, clock: dg.ResourceParam[Clock], notifier: dg.ResourceParam[Notifier]
    ) -> None:
        notifier.send(failure_alert(context, clock))

    return [drift_retraining, adaptive_training, student_model_update, late_events, failed_runs]


def retrain_drifted(context: dg.SensorEvaluationContext, lake: Lake, clock: Clock, notifier: Notifier) -> Tick:
    """Ask for a run for every model whose newest verdict is to retrain it."""
    found = _newest(lake, DRIFT_VERDICTS)
    if found is None:
        return dg.SkipReason("No drift check has been made yet.")
    day, version, verdicts = found
    if version == context.cursor:
        return dg.SkipReason(f"The verdict of {day} was dealt with.")
    running = under_way(context.instance)
    drifted = verdicts.filter(pl.col("verdict").is_in(["retrain", "alert"]))
    if drifted.height and running:
        return dg.SkipReason(f"Run {running} is training already; its result comes first.")
    requests = []
    for row in drifted.iter_rows(named=True):  # a handful of models, never learners
        if row["verdict"] == "alert":
            notifier.send(
                Alert(
                    title=f"{row['model_id']} drifted",
                    body=row["reason"],
                    severity="critical",
                    key=f"drift:{row['model_id']}",
                    context={"day": str(day), "score": f"{row['score']:.3f}"},
                    occurred_at=clock.now(),
                )
            )
        requests.append(
            dg.RunRequest(
                # The day is checked every six hours: the same finding about the same model asks once.
                run_key=f"drift:{row['model_id']}:{row['model_version']}:{day}:{row['verdict']}",
                partition_key=day.isoformat(),
                asset_selection=_affected(row["model_id"]),
                tags={CAUSE_TAG: f"drift verdict of {day}: {row['reason']}"[:250], MODEL_TAG: row["model_id"]},
            )
        )
    if not requests:
        return _skip(f"The verdict of {day}: no model drifted.", version)
    return dg.SensorResult(run_requests=requests, cursor=version)


def train_if_needed(context: dg.SensorEvaluationContext, lake: Lake, clock: Clock, minimum_hours: float) -> Tick:
    """Ask for a training where the newest two-hourly check found one needed."""
    found = _newest(lake, TRAINING_NEED)
    if found is None:
        return dg.SkipReason("No two-hourly check has been made yet.")
    day, version, needs = found
    if version == context.cursor:
        return dg.SkipReason(f"The check of {day} was dealt with.")
    needed = needs.filter("needed")
    if needed.is_empty():
        return _skip(f"The check of {day}: {needs['reason'][0]}", version)
    wait = reason_to_wait(context.instance, clock.now(), minimum_hours)
    if wait is not None:
        return dg.SkipReason(wait)
    request = dg.RunRequest(
        run_key=f"adaptive:{version}",
        partition_key=day.isoformat(),
        tags={CAUSE_TAG: f"two-hourly check of {day}: {needed['reason'][0]}"[:250], MODEL_TAG: "main_brain"},
    )
    return dg.SensorResult(run_requests=[request], cursor=version)


def update_students(context: dg.SensorEvaluationContext, lake: Lake) -> Tick:
    """Ask for a student model update where the newest recommendations changed a level or a plan."""
    found = _newest(lake, RECOMMENDATIONS, columns=["changed"])
    if found is None:
        return dg.SkipReason("There are no recommendations yet.")
    day, version, recommendations = found
    if version == context.cursor:
        return dg.SkipReason(f"The recommendations of {day} were dealt with.")
    changed = int(recommendations["changed"].sum())
    if changed == 0:
        return _skip(f"The recommendations of {day} changed no level and no plan.", version)
    request = dg.RunRequest(
        run_key=f"recommendations:{version}",
        partition_key=day.isoformat(),
        tags={CAUSE_TAG: f"{changed} recommendations of {day} changed a level or a plan", MODEL_TAG: "student_models"},
    )
    return dg.SensorResult(run_requests=[request], cursor=version)


def catch_up_late_days(context: dg.SensorEvaluationContext, lake: Lake) -> Tick:
    """Ask for the days whose anonymised partition was made from other raw events than there are now."""
    running = under_way(context.instance, EVERY_JOB)
    if running is not None:
        return dg.SkipReason(f"Run {running} is under way and may be dealing with them.")
    late = [day for day in lake.days(RAW_INTERACTIONS) if not _up_to_date(lake, day)]
    if not late:
        return dg.SkipReason("Every day is up to date with its raw events.")
    first = late[0]
    last = max(day for day in late if day - first < timedelta(days=31))
    raw = lake.version(RAW_INTERACTIONS, days=late)
    return dg.RunRequest(
        run_key=f"late:{first}:{last}:{raw}",
        tags={
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": last.isoformat(),
            CAUSE_TAG: f"late events for {len(late)} days from {first} on",
        },
    )


def failure_alert(context: dg.RunFailureSensorContext, clock: Clock) -> Alert:
    """The alert that a failed run becomes. It names the run and the step, and leaves values out of it."""
    run = context.dagster_run
    steps = ", ".join(event.step_key or "?" for event in context.get_step_failure_events()) or "no step"
    return Alert(
        title=f"Run of {run.job_name} failed",
        body=f"Run {run.run_id} failed in {steps}; it was started by {run.tags.get(CAUSE_TAG, 'hand')}.",
        severity="error",
        key=f"run_failure:{run.job_name}:{steps}",
        context={"run_id": run.run_id, "job": run.job_name},
        occurred_at=clock.now(),
    )


def _affected(model_id: str) -> list[dg.AssetKey] | None:
    """Assets that retrain a model; None for all of the sensor's job."""
    if model_id.startswith("student_models"):
        return [dg.AssetKey(name) for name in STUDENT_ASSETS]
    return None


def _newest(lake: Lake, dataset: Dataset, columns: list[str] | None = None) -> tuple[date, str, pl.DataFrame] | None:
    """Day, version and rows of the newest partition."""
    days = lake.days(dataset)
    if not days:
        return None
    frame = lake.scan(dataset, days=days[-1:])
    return days[-1], lake.version(dataset, days=days[-1:]), (frame.select(columns) if columns else frame).collect()


def _up_to_date(lake: Lake, day: date) -> bool:
    made = lake.manifest(ANONYMISED_INTERACTIONS, day=day)
    return made is not None and made["made_by"].get("raw_version") == lake.version(RAW_INTERACTIONS, days=[day])


def _skip(reason: str, cursor: str) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=cursor)
