"""Repeating a run that failed. Belongs here: its run key and when it is due; the sensor says why it is needed.

Dagster starts no second run under a run key. The first one for a cause is asked for under the cause's own key. Where it
failed for good, another is asked for under the key of the next attempt: the first at once, later ones after a pause
that doubles, for as long as the cause is there. What succeeded, is under way, or was cancelled by somebody is not asked
for again.

Pauses are measured by the machine's clock, as the ends of runs are.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from aivo_assets.automation._dagster import WILL_RETRY_TAG

ASKED_TAG: Final = "aivo/asked_for"
"""Of a run of a sensor: digest of the cause's key, the same for every attempt."""

FIRST_PAUSE: Final = timedelta(minutes=5)
LONGEST_PAUSE: Final = timedelta(hours=6)
MOST_ATTEMPTS_SEEN: Final = 200


@dataclass(frozen=True)
class Attempt:
    """The next run for a cause.

    Attributes:
        run_key: Its run key.
        number: 1 for the first.
        failed: Id of the run that failed before; None for the first.
    """

    run_key: str
    number: int
    failed: str | None

    @property
    def tags(self) -> dict[str, str]:
        """What its run carries, so that it is found again."""
        return {ASKED_TAG: _digest(self.run_key.split(_TRY)[0])}

    @property
    def sentence(self) -> str:
        """What it says of attempts before; empty for the first."""
        return "" if self.failed is None else f"; attempt {self.number}, run {self.failed[:8]} failed"


_TRY = ":attempt-"


def next_attempt(instance: dg.DagsterInstance, key: str, machine_now: datetime) -> Attempt | None:
    """The run to be asked for, or None where there is nothing to ask for now.

    Args:
        instance: Where runs are looked up.
        key: Names the cause.
        machine_now: The present instant by the machine's clock, UTC.
    """
    records = instance.get_run_records(dg.RunsFilter(tags={ASKED_TAG: _digest(key)}), limit=MOST_ATTEMPTS_SEEN)
    if not records:
        return Attempt(key, 1, None)
    newest, run = records[0], records[0].dagster_run
    if run.status != dg.DagsterRunStatus.FAILURE or run.tags.get(WILL_RETRY_TAG) == "true":
        return None
    attempts = sum(record.dagster_run.root_run_id is None for record in records)
    ended = newest.end_time or newest.update_timestamp.replace(tzinfo=UTC).timestamp()
    if machine_now - datetime.fromtimestamp(ended, UTC) < pause_after(attempts):
        return None
    return Attempt(f"{key}{_TRY}{attempts + 1}", attempts + 1, run.run_id)


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts."""
    if attempts <= 1:
        return timedelta()
    return min(FIRST_PAUSE * 2 ** min(attempts - 2, 20), LONGEST_PAUSE)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]
