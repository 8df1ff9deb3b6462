"""How a source's events arrive in a replay: a file a day that grows as the clock moves on.

Belongs here: what is visible at an instant, and which learners take part. The source is read once, by its own module,
and each row is kept as the source gave it, so that dirt meets the platform's own validation at the time it would have.
"""

import shutil
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl

from aivo_assets.errors import SourceError
from aivo_assets.events.schema import Event
from aivo_assets.events.sources.base import Extract, Source, Window
from aivo_assets.events.times.reading import moments
from aivo_assets.events.values import identifiers, labels
from aivo_assets.events.values.labels import LabelReading

EVENTS = "events"
LEARNERS = "learners.parquet"
DAYS_SHOWN = 14
"""Newest days with events that the feed shows. No run looks for events further back than the last landing's days, and
a folder of a whole year would be opened at every tick."""


@dataclass(frozen=True)
class Gathered:
    """What a source has for a replay.

    Attributes:
        events: Columns of `Event` as the source gave them, `occurred_at` read (UTC), ascending in it.
        learners: The learner table with columns of `Learner`; None where the source has none.
        rows_read: Rows and broken lines that the source gave for the days.
        without_time: Of these, how many have no time within the days, or are no row; they can never arrive.
        learners_found: Learners with an event in the days, before any sampling.
    """

    events: pl.DataFrame
    learners: pl.DataFrame | None
    rows_read: int
    without_time: int
    learners_found: int


def gather(source: Source, window: Window, *, learners: int | None, seed: int) -> Gathered:
    """Read a source for the days of a replay.

    Args:
        source: What is read; once, to its end.
        window: First and last day.
        learners: Whole learners to keep, drawn at random; None for all.
        seed: Of the draw.

    Raises:
        SourceError: The source cannot be read, or has no event in these days.
    """
    frames, rows_read = [], 0
    for extract in source.events(window if source.window_applies else None, None):
        rows_read += extract.frame.height + extract.broken.height
        frames.append(_timed(extract, window))
    events = pl.concat(frames, how="diagonal_relaxed") if frames else Event.create_empty()
    if events.is_empty():
        raise SourceError(
            f"{source.name} has no event from {window.first} to {window.last}",
            fix="Choose days that it has; a polars or DuckDB query on its time column tells which.",
        )
    timed, found = events.height, events["learner_id"].n_unique()
    if learners is not None and learners < found:
        drawn = _drawn(events["learner_id"], learners, seed)
        events = events.join(drawn, on="learner_id", how="semi", nulls_equal=True, maintain_order="left")
    table = source.learners()
    if table is not None:
        table = table.select(pl.col("*").exclude("^_.*$")).with_columns(identifiers.text(table["learner_id"]))
    return Gathered(events.sort("occurred_at", maintain_order=True), table, rows_read, rows_read - timed, found)


class Feed:
    """A folder of files that holds what a source would show at the instant it was asked last.

    A row of the learner table arrives with its learner's first event.

    Args:
        gathered: All that will ever arrive.
        folder: Where the files lie; made again.
    """

    def __init__(self, gathered: Gathered, folder: Path) -> None:
        self._events = gathered.events
        self._table = gathered.learners
        self._folder = folder
        self._times = gathered.events["occurred_at"].to_physical().to_numpy()
        self._arrived = 0
        self._files: list[Path] = []
        shutil.rmtree(folder, ignore_errors=True)
        (folder / EVENTS).mkdir(parents=True)

    @property
    def events_path(self) -> str:
        """Glob of the files with events."""
        return str(self._folder / EVENTS / "*.parquet")

    @property
    def learners_path(self) -> str | None:
        """File of the learner table, where there is one."""
        return None if self._table is None else str(self._folder / LEARNERS)

    @property
    def first_at(self) -> datetime:
        """When the first event arrives."""
        first: datetime = self._events["occurred_at"][0]
        return first

    @property
    def arrived(self) -> int:
        """Rows that have arrived so far."""
        return self._arrived

    def show(self, now: datetime) -> int:
        """Let everything arrive that happened up to an instant.

        Returns:
            How many rows are new.
        """
        upto = int(np.searchsorted(self._times, int(now.timestamp() * 1_000_000), side="right"))
        new, self._arrived = upto - self._arrived, max(upto, self._arrived)
        if new <= 0:
            return 0
        for day in self._events[upto - new : upto]["occurred_at"].dt.date().unique().sort():
            self._write_day(day, upto)
        for old in self._files[:-DAYS_SHOWN]:
            old.unlink()
        self._files = self._files[-DAYS_SHOWN:]
        if self._table is not None:
            here = self._events[:upto].select(identifiers.text(self._events[:upto]["learner_id"])).unique()
            self._table.join(here, on="learner_id", how="semi", maintain_order="left").write_parquet(
                self._folder / LEARNERS
            )
        return new

    def _write_day(self, day: date, upto: int) -> None:
        first = int(np.searchsorted(self._times, int(Window(day, day).start.timestamp() * 1_000_000)))
        last = int(np.searchsorted(self._times, int(Window(day, day).end.timestamp() * 1_000_000)))
        path = self._folder / EVENTS / f"{day}.parquet"
        self._events[first : min(last, upto)].write_parquet(path, compression="lz4")
        if path not in self._files:
            self._files.append(path)


def _timed(extract: Extract, window: Window) -> pl.DataFrame:
    """The rows of an extract that happened within the days, their time read as the platform reads it."""
    frame = extract.frame
    if "_problem" in frame.columns:
        frame = frame.filter(pl.col("_problem").is_null())
    zones = frame["_zone"] if "_zone" in frame.columns else None
    read = moments(frame["occurred_at"], zones, extract.times, identifiers.text(frame["learner_id"]))
    events = frame.select(name for name in frame.columns if name in Event.column_names()).with_columns(
        read.alias("occurred_at"), _labels(frame["correct"], extract.labels)
    )
    if "subject" not in events.columns:
        events = events.with_columns(subject=pl.lit(extract.subject))
    return events.filter((pl.col("occurred_at") >= window.start) & (pl.col("occurred_at") < window.end))


def _labels(given: pl.Series, reading: LabelReading) -> pl.Series:
    """Labels as the platform will read them: what the settings explain is explained, all else stays as it is."""
    return given if reading == LabelReading() else labels.read(given, reading)


def _drawn(ids: pl.Series, count: int, seed: int) -> pl.DataFrame:
    known = ids.unique().sort(nulls_last=True)
    chosen = np.random.default_rng(seed).choice(len(known), size=count, replace=False)
    return known.gather(np.sort(chosen)).to_frame()
