"""Trainings of the main brain that a finding asks for: a model drifted, or new answers make one worth while."""

from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from aivo_assets.automation.guards import knows_every_answer, reason_to_wait, refused_lately, under_way
from aivo_assets.automation.runs.attempts import Attempt, next_attempt
from aivo_assets.automation.runs.evidence import run_that_made
from aivo_assets.automation.sensing.tick import MACHINE, Tick, newest_rows, request, skip
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.drift.verdicts.training_need import TRAINING_NEED
from aivo_assets.lake import Lake
from aivo_assets.operations.alerts.alert import Notifier
from aivo_assets.operations.alerts.rules import drift_alert
from aivo_assets.operations.jobs.causes import Cause
from aivo_assets.resources.clock import Clock

STUDENT_ASSETS = ("learner_states", "scored_events", "student_models", "learning_signals", "recommendations")


def retrain_drifted(
    context: dg.SensorEvaluationContext,
    lake: Lake,
    clock: Clock,
    notifier: Notifier,
    refusal_cooldown_hours: float = 0,
    *,
    machine: Clock = MACHINE,
) -> Tick:
    """Ask for a run for every model whose newest verdict is to retrain it.

    After a refused challenger only an extreme verdict is let through until the cool-down is over. Where no answer has
    arrived since the last training, the verdict waits for one.
    """
    newest = newest_rows(lake, DRIFT_VERDICTS)
    if newest is None:
        return dg.SkipReason("No drift check has been made yet.")
    day, version, verdicts = newest
    drifted = verdicts.filter(pl.col("verdict").is_in(["retrain", "alert"])).to_dicts()
    if not drifted:
        return skip(f"The verdict of {day}: no model drifted.", version)
    # The day is checked every six hours: the same finding about the same model asks once.
    keys = {
        row["model_id"]: f"drift:{row['model_id']}:{row['model_version']}:{day}:{row['verdict']}" for row in drifted
    }
    attempts = _attempts(context, keys, machine)
    if not attempts or (version == context.cursor and all(each.failed is None for each in attempts.values())):
        return skip(f"The verdict of {day} was dealt with.", version)
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
    finding = f"{day}@{version}"
    made_by = run_that_made(context.instance, "drift_verdict", day.isoformat())
    requests = [_retraining(row, attempts[row["model_id"]], day, finding, made_by) for row in drifted]
    return dg.SensorResult(run_requests=requests, cursor=version)


def _retraining(row: dict[str, Any], attempt: Attempt, day: date, finding: str, made_by: str) -> dg.RunRequest:
    """The run that a row of the verdicts asks for."""
    model = row["model_id"]
    sentence = f"drift verdict of {day} on {model}: {row['reason']}{attempt.sentence}"
    cause = Cause(kind="drift", by="drift_retraining", sentence=sentence, evidence=finding, run=made_by)
    priority = 2 if row["verdict"] == "alert" else 1  # before what the crons asked for
    return request(attempt, day, cause, model, assets=_affected(model), priority=priority)


def train_if_needed(
    context: dg.SensorEvaluationContext,
    lake: Lake,
    clock: Clock,
    minimum_hours: float,
    refusal_cooldown_hours: float = 0,
    *,
    machine: Clock = MACHINE,
) -> Tick:
    """Ask for a training where the newest two-hourly check found one needed."""
    newest = newest_rows(lake, TRAINING_NEED)
    if newest is None:
        return dg.SkipReason("No two-hourly check has been made yet.")
    day, version, needs = newest
    needed = needs.filter("needed")
    if needed.is_empty():
        return skip(f"The check of {day}: {needs['reason'][0]}", version)
    attempt = next_attempt(context.instance, f"adaptive:{version}", machine.now())
    if attempt is None or (version == context.cursor and attempt.failed is None):
        return skip(f"The check of {day} was dealt with.", version)
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
    return dg.SensorResult(run_requests=[request(attempt, day, cause, "main_brain")], cursor=version)


def _attempts(context: dg.SensorEvaluationContext, keys: dict[str, str], machine: Clock) -> dict[str, Attempt]:
    """Of each name the next attempt under its key, as far as there is one."""
    attempts = {name: next_attempt(context.instance, key, machine.now()) for name, key in keys.items()}
    return {name: attempt for name, attempt in attempts.items() if attempt is not None}


def _affected(model_id: str) -> list[dg.AssetKey] | None:
    """Assets that retrain a model; None for all of the sensor's job."""
    if model_id.startswith("student_models"):
        return [dg.AssetKey(name) for name in STUDENT_ASSETS]
    return None
