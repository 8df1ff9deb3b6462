"""Why a run failed, from what Dagster keeps of it. Belongs here: the step and the cause in words; nothing is sent.

Dagster wraps what a step raised, more than once where it was tried again ("Exceeded max_retries"). Of the chain an
error of ours says it best; without one the innermost does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

RAW_STEPS: Final = frozenset(
    {"ingest", "raw_learners", "raw_overrides", "quarantine", "anonymised_interactions", "anonymised_learners",
     "overrides", "privacy_audit"}
)  # fmt: skip
"""Steps that read raw rows: their errors may quote what is personal, and are not sent anywhere."""

_OURS: Final = "aivo_assets."


@dataclass(frozen=True)
class Failure:
    """One step that failed, or a run that failed outside its steps.

    Attributes:
        step: Name of the step; None where the run failed outside one.
        kind: Class of the cause, such as `SourceError`; empty where none is kept.
        what: What it said, in one line.
    """

    step: str | None
    kind: str
    what: str

    def told(self, *, to_all: bool) -> str:
        """The failure in a sentence.

        Args:
            to_all: Whether it leaves the platform: what a step that reads raw rows said is then left out.
        """
        if to_all and self.step in RAW_STEPS:
            return f"{self.step}: {self.kind or 'it failed'}, in a step that reads raw rows, whose words stay here."
        sentence = ": ".join(part for part in (self.step, self.kind, self.what) if part)
        return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def failures(instance: dg.DagsterInstance, run_id: str) -> list[Failure]:
    """What failed in a run, in its order; where no step did, why the run itself failed."""
    of_steps = [
        _of_step(event) for event in _events(instance, run_id, dg.DagsterEventType.STEP_FAILURE) if event.step_key
    ]
    if of_steps:
        return of_steps
    return [
        Failure(None, "", _one_line(event.message or ""))
        for event in _events(instance, run_id, dg.DagsterEventType.RUN_FAILURE)
    ]


def _events(instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType) -> Iterator[dg.DagsterEvent]:
    for record in instance.get_records_for_run(run_id, of_type=kind).records:
        if record.event_log_entry.dagster_event is not None:
            yield record.event_log_entry.dagster_event


def _of_step(event: dg.DagsterEvent) -> Failure:
    error = event.step_failure_data.error
    chain: list[Any] = []
    while error is not None:
        chain.append(error)
        error = error.cause
    if not chain:
        return Failure(event.step_key, "", _one_line(event.message or ""))
    cause = next((each for each in chain if each.message.startswith(_OURS)), chain[-1])
    name, separator, what = cause.message.partition(": ")
    kind = cause.cls_name or name.rsplit(".", 1)[-1]
    return Failure(event.step_key, kind, _one_line(what if separator else cause.message))


def _one_line(text: str) -> str:
    return " ".join(text.split())
