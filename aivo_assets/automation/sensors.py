"""The sensors: drift, need for training, changed recommendations, late events, failed runs, alerts.

Belongs here: from what happened to which run is asked for. A run key is the purpose and the id of what caused it, so a
tick that is repeated asks for the same run; where that run failed, another is asked for (attempts.py). The cursor moves
last. What is computed is in the assets.
"""

import hashlib
import time
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg
import polars as pl

from aivo_assets.adaptive.advice.plans import outdated
from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.automation._dagster import AUTO_RETRY_RUN_ID_TAG, WILL_RETRY_TAG
from aivo_assets.automation.alerting import Sources, look_out, show
from aivo_assets.automation.guards import knows_every_answer, reason_to_wait, refused_lately, under_way
from aivo_assets.automation.runs.attempts import Attempt, next_attempt
from aivo_assets.automation.runs.evidence import run_that_made
from aivo_assets.automation.runs.failures import failures
from aivo_assets.automation.ticks import partition_tags
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.drift.verdicts.training_need import TRAINING_NEED
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Dataset, Lake, read
from aivo_assets.lake.commits.damage import damaged_days, damaged_files
from aivo_assets.lake.commits.looking_round import looked_at, turn
from aivo_assets.language import Language
from aivo_assets.operations.alerts.alert import Notifier
from aivo_assets.operations.alerts.outbox import Outbox
from aivo_assets.operations.alerts.rules import drift_alert, failed_run_alert
from aivo_assets.operations.jobs.causes import MODEL_TAG, Cause
from aivo_assets.operations.jobs.names import EVERY_JOB, PRIORITY_TAG
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import Clock, SystemClock
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.catalogue import feature_schema
from aivo_assets.tracing.judging.registry import Registry

STUDENT_ASSETS = ("learner_states", "scored_events", "student_models", "learning_signals", "recommendations")

LOOKS_FOR_RETRY = 10
SECONDS_BETWEEN_LOOKS = 0.3
_MACHINE = SystemClock()  # runs are dated by it, whatever clock the platform has

Tick = dg.RunRequest | dg.SkipReason | dg.SensorResult


def build_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """The sensors, all on as soon as a daemon runs."""
    shared: dict[str, Any] = {
        "minimum_interval_seconds": settings.schedule.sensor_seconds,
        "default_status": dg.DefaultSensorStatus.RUNNING,
    }

    @dg.sensor(
        description="A verdict that a model drifted starts its retraining; a score that alarms alerts as well.",
        job_name="emergency_retrain",
        **shared,
    )
    def drift_retraining(
        context: dg.SensorEvaluationContext,
        lake: dg.ResourceParam[Lake],
        clock: dg.ResourceParam[Clock],
        notifier: dg.ResourceParam[Notifier],
    ) -> Tick:
        hours = settings.schedule.refusal_cooldown_hours
        return retrain_drifted(context, lake, clock, notifier, hours)

    @dg.sensor(
        description="A two-hourly check that found training needed starts it, unless a guard says to wait.",
        job_name="main_brain_training",
        **shared,
    )
    def adaptive_training(
        context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake], clock: dg.ResourceParam[Clock]
    ) -> Tick:
        return train_if_needed(
            context,
            lake,
            clock,
            settings.training.minimum_hours_between,
            settings.schedule.refusal_cooldown_hours,
        )

    @dg.sensor(
        description="A recommendation that changed a learner's level or plan brings that learner's model up to date.",
        job_name="student_model_update",
        **shared,
    )
    def student_model_update(context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake]) -> Tick:
        return update_students(context, lake)

    @dg.sensor(
        description="Days whose raw events are newer than what was made of them are anonymised again.",
        job_name="late_events",
        **shared,
    )
    def late_events(context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake]) -> Tick:
        return catch_up_late_days(context, lake, seconds=settings.schedule.sensor_seconds)

    @dg.run_failure_sensor(
        description="A run that failed for good becomes an alert; one that Dagster starts again does not.",
        monitor_all_code_locations=True,
        **shared,
    )
    def failed_runs(
        context: dg.RunFailureSensorContext, clock: dg.ResourceParam[Clock], notifier: dg.ResourceParam[Notifier]
    ) -> None:
        run = _as_it_stands(context.instance, context.dagster_run)
        if run.status != dg.DagsterRunStatus.FAILURE or run.tags.get(WILL_RETRY_TAG) == "true":
            return
        if AUTO_RETRY_RUN_ID_TAG in run.tags:  # its retry alerts for itself
            return
        failed = failures(context.instance, run.run_id)
        steps = tuple(each.step for each in failed if each.step is not None)
        causes = tuple(each.told(to_all=True) for each in failed)
        notifier.send(failed_run_alert(run.run_id, run.job_name, run.tags, steps, clock.now(), causes=causes))

    @dg.sensor(
        description="Asks every alert rule, tells teachers who newly struggles, tries again what was not delivered.",
        minimum_interval_seconds=settings.alerts.watch_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
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
            lake, registry, context.instance, settings.alerts, clock.now(), _MACHINE.now(), language, features
        )
        return watch_alerts(context, sources, notifier, outbox)

    return [drift_retraining, adaptive_training, student_model_update, late_events, failed_runs, alert_watch]


