"""Why a run was started and what it led to. Belongs here: the chain from cause to effect, in plain sentences.

All of it is read from what the run left behind: its tags, the metadata of what it made, and the verdicts in the lake.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

import dagster as dg
import polars as pl

from aivo_assets.automation._dagster import AUTO_RETRY_RUN_ID_TAG, BACKFILL_ID_TAG, PARENT_RUN_ID_TAG
from aivo_assets.automation.runs.failures import failures
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.drift.verdicts.training_need import TRAINING_NEED
from aivo_assets.errors import RunError
from aivo_assets.lake import Dataset, Lake
from aivo_assets.operations.jobs.causes import CAUSE_TAG, RUN_TAG, Cause
from aivo_assets.operations.jobs.names import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG, WITHOUT_TRAINING_TAG

LONGEST_CHAIN: Final = 6
_DATASETS: Final[Mapping[str, Dataset]] = {"drift": DRIFT_VERDICTS, "need": TRAINING_NEED}


def explain(instance: dg.DagsterInstance, lake: Lake, run_id: str) -> list[str]:
    """The chain of a run: what it is, why it was, on what evidence, what it did, and what that led to.

    Args:
        instance: Where runs and materialisations are kept.
        lake: Where verdicts are kept.
        run_id: Id of the run, or the beginning of it.

    Raises:
        RunError: There is no such run, or several begin like this.
    """
    run = _find(instance, run_id)
    lines = [_what(instance, run)]
    lines += _causes(instance, lake, run)
    lines += _effects(instance, run)
    for led_to in instance.get_runs(filters=dg.RunsFilter(tags={RUN_TAG: run.run_id}), ascending=True):
        lines.append(f"It led to {_name(led_to)}: {led_to.tags.get(CAUSE_TAG, '')}")
        lines += [f"  {line}" for line in _effects(instance, led_to)]
    return lines


def _find(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRun:
    run = instance.get_run_by_id(run_id)
    if run is not None:
        return run
    alike = [run for run in instance.get_runs() if run.run_id.startswith(run_id)] if len(run_id) >= 4 else []
    if len(alike) == 1:
        return alike[0]
    raise RunError(
        f"{len(alike) or 'No'} runs begin with {run_id!r}",
        fix="Take the id from the run's page in `aivo up`, or a longer beginning of it.",
    )


def _what(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    record = instance.get_run_record_by_id(run.run_id)
    since = "" if record is None or record.start_time is None else f", begun {_instant(record.start_time)}"
    until = "" if record is None or record.end_time is None else f", ended {_instant(record.end_time)}"
    return f"{_name(run, begin=True)}, {_days(run.tags)}: {run.status.value.lower()}{since}{until}."


def _causes(instance: dg.DagsterInstance, lake: Lake, run: dg.DagsterRun) -> Iterator[str]:
    """Why, step by step back to what nothing else caused."""
    for depth in range(LONGEST_CHAIN):
        indent = "  " * depth
        yield from (f"{indent}{line}" for line in _cause(lake, run))
        cause = Cause.of(run.tags)
        before = instance.get_run_by_id(cause.run) if cause is not None and cause.run else None
        if before is None:
            return
        yield f"{indent}That was found by {_name(before)}."
        run = before


def _cause(lake: Lake, run: dg.DagsterRun) -> Iterator[str]:
    if PARENT_RUN_ID_TAG in run.tags:
        yield f"It repeats run {run.tags[PARENT_RUN_ID_TAG]}, which did not end well, with the same cause:"
    cause = Cause.of(run.tags)
    if cause is None:
        text = run.tags.get(CAUSE_TAG)
        by_hand = "It was started by hand in the web UI; nobody said why."
        backfill = f"It is part of backfill {run.tags[BACKFILL_ID_TAG]}." if BACKFILL_ID_TAG in run.tags else by_hand
        yield f"It was started by {text}." if text else backfill
        return
    yield f"{cause.opening()} It said: {cause.sentence}"
    if cause.kind in _DATASETS:
        yield _evidence(lake, cause, run.tags)
    if WITHOUT_TRAINING_TAG in run.tags:
        yield f"It leaves out the training of the main brain: {run.tags[WITHOUT_TRAINING_TAG]}"


def _evidence(lake: Lake, cause: Cause, tags: Mapping[str, str]) -> str:
    """The numbers behind a verdict, where the lake still holds the one that was acted on."""
    day, _, version = cause.evidence.partition("@")
    days, dataset = [date.fromisoformat(day)], _DATASETS[cause.kind]
    if lake.version(dataset, days=days) != version:
        return f"The check of {day} was made again since, so that its numbers of then are in that sentence alone."
    rows = lake.scan(dataset, days=days).collect()
    if cause.kind == "drift":
        rows = rows.filter(pl.col("model_id") == tags.get("aivo/model", ""))
    return " ".join(_drift(row) if cause.kind == "drift" else _need(row) for row in rows.to_dicts())


def _drift(row: Mapping[str, Any]) -> str:
    losses = f" Log loss {row['log_loss']:.4f}, promised {row['reference_log_loss']:.4f}." if row["log_loss"] else ""
    return (
        f"Evidence: {row['model_id']}, version {row['model_version']}, score {row['score'] or 0:.3f} by "
        f"{row['measure']} (retrain above {row['retrain_score']:.2f}, alert above {row['alert_score']:.2f}), on "
        f"{row['events']:,} events of {row['learners']:,} learners, "
        f"{row['window_first']} to {row['window_last']}.{losses}"
    )


def _need(row: Mapping[str, Any]) -> str:
    numbers = (
        f"{name.replace('_', ' ')} {value:,.3f}" if isinstance(value, float) else f"{name.replace('_', ' ')} {value:,}"
        for name, value in row.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    )
    return f"Evidence: {', '.join(numbers)}."


def _effects(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """What a run made of note, by the metadata of its materialisations; the last one of an asset counts."""
    made = _made(instance, run.run_id)
    lines = [line for asset, tell in _TELL.items() if asset in made and (line := tell(made[asset]))]
    if run.status == dg.DagsterRunStatus.FAILURE:
        again = run.tags.get(AUTO_RETRY_RUN_ID_TAG)
        lines.append(
            f"It failed; run {again} tries again." if again else f"It failed in {_failed_steps(instance, run)}."
        )
        lines += [f"  {failure.told(to_all=False)}" for failure in failures(instance, run.run_id)]
    if not made and run.is_finished and run.status != dg.DagsterRunStatus.FAILURE:
        lines.append("It made nothing.")
    elif not lines and made:
        lines.append(f"It made {', '.join(sorted(made))}.")
    return lines


def _made(instance: dg.DagsterInstance, run_id: str) -> dict[str, dict[str, Any]]:
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    made: dict[str, dict[str, Any]] = {}
    for record in records:
        materialisation = record.asset_materialization
        if materialisation is not None:
            values = {name: value.value for name, value in materialisation.metadata.items()}
            made.setdefault(materialisation.asset_key.to_user_string(), {}).update(values)
    return made


def _failed_steps(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    failures = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    steps = sorted({str(record.event_log_entry.step_key) for record in failures})
    return ", ".join(steps) or "no step: its process died"


def _candidate(made: Mapping[str, Any]) -> str:
    return f"It trained version {made.get('version')} of the main brain (trained at {made.get('trained_at')})."


def _judged(made: Mapping[str, Any]) -> str:
    return f"Evaluation: {'to be promoted' if made.get('promote') else 'refused'}. {made.get('reason')}"


def _promoted(made: Mapping[str, Any]) -> str:
    if made.get("promoted"):
        return f"Promoted: the champion is {made.get('champion')}, and its hold-out is the new drift reference."
    return f"Not promoted: the champion stays {made.get('champion')}, and so does the drift reference."


def _rolled_back(made: Mapping[str, Any]) -> str:
    return f"The champion was rolled back: {made.get('reason')}" if made.get("roll_back") else ""


def _rows(name: str) -> Any:
    return lambda made: f"It made {name}: {made['rows_out']:,} rows." if made.get("rows_out") else ""


def _verdicts(made: Mapping[str, Any]) -> str:
    table = made.get("verdicts")
    summary = "; ".join(f"{row.data['model']}: {row.data['verdict']}" for row in getattr(table, "records", table) or [])
    return f"Drift verdicts: {summary}." if summary else f"No drift verdict: {made.get('note', 'no rows')}"


def _needed(made: Mapping[str, Any]) -> str:
    return f"Is training needed? {made.get('reason')}"


_TELL: Final[Mapping[str, Any]] = {
    "main_brain_candidate": _candidate,
    "champion_shadow": _rolled_back,
    "main_brain_evaluation": _judged,
    "main_brain_promotion": _promoted,
    "student_models": _rows("student models"),
    "recommendations": _rows("recommendations"),
    "drift_verdict": _verdicts,
    "training_need": _needed,
}


def _name(run: dg.DagsterRun, *, begin: bool = False) -> str:
    return f"{'Run' if begin else 'run'} {run.run_id} of {run.job_name}"


def _days(tags: Mapping[str, str]) -> str:
    if RANGE_START_TAG in tags and tags[RANGE_START_TAG] != tags.get(RANGE_END_TAG):
        return f"{tags[RANGE_START_TAG]} to {tags.get(RANGE_END_TAG)}"
    return f"as of {tags.get(PARTITION_TAG) or tags.get(RANGE_START_TAG) or 'no day'}"


def _instant(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
