"""ASSISTments "skill builder" exports: the 30-column CSV of 2009. Belongs here: what its columns mean.

* One event is one problem that a learner worked on, and `order_id` names it. `correct` says whether the *first*
  response was right (a hint asked for first counts as wrong), so `attempt_number` is 1; the export's `attempt_count` is
  how many attempts followed, which belongs to the outcome and is left behind.
* A problem of several skills stands in the file once a skill. Those rows are one event with several skills; each after
  the first is counted as folded. Rows of one `order_id` that differ in anything but the skill are not: they go on as
  they are, and the landing sets aside the later ones.
* There are no times. `order_id` grows with time, so an event happened `order_id` seconds after `first_event_at`: order
  is kept, and the same event has the same time in every extract. Gaps are not real seconds.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property

import polars as pl

from aivo_assets.events.sources.base import Extract, Window, broken_rows
from aivo_assets.events.sources.columns import mapped
from aivo_assets.events.sources.learner_files import read_learners
from aivo_assets.events.sources.plan import Plan, asked_of_times, labels_of, made
from aivo_assets.events.sources.reading.delimited import Broken, Dialect, read_blocks, read_header
from aivo_assets.events.sources.reading.files import find_files, fingerprint, refuse_empty
from aivo_assets.events.sources.reading.records import LineCount
from aivo_assets.events.times.counted import Counted
from aivo_assets.events.times.reading import TimeReading
from aivo_assets.events.values.skill_lists import split_skills
from aivo_assets.settings import SourceSettings

_THEIRS = {
    "event_id": ("order_id",),
    "learner_id": ("user_id",),
    "item_id": ("problem_id",),
    "skill_ids": ("skill_id",),
    "subject": (),
    "occurred_at": ("order_id",),
    "correct": ("correct",),
    "response_time_ms": ("ms_first_response",),
    "hint_count": ("hint_count",),
    "attempt_number": (),
    "session_id": (),
    "focus": (),
    "assignment_id": ("assignment_id",),
    "teacher_id": ("teacher_id",),
    "class_id": ("student_class_id",),
    "school_id": ("school_id",),
}
_REQUIRED = ("event_id", "learner_id", "item_id", "occurred_at", "correct")


class AssistmentsSource:
    """ASSISTments files.

    Args:
        settings: Path, encoding, subject and column mapping.
        first_event_at: Time of the event whose `order_id` is 0.
        now: The present instant.
    """

    name = "assistments"
    window_applies = True

    def __init__(self, settings: SourceSettings, first_event_at: datetime, now: datetime) -> None:
        self._settings = settings
        self._first_event_at = first_event_at
        self._now = now
        self._dialect = Dialect(settings.delimiter, encoding=settings.encoding)

    def fingerprint(self) -> str:
        """Hash of the files and of how they are read."""
        return fingerprint(find_files(self._settings.path), self._settings)

    def events(self, window: Window | None, cursor: str | None) -> Iterator[Extract]:
        """Read each file as a whole, because rows of one event need not stand together; see `Source.events`."""
        del window, cursor
        files = find_files(self._settings.path)
        rows = 0
        for file in files:
            header = read_header(file, self._dialect)
            columns = mapped(_THEIRS, self._settings.columns, header, place=str(file), required=_REQUIRED)
            frames: list[pl.DataFrame] = []
            broken: Broken = []
            lines = LineCount()
            for block in read_blocks(file, self._dialect, sorted(set(columns.values()))):
                frames.append(
                    block.frame.select(_row="_row", **{ours: pl.col(theirs) for ours, theirs in columns.items()})
                )
                broken.extend(block.broken)
                lines += block.count
            if frames:
                frame = pl.concat(frames)
                events = one_row_an_event(frame, self._settings.skill_separator)
                rows += frame.height + len(broken)
                yield Extract(
                    frame=events.with_columns(_location=pl.lit(str(file))),
                    broken=broken_rows(str(file), broken),
                    times=self._plan.times,
                    labels=self._plan.labels,
                    subject=self._settings.subject,
                    missing=self._settings.missing_values,
                    lines=lines,
                    folded=frame.height - events.height,
                )
        if not rows:
            raise refuse_empty(files)

    def how_read(self) -> tuple[str, ...]:
        """Columns and labels, and that there are no times; see `Source.how_read`."""
        start = f"{self._first_event_at:%Y-%m-%d %H:%M} UTC"
        return (*self._plan.sentences, f"times: none in this export; order_id counts seconds from {start}")

    def learners(self) -> pl.DataFrame | None:
        """The learner table, if the settings name one."""
        return read_learners(self._settings)

    @cached_property
    def _plan(self) -> Plan:
        """How the files are read, after a look at all of their labels."""
        asked = asked_of_times(self._settings, self._first_event_at)
        files = find_files(self._settings.path)
        headers = {file: read_header(file, self._dialect) for file in files}
        columns = {
            file: mapped(_THEIRS, self._settings.columns, header, place=str(file), required=_REQUIRED)
            for file, header in headers.items()
        }
        return made(
            {file.name: (columns[file], headers[file]) for file in files},
            (
                block.frame.select(correct=columns[file]["correct"])
                for file in files
                for block in read_blocks(file, self._dialect, [columns[file]["correct"]])
            ),
            TimeReading(asked.zone, Counted("s", self._first_event_at)),
            labels_of(self._settings),
            now=self._now,
            missing=self._settings.missing_values,
        )


def one_row_an_event(rows: pl.DataFrame, separator: str) -> pl.DataFrame:
    """Fold the rows that say of one event but its skill differently into the first of them.

    Args:
        rows: Columns named as in `Event` as text, and `_row`.
        separator: What stands between several skills of one row.

    Returns:
        The events in the order of their ids, as far as those are numbers; `skill_ids` is a list.
    """
    skill = pl.col("skill_ids") if "skill_ids" in rows.columns else pl.lit(None, dtype=pl.String)
    rows = split_skills(rows.with_columns(skill_ids=skill, attempt_number=pl.lit("1")), separator)
    unnamed = pl.when(pl.col("event_id").str.strip_chars() == "").then(pl.col("_row"))
    same = [name for name in rows.columns if name not in ("skill_ids", "_row")]
    return (
        rows.with_columns(_unnamed=unnamed)
        .group_by([*same, "_unnamed"], maintain_order=True)
        .agg(pl.col("skill_ids").explode(), pl.col("_row").first())
        .drop("_unnamed")
        .sort(pl.col("event_id").cast(pl.Int64, strict=False), maintain_order=True, nulls_last=True)
    )