def retrain_drifted(
    context: dg.SensorEvaluationContext,
    lake: Lake,
    clock: Clock,
    notifier: Notifier,
    refusal_cooldown_hours: float = 0,
    *,
    machine: Clock = _MACHINE,
) -> Tick:
    """Ask for a run for every model whose newest verdict is to retrain it.

    After a refused challenger only an extreme verdict is let through until the cool-down is over. Where no answer has
    arrived since the last training, the verdict waits for one.
    """
    newest = _newest(lake, DRIFT_VERDICTS)
    if newest is None:
        return dg.SkipReason("No drift check has been made yet.")
    day, version, verdicts = newest
    drifted = verdicts.filter(pl.col("verdict").is_in(["retrain", "alert"])).to_dicts()
    if not drifted:
        return _skip(f"The verdict of {day}: no model drifted.", version)
    # The day is checked every six hours: the same finding about the same model asks once.
    keys = {
        row["model_id"]: f"drift:{row['model_id']}:{row['model_version']}:{day}:{row['verdict']}" for row in drifted
    }
    attempts = _attempts(context, keys, machine)
    if not attempts or (version == context.cursor and all(each.failed is None for each in attempts.values())):
        return _skip(f"The verdict of {day} was dealt with.", version)
    drifted = [row for row in drifted if row["model_id"] in attempts]
    extreme = [row for row in drifted if row["verdict"] == "alert"]
    for row in extreme:  # told at once, even where the retraining has to wait; the outbox folds what is told again
        notifier.send(drift_alert(row, clock.now()))
    running = under_way(context.instance)
    if running:
        return dg.SkipReason(f"Run {running} is training already; its result comes first.")
    wait = None if extreme else refused_lately(lake, clock.now(), refusal_cooldown_hours)
    if wait is None and knows_every_answer(context.instance, lake):
        wait = "The last training knew every answer that there is: another would make the same model."
    if wait is not None:
        return dg.SkipReason(f"{drifted[0]['model_id']} drifted. {wait}")
    made_by = run_that_made(context.instance, "drift_verdict", day.isoformat())
    requests = [
        dg.RunRequest(
            run_key=attempts[row["model_id"]].run_key,
            partition_key=day.isoformat(),
            asset_selection=_affected(row["model_id"]),
            tags={
                **Cause(
                    kind="drift",
                    by="drift_retraining",
                    sentence=f"drift verdict of {day} on {row['model_id']}: {row['reason']}"
                    + attempts[row["model_id"]].sentence,
                    evidence=f"{day}@{version}",
                    run=made_by,
                ).tags(),
                **attempts[row["model_id"]].tags,
                MODEL_TAG: row["model_id"],
                PRIORITY_TAG: "2" if row in extreme else "1",  # before what the crons asked for
            },
        )
        for row in drifted
    ]
    return dg.SensorResult(run_requests=requests, cursor=version)


