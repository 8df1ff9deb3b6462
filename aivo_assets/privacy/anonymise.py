"""From raw events and learners to rows without personal data. Belongs here: the passage out of the raw zone, whole.

Only the columns of the allow-list in `schema.py` come out. How identifiers are hashed is in `pseudonyms.py`, how
attributes are generalised in `attributes.py`, how small groups are hidden in `k_anonymity.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake, Staged, read
from aivo_assets.lake.shards import shard_of
from aivo_assets.privacy.attributes import HIERARCHIES, generalised_attributes
from aivo_assets.privacy.k_anonymity import AnonymityReport, k_anonymise
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import Kind, pseudonyms
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS
from aivo_assets.settings import PrivacySettings

_RENAMED: dict[str, tuple[str, Kind]] = {
    "event_id": ("event", "event"),
    "learner_id": ("learner", "learner"),
    "session_id": ("session", "session"),
    "assignment_id": ("assignment", "assignment"),
    "teacher_id": ("teacher", "teacher"),
    "class_id": ("class_", "class"),
    "school_id": ("school", "school"),
}
_KEPT = (
    "item_id",
    "skill_ids",
    "subject",
    "correct",
    "response_time_ms",
    "hint_count",
    "attempt_number",
    "focus",
)
_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class AnonymisedLearners:
    """Learners without personal data, and how alike they were made.

    Attributes:
        frame: Columns of ANONYMISED_LEARNERS, sorted by shard and learner.
        report: The k that was reached and what it cost.
    """

    frame: pl.DataFrame
    report: AnonymityReport


def anonymise_interactions(
    events: pl.LazyFrame | pl.DataFrame, key: PseudonymKey, settings: PrivacySettings, shards: int
) -> pl.DataFrame:
    """Take the personal data out of events of one day or of many.

    Times are floored to the resolution; what that loses of a learner's day is kept as integers: `sequence` is the exact
    order (events of one instant stand as the raw zone has them, which is as the source gave them), `gap_s` the
    difference of two exact times, each cut to its whole second, so that gaps add up to the time between any two events
    of the day without drifting.

    A day is complete or its sequence is not: hand over all events of each day.

    Args:
        events: Columns of `events.schema.Event`, in the order of the raw zone; others are left behind.
        key: The secret of the pseudonyms.
        settings: Resolution of times.
        shards: Shards of the lake.

    Returns:
        Columns of ANONYMISED_INTERACTIONS, sorted by day, shard, learner and sequence.
    """
    raw = events.lazy().select(*_RENAMED, "occurred_at", *_KEPT).collect(engine="streaming")
    hashed = raw.select(
        *(pseudonyms(raw[column], kind, key).alias(name) for column, (name, kind) in _RENAMED.items()),
        "occurred_at",
        *_KEPT,
    ).with_row_index("_row")
    ordered = (
        hashed.lazy()
        .with_columns(shard_of(pl.col("learner"), shards), day=pl.col("occurred_at").dt.date())
        .sort("day", "shard", "learner", "occurred_at", "_row")
    )
    return _coarsened(ordered, settings.time_resolution_seconds).collect()


def _coarsened(ordered: pl.LazyFrame, resolution: int) -> pl.LazyFrame:
    """Turn exact times of sorted events into coarse ones, `sequence` and `gap_s`."""
    second = pl.col("occurred_at").dt.timestamp("us") // _MICROSECONDS
    same = ((pl.col("day") == pl.col("day").shift()) & (pl.col("learner") == pl.col("learner").shift())).fill_null(
        value=False
    )
    midnight = pl.col("day").cast(pl.Datetime("us")).dt.timestamp("us") // _MICROSECONDS
    floored = midnight + (second - midnight) // resolution * resolution
    row = pl.int_range(pl.len(), dtype=pl.Int32)
    first_row = pl.when(~same).then(row).forward_fill()
    return ordered.with_columns(
        sequence=row - first_row,
        gap_s=pl.when(same).then(second - second.shift()).cast(pl.Int32),
        occurred_at=(floored * _MICROSECONDS).cast(pl.Datetime("us", "UTC")),
    ).select(pl.col(name).cast(dtype) for name, dtype in ANONYMISED_INTERACTIONS.schema.items())


def anonymise_learners(
    learners: pl.LazyFrame | pl.DataFrame,
    key: PseudonymKey,
    settings: PrivacySettings,
    shards: int,
    as_of: date,
    places: pl.DataFrame | None = None,
) -> AnonymisedLearners:
    """Take the personal data out of the learner table and make its rows alike in groups of at least k.

    Args:
        learners: Columns of `events.schema.Learner`; others are left behind. Names and e-mails are never read.
        key: The secret of the pseudonyms.
        settings: k and the width of age bands.
        shards: Shards of the lake.
        as_of: Day on which ages are taken, UTC.
        places: learner (pseudonym), place: what stands beside the attributes (`places.py`). Default: nothing does.
    """
    raw = learners.lazy().select("learner_id", "birth_date", "grade", "gender", "region", "disability").collect()
    table = generalised_attributes(raw, band_years=settings.age_band_years, as_of=as_of)
    hashed = pseudonyms(raw["learner_id"], "learner", key).alias("learner")
    within = None
    if places is not None:
        within = hashed.to_frame().join(places, on="learner", how="left", maintain_order="left")["place"]
    published, report = k_anonymise(table, HIERARCHIES, k=settings.k_anonymity, within=within)
    frame = (
        published.with_columns(hashed)
        .with_columns(shard_of(pl.col("learner"), shards))
        .sort("shard", "learner")
        .select(pl.col(name).cast(dtype) for name, dtype in ANONYMISED_LEARNERS.schema.items())
    )
    return AnonymisedLearners(frame=frame, report=report)


@dataclass(frozen=True)
class AnonymiseTask:
    """What the work on all days has in common.

    Attributes:
        lake: Where raw and anonymised answers are.
        key: Makes pseudonyms.
        settings: Resolution of times, and what may leave.
    """

    lake: Lake
    key: PseudonymKey
    settings: PrivacySettings


def stage_days(task: AnonymiseTask, days: Sequence[date]) -> tuple[tuple[Staged, ...], int]:
    """Anonymise some days and stage them, an empty one too: a day without events is a fact.

    Returns:
        What was staged, a unit a day, and the number of rows.
    """
    raw = read(task.lake, RAW_INTERACTIONS, days=days)
    events = anonymise_interactions(raw.frame, task.key, task.settings, task.lake.shards)
    by_day = {key[0]: part for key, part in events.partition_by("day", as_dict=True, maintain_order=True).items()}
    staged = tuple(
        task.lake.stage(
            ANONYMISED_INTERACTIONS,
            by_day.get(day, ANONYMISED_INTERACTIONS.empty()),
            day=day,
            made_by={"raw_version": version},
        )
        for day, version in raw.of_day.items()
    )
    return staged, events.height
