"""What a tick of a schedule does: which days it covers, and which schedule goes first. Belongs here: these rules.

Sunday. The daily training (02:00) and the weekly one (03:00) would train the main brain twice on the same last day. The
daily one steps aside where the weekly one is due within the hours that must lie between two trainings. Where the main
brain was trained within those hours nevertheless, or is being trained, the weekly run does all but the training.

Missed ticks. After a time without a daemon Dagster evaluates only the newest missed tick of each schedule. A daily or
weekly run therefore covers every day back to the last one that was read after it was over, so that none is lost; what
it leaves out because it is too long ago, it says.
"""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from aivo_assets.automation._dagster import schedule_execution_time_iterator
from aivo_assets.operations.jobs.names import RANGE_END_TAG, RANGE_START_TAG, READ_AT
from aivo_assets.settings import ScheduleSettings

INTAKE = dg.AssetKey("raw_interactions")
TRAINING_GROUPS = ("features", "main_brain")


def last_complete_day(now: datetime) -> str:
    """Partition key of the UTC day before `now`."""
    return (now.astimezone(UTC).date() - timedelta(days=1)).isoformat()


def steps_aside(now: datetime, crons: ScheduleSettings, hours: float) -> str | None:
    """Why a daily training at `now` leaves its day to the weekly one, in a sentence, or None where it does not.

    Args:
        now: Time of the daily tick.
        crons: When the weekly one is due.
        hours: Hours that must lie between two trainings.
    """
    ticks = schedule_execution_time_iterator(now.timestamp(), crons.weekly_full_retraining, crons.timezone)
    due = next(ticks).astimezone(UTC)
    if due - now >= timedelta(hours=hours):
        return None
    return f"The weekly retraining is due at {due:%Y-%m-%d %H:%M} UTC and trains on the same day: this one steps aside."


def first_day_missed(instance: dg.DagsterInstance, last: date, most: int) -> date:
    """The first of the days up to `last` that were never read after they were over; `last` where there is none before.

    Args:
        instance: Where it is looked up when a day was read.
        last: The last complete day.
        most: So many days are covered; see `days_left_out`.
    """
    return max(_first_unread(instance, last), last - timedelta(days=most - 1))


def days_left_out(instance: dg.DagsterInstance, last: date, most: int) -> tuple[date, date] | None:
    """First and last of the days that were missed as well and lie too long ago to be covered; None for none.

    Args:
        instance: As for `first_day_missed`.
        last: As for `first_day_missed`.
        most: As for `first_day_missed`.
    """
    missed, covered = _first_unread(instance, last), first_day_missed(instance, last, most)
    return None if missed == covered else (missed, covered - timedelta(days=1))


def _first_unread(instance: dg.DagsterInstance, last: date) -> date:
    """The day after the newest one that was read whole; where none was, the first that was read at all, else `last`."""
    read = sorted(map(date.fromisoformat, instance.get_materialized_partitions(INTAKE)), reverse=True)
    earlier = [day for day in read if day < last]
    for day in earlier:
        read_at = _read_at(instance, day)
        if read_at is not None and read_at >= datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC):
            return day + timedelta(days=1)
    return min(earlier, default=last)


def partition_tags(first: date, last: date) -> dict[str, str]:
    """Tags of one run over a range of days."""
    return {RANGE_START_TAG: first.isoformat(), RANGE_END_TAG: last.isoformat()}


def all_but_training(repository: dg.RepositoryDefinition) -> list[dg.AssetKey]:
    """Every asset that can be made, without those that train the main brain."""
    graph = repository.asset_graph
    return sorted(
        (key for key in graph.materializable_asset_keys if graph.get(key).group_name not in TRAINING_GROUPS),
        key=lambda key: key.to_user_string(),
    )


def was_read_lately(instance: dg.DagsterInstance, now: datetime) -> bool:
    """Whether some run has read the source for today or yesterday within the last 24 hours."""
    times = [_read_at(instance, now.date() - timedelta(days=back)) for back in (0, 1)]
    return any(at is not None and now - at < timedelta(days=1) for at in times)


def _read_at(instance: dg.DagsterInstance, day: date) -> datetime | None:
    records = dg.AssetRecordsFilter(asset_key=INTAKE, asset_partitions=[day.isoformat()])
    events = instance.fetch_materializations(records, limit=1).records
    if not events:
        return None
    made = events[0].asset_materialization
    value = None if made is None else made.metadata.get(READ_AT)
    # The platform's clock may be another one than the machine's.
    return (
        datetime.fromtimestamp(events[0].timestamp, UTC) if value is None else datetime.fromisoformat(str(value.value))
    )