def train_if_needed(
    context: dg.SensorEvaluationContext,
    lake: Lake,
    clock: Clock,
    minimum_hours: float,
    refusal_cooldown_hours: float = 0,
    *,
    machine: Clock = _MACHINE,
) -> Tick:
    """Ask for a training where the newest two-hourly check found one needed."""
    newest = _newest(lake, TRAINING_NEED)
    if newest is None:
        return dg.SkipReason("No two-hourly check has been made yet.")
    day, version, needs = newest
    needed = needs.filter("needed")
    if needed.is_empty():
        return _skip(f"The check of {day}: {needs['reason'][0]}", version)
    attempt = next_attempt(context.instance, f"adaptive:{version}", machine.now())
    if attempt is None or (version == context.cursor and attempt.failed is None):
        return _skip(f"The check of {day} was dealt with.", version)
    now = clock.now()
    wait = reason_to_wait(context.instance, now, minimum_hours) or refused_lately(lake, now, refusal_cooldown_hours)
    if wait is not None:
        return dg.SkipReason(wait)
    cause = Cause(
        kind="need",
        by="adaptive_training",
        sentence=f"two-hourly check of {day}: {needed['reason'][0]}{attempt.sentence}",
        evidence=f"{day}@{version}",
        run=run_that_made(context.instance, "training_need", day.isoformat()),
    )
    request = dg.RunRequest(
        run_key=attempt.run_key,
        partition_key=day.isoformat(),
        tags={**cause.tags(), **attempt.tags, MODEL_TAG: "main_brain"},
    )
    return dg.SensorResult(run_requests=[request], cursor=version)


def update_students(context: dg.SensorEvaluationContext, lake: Lake, *, machine: Clock = _MACHINE) -> Tick:
    """Ask for the models of those learners anew that hold another level or plan than the newest recommendations say.

    The run finds the learners itself, by the recommendations of its day: they may be more than a tag holds.
    """
    days = lake.days(RECOMMENDATIONS)
    if not days:
        return dg.SkipReason("There are no recommendations yet.")
    day, version = days[-1], lake.version(RECOMMENDATIONS, days=days[-1:])
    attempt = next_attempt(context.instance, f"recommendations:{day}:{version}", machine.now())
    if attempt is None or (version == context.cursor and attempt.failed is None):
        return _skip(f"The recommendations of {day} were dealt with.", version)
    running = under_way(context.instance, ("student_model_update",))
    if running is not None:
        return dg.SkipReason(f"Run {running} of student_model_update is still under way.")
    learners = outdated(lake, day=day).height
    if not learners:
        return _skip(f"The recommendations of {day} changed no level and no plan of a student model.", version)
    cause = Cause(
        kind="recommendations",
        by="student_model_update",
        sentence=f"the recommendations of {day} changed a level or a plan of "
        f"{learners} {'learner' if learners == 1 else 'learners'}{attempt.sentence}",
        evidence=f"{day}@{version}",
        run=run_that_made(context.instance, "recommendations", day.isoformat()),
    )
    request = dg.RunRequest(
        run_key=attempt.run_key,
        partition_key=day.isoformat(),
        tags={**cause.tags(), **attempt.tags, MODEL_TAG: "student_models"},
    )
    return dg.SensorResult(run_requests=[request], cursor=version)


def catch_up_late_days(
    context: dg.SensorEvaluationContext, lake: Lake, *, seconds: float = 60.0, machine: Clock = _MACHINE
) -> Tick:
    """Ask for the days whose anonymised partition was made from other raw events than there are now, or is damaged.

    A day whose raw file is damaged is asked for by itself, for each damage until a run went well: the source may give
    it no more. The newest days are looked at in each tick, the others in turns.
    """
    running = under_way(context.instance, EVERY_JOB)
    if running is not None:
        return dg.SkipReason(f"Run {running} is under way and may be dealing with them.")
    now = machine.now()
    days = looked_at(lake.days_named(RAW_INTERACTIONS), turn(now, seconds))
    torn = damaged_days(lake, RAW_INTERACTIONS, days)
    late = [day for day in days if day not in torn and not _up_to_date(lake, day)]
    if not torn and not late:
        return dg.SkipReason("Every day that was looked at is up to date with its raw events.")
    asked = [_read_again(context.instance, lake, day, now) for day in torn]
    if late:
        asked.append(_anonymise_again(context.instance, lake, late, now))
    requests = [request for request in asked if request is not None]
    if not requests:
        return dg.SkipReason(
            f"{len(torn)} days are damaged and {len(late)} wait to be anonymised, the first {min([*torn, *late])}: "
            "a run for them was cancelled, came to nothing, or failed a short time ago and is asked for again later."
        )
    return dg.SensorResult(run_requests=requests)


