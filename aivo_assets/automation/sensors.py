"""The sensors: drift, need for training, changed recommendations, late events, failed runs, alerts.

Belongs here: what Dagster has to know of each. What a tick asks for is in `sensing/`.
"""

from typing import Any

import dagster as dg

from aivo_assets.automation.alerting import Sources, look_out, show
from aivo_assets.automation.sensing.failed_runs import tell_of_failed_run
from aivo_assets.automation.sensing.late_days import catch_up_late_days
from aivo_assets.automation.sensing.students import update_students
from aivo_assets.automation.sensing.tick import MACHINE, Tick, skip
from aivo_assets.automation.sensing.trainings import retrain_drifted, train_if_needed
from aivo_assets.lake import Lake
from aivo_assets.language import Language
from aivo_assets.operations.alerts.alert import Notifier
from aivo_assets.operations.alerts.outbox import Outbox
from aivo_assets.resources.clock import Clock
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.catalogue import feature_schema
from aivo_assets.tracing.judging.registry import Registry


def build_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """The sensors, all on as soon as a daemon runs."""
    build = (_drift_retraining, _adaptive_training, _student_model_update, _late_events, _failed_runs, _alert_watch)
    return [each(settings) for each in build]


def _every(seconds: int) -> dict[str, Any]:
    return {"minimum_interval_seconds": seconds, "default_status": dg.DefaultSensorStatus.RUNNING}


def _drift_retraining(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        description="A verdict that a model drifted starts its retraining; a score that alarms alerts as well.",
        job_name="emergency_retrain",
        **_every(settings.schedule.sensor_seconds),
    )
    def drift_retraining(
        context: dg.SensorEvaluationContext,
        lake: dg.ResourceParam[Lake],
        clock: dg.ResourceParam[Clock],
        notifier: dg.ResourceParam[Notifier],
    ) -> Tick:
        return retrain_drifted(context, lake, clock, notifier, settings.schedule.refusal_cooldown_hours)

    return drift_retraining


def _adaptive_training(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        description="A two-hourly check that found training needed starts it, unless a guard says to wait.",
        job_name="main_brain_training",
        **_every(settings.schedule.sensor_seconds),
    )
    def adaptive_training(
        context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake], clock: dg.ResourceParam[Clock]
    ) -> Tick:
        hours = settings.training.minimum_hours_between
        return train_if_needed(context, lake, clock, hours, settings.schedule.refusal_cooldown_hours)

    return adaptive_training


def _student_model_update(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        description="A recommendation that changed a learner's level or plan brings that learner's model up to date.",
        job_name="student_model_update",
        **_every(settings.schedule.sensor_seconds),
    )
    def student_model_update(context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake]) -> Tick:
        return update_students(context, lake)

    return student_model_update


def _late_events(settings: Settings) -> dg.SensorDefinition:
    seconds = settings.schedule.sensor_seconds

    @dg.sensor(
        description="Days whose raw events are newer than what was made of them are anonymised again.",
        job_name="late_events",
        **_every(seconds),
    )
    def late_events(context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake]) -> Tick:
        return catch_up_late_days(context, lake, seconds=seconds)

    return late_events


def _failed_runs(settings: Settings) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        description="A run that failed for good becomes an alert; one that Dagster starts again does not.",
        monitor_all_code_locations=True,
        **_every(settings.schedule.sensor_seconds),
    )
    def failed_runs(
        context: dg.RunFailureSensorContext, clock: dg.ResourceParam[Clock], notifier: dg.ResourceParam[Notifier]
    ) -> None:
        tell_of_failed_run(context.instance, context.dagster_run, clock, notifier)

    return failed_runs


def _alert_watch(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        description="Asks every alert rule, tells teachers who newly struggles, tries again what was not delivered.",
        **_every(settings.alerts.watch_seconds),
    )
    def alert_watch(
        context: dg.SensorEvaluationContext,
        lake: dg.ResourceParam[Lake],
        clock: dg.ResourceParam[Clock],
        registry: dg.ResourceParam[Registry],
        notifier: dg.ResourceParam[Notifier],
        outbox: dg.ResourceParam[Outbox],
    ) -> dg.SensorResult:
        language = Language(settings.policy.language)
        features = feature_schema(settings.features)
        sources = Sources(
            lake, registry, context.instance, settings.alerts, clock.now(), MACHINE.now(), language, features
        )
        return watch_alerts(context, sources, notifier, outbox)

    return alert_watch


def watch_alerts(
    context: dg.SensorEvaluationContext, sources: Sources, notifier: Notifier, outbox: Outbox
) -> dg.SensorResult:
    """Look out, and show what is kept where it changed."""
    alerts = look_out(sources, notifier, outbox, context.log.warning)
    shown, check, state = show(alerts)
    if state == context.cursor:
        return skip(f"Nothing new; {shown.metadata['undelivered'].value} alerts are undelivered.", state)
    return dg.SensorResult(asset_events=[shown, check], cursor=state)
