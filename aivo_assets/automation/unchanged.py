"""Whether a check would only repeat what is there. Belongs here: the rule, and what the instance knows for it.

The two frequent checks are a function of what arrived, the day as of which they look, the models, the settings and the
code. Where none of these changed since a run of the same check began, another run would write what stands there, bit
for bit; its tick is skipped and says so. Where that is not sure, the check runs.
"""

from datetime import datetime
from pathlib import Path
from typing import Final

import dagster as dg

import aivo_assets
from aivo_assets.code_version import code_version
from aivo_assets.errors import AivoError
from aivo_assets.events.arrivals import arrived
from aivo_assets.events.intake import FUTURE
from aivo_assets.events.landing.held_back import due
from aivo_assets.events.landing.overrides import said_so_far
from aivo_assets.events.receipts import receipts_of
from aivo_assets.events.schema import RAW_LEARNERS
from aivo_assets.events.values.hashes import digest
from aivo_assets.lake import Lake
from aivo_assets.operations.jobs.names import CHECKS, PARTITION_TAG
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry

GIVEN_TAG: Final = "aivo/given"
"""Of a run of a check: digest of all that it was to be made of, taken before it began."""

MOST_RUNS: Final = 200
"""So many runs are looked back on; where the last run of the check lies before them, the check runs."""


def given(settings: Settings, lake: Lake, now: datetime) -> str | None:
    """Digest of what a check would be made of, or None where that cannot be known without running it.

    Secrets are no part of it, for a digest of what else is known would let them be guessed: a changed one takes effect
    with the next run.

    Args:
        settings: All of them; a changed one may change what a check makes.
        lake: Of the settings.
        now: The present instant, UTC.
    """
    try:
        here = arrived(settings, lake, now)
    except AivoError:  # a run says better what is wrong with a source, tries again, and alerts
        return None
    if here is None:
        return None
    moves = [repr(move) for move in Registry(settings.home, settings.models_database).moves()]
    learners = lake.version(RAW_LEARNERS)  # a command may land them without a run
    return digest(
        [
            here,
            learners,
            *said_so_far(lake),
            *moves,
            settings.model_dump_json(),
            code_version(Path(aivo_assets.__file__).parent),
        ]
    )


def nothing_new(instance: dg.DagsterInstance, lake: Lake, job: str, now: datetime, made_of: str | None) -> str | None:
    """Why a check is not run, in a sentence, or None where it has to be.

    Args:
        instance: Where runs are looked up.
        lake: Where receipts are.
        job: The check.
        now: The present instant, UTC; as of its day the check would look.
        made_of: See `given`.
    """
    if made_of is None:
        return None
    partition = now.date().isoformat()
    records = instance.get_run_records(limit=MOST_RUNS)
    same = next((each for each in records if _made_the_same(each.dagster_run, job, partition, made_of)), None)
    if same is None or same.start_time is None or _has_rows_that_wait(lake, same.dagster_run.run_id, now):
        return None
    since = (each for each in records if each.end_time is None or each.end_time > same.start_time)
    if not all(_leaves_alone(each.dagster_run) for each in since):
        return None
    return (
        f"Nothing arrived and no model changed since run {same.dagster_run.run_id} of {job} as of {partition}: "
        "another one would make the same again."
    )


def _made_the_same(run: dg.DagsterRun, job: str, partition: str, made_of: str) -> bool:
    partition_and_inputs = run.tags.get(PARTITION_TAG), run.tags.get(GIVEN_TAG)
    return run.job_name == job and partition_and_inputs == (partition, made_of) and _is_whole(run) and run.is_success


def _leaves_alone(run: dg.DagsterRun) -> bool:
    """Whether a run leaves what another check made: a check that did not fail and made all of its assets."""
    return run.job_name in CHECKS and _is_whole(run) and not run.is_failure_or_canceled


def _is_whole(run: dg.DagsterRun) -> bool:
    return run.asset_selection is None and run.step_keys_to_execute is None


def _has_rows_that_wait(lake: Lake, run_id: str, now: datetime) -> bool:
    """Whether rows that were set aside for their time may be answers by now: of that run, or held back for longer."""
    read_again = any(FUTURE in receipt.by_reason for receipt in receipts_of(lake, run_id))
    return read_again or due(lake, now, damaged=()).rows_read > 0
