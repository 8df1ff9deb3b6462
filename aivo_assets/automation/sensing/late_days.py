"""Days that late events or damaged files ask for again."""

import hashlib
from datetime import date, datetime, timedelta

import dagster as dg

from aivo_assets.automation.guards import under_way
from aivo_assets.automation.runs.attempts import next_attempt
from aivo_assets.automation.sensing.tick import MACHINE, Tick
from aivo_assets.automation.ticks import partition_tags
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake
from aivo_assets.lake.commits.damage import damaged_days, damaged_files
from aivo_assets.lake.commits.looking_round import looked_at, turn
from aivo_assets.operations.jobs.causes import Cause
from aivo_assets.operations.jobs.names import EVERY_JOB
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import Clock


def catch_up_late_days(
    context: dg.SensorEvaluationContext, lake: Lake, *, seconds: float = 60.0, machine: Clock = MACHINE
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


def _hash(damaged: list[str]) -> str:
    return hashlib.sha256(repr(damaged).encode()).hexdigest()[:32]


def _up_to_date(lake: Lake, day: date) -> bool:
    made = lake.manifest(ANONYMISED_INTERACTIONS, day=day)
    newest = lake.version(RAW_INTERACTIONS, days=[day])
    if made is None or made["made_by"].get("raw_version") != newest:
        return False
    return not damaged_files(lake, ANONYMISED_INTERACTIONS, [day])