def _read_again(instance: dg.DagsterInstance, lake: Lake, day: date, now: datetime) -> dg.RunRequest | None:
    damaged = damaged_files(lake, RAW_INTERACTIONS, [day])
    attempt = next_attempt(instance, f"damaged:{day}:{_hash(damaged)}", now)
    if attempt is None:
        return None
    sentence = f"the raw file of {day} is damaged; its answers are read again where the source still gives them"
    cause = Cause("late_events", "late_events", sentence + attempt.sentence, evidence=_hash(damaged))
    return dg.RunRequest(run_key=attempt.run_key, tags={**partition_tags(day, day), **cause.tags(), **attempt.tags})


def _anonymise_again(instance: dg.DagsterInstance, lake: Lake, late: list[date], now: datetime) -> dg.RunRequest | None:
    first = late[0]
    last = max(day for day in late if day - first < timedelta(days=31))
    raw = lake.version(RAW_INTERACTIONS, days=late)
    damaged = damaged_files(lake, ANONYMISED_INTERACTIONS, late)
    what = f"{len(damaged)} damaged files, or late events," if damaged else "late events"
    # The raw events of a day that is only damaged are those that it was made from before: the damage tells it apart.
    same = f":{_hash(damaged)}" if damaged else ""
    attempt = next_attempt(instance, f"late:{first}:{last}:{raw}{same}", now)
    if attempt is None:
        return None
    sentence = f"{what} for {len(late)} days from {first} on{attempt.sentence}"
    cause = Cause("late_events", "late_events", sentence, evidence=raw)
    return dg.RunRequest(run_key=attempt.run_key, tags={**partition_tags(first, last), **cause.tags(), **attempt.tags})


def watch_alerts(
    context: dg.SensorEvaluationContext, sources: Sources, notifier: Notifier, outbox: Outbox
) -> dg.SensorResult:
    """Look out, and show what is kept where it changed."""
    alerts = look_out(sources, notifier, outbox, context.log.warning)
    shown, check, state = show(alerts)
    if state == context.cursor:
        return _skip(f"Nothing new; {shown.metadata['undelivered'].value} alerts are undelivered.", state)
    return dg.SensorResult(asset_events=[shown, check], cursor=state)


def _as_it_stands(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRun:
    """A failed run with the tag that says whether Dagster starts it again, which is set after the failure is stored."""
    for _ in range(LOOKS_FOR_RETRY):
        run = instance.get_run_by_id(run.run_id) or run
        if WILL_RETRY_TAG in run.tags or not instance.run_retries_enabled:
            break
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return run


def _attempts(context: dg.SensorEvaluationContext, keys: dict[str, str], machine: Clock) -> dict[str, Attempt]:
    """Of each name the next attempt under its key, as far as there is one."""
    attempts = {name: next_attempt(context.instance, key, machine.now()) for name, key in keys.items()}
    return {name: attempt for name, attempt in attempts.items() if attempt is not None}


def _hash(damaged: list[str]) -> str:
    return hashlib.sha256(repr(damaged).encode()).hexdigest()[:32]


def _affected(model_id: str) -> list[dg.AssetKey] | None:
    """Assets that retrain a model; None for all of the sensor's job."""
    if model_id.startswith("student_models"):
        return [dg.AssetKey(name) for name in STUDENT_ASSETS]
    return None


def _newest(lake: Lake, dataset: Dataset, columns: list[str] | None = None) -> tuple[date, str, pl.DataFrame] | None:
    """Day, version and rows of the newest partition."""
    days = lake.newest_days(dataset, 1)
    if not days:
        return None
    newest = read(lake, dataset, days=days)
    return days[-1], newest.version, (newest.frame.select(columns) if columns else newest.frame).collect()


def _up_to_date(lake: Lake, day: date) -> bool:
    made = lake.manifest(ANONYMISED_INTERACTIONS, day=day)
    newest = lake.version(RAW_INTERACTIONS, days=[day])
    if made is None or made["made_by"].get("raw_version") != newest:
        return False
    return not damaged_files(lake, ANONYMISED_INTERACTIONS, [day])


def _skip(reason: str, cursor: str) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=cursor)
