"""A day's log as rows of the event schema. Belongs here: identifiers, columns, order; the truth does not pass."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.events.schema import Event
from aivo_assets.simulation.simulation import Log
from aivo_assets.simulation.world.curriculum import GRADES
from aivo_assets.simulation.world.people import learner_id
from aivo_assets.simulation.world.roster import CLASSES_PER_GRADE
from aivo_assets.simulation.world.timetable import HOMEWORK, MOST_ITEMS, is_holiday
from aivo_assets.simulation.world.world import World

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Recorder:
    """Writes logs of one world down.

    Attributes:
        world: Whose logs.
    """

    world: World

    def frame(self, log: Log) -> pl.DataFrame:
        """The events of a day as columns of `Event`, in the order in which they happened."""
        order = self.order(log)
        roster, curriculum = self.world.roster, self.world.curriculum
        rows, items = log.rows[order], log.items[order]
        grade, school = roster.grade[rows], roster.school_index[rows] + 1
        subject = curriculum.item_subject[items]
        answers = {name: getattr(log.answers, name)[order] for name in log.answers._fields}
        frame = pl.DataFrame(
            {
                "learner": self._learner_ids.gather(rows),
                "session": log.session[order],
                "position": log.position[order],
                "item_id": self._items["item_id"].gather(items),
                "skill_ids": self._items["skill_ids"].gather(items),
                "subject": self._items["subject"].gather(items),
                "at": answers["at"],
                "correct": answers["correct"],
                "response_time_ms": answers["response_time_ms"],
                "hint_count": answers["hint_count"],
                "attempt_number": answers["attempt_number"],
                "focus": pl.Series(answers["focus"]).fill_nan(None),
                "school": school,
                "grade": pl.Series([str(name) for name in GRADES]).gather(grade),
                "letter": pl.Series(list("abc"[:CLASSES_PER_GRADE])).gather(
                    roster.class_index[rows] % CLASSES_PER_GRADE
                ),
                "area": pl.Series(curriculum.subjects).gather(subject),
            }
        )
        return frame.select(self._columns(log.day)).select(Event.column_names()).cast(self._schema)

    def order(self, log: Log) -> Indices:
        """Positions of a log's answers by time, then learner."""
        order: Indices = np.lexsort((self.world.roster.index[log.rows], log.answers.at))
        return order

    def steps(self, log: Log) -> tuple[Indices, Indices]:
        """Learner index and step of the day of each answer, in the order of `frame`; together they are its key."""
        order = self.order(log)
        return self.world.roster.index[log.rows[order]], (log.session * MOST_ITEMS + log.position)[order]

    def _columns(self, day: int) -> list[pl.Expr | str]:
        day_text = pl.lit(f"-{day:04d}-")
        class_name = pl.concat_str("school", pl.lit("-"), "grade", "letter")
        week = pl.lit(f"-{day // 7:03d}")
        assigned = (pl.col("session") != HOMEWORK) | pl.lit(self._is_school_day(day))
        return [
            pl.concat_str(pl.lit("event-"), self._short, day_text, "session", pl.lit("-"), "position").alias(
                "event_id"
            ),
            pl.col("learner").alias("learner_id"),
            "item_id",
            "skill_ids",
            "subject",
            (pl.lit(self.world.midnight) + pl.duration(milliseconds="at")).alias("occurred_at"),
            "correct",
            "response_time_ms",
            "hint_count",
            "attempt_number",
            pl.concat_str(pl.lit("session-"), self._short, day_text, "session").alias("session_id"),
            pl.col("focus").round(3),
            pl.when(assigned)
            .then(pl.concat_str(pl.lit("assignment-"), class_name, pl.lit("-"), "area", week))
            .alias("assignment_id"),
            pl.concat_str(pl.lit("teacher-"), "school", pl.lit("-"), "area", pl.lit("-"), "grade").alias("teacher_id"),
            pl.concat_str(pl.lit("class-"), class_name).alias("class_id"),
            pl.concat_str(pl.lit("school-"), "school").alias("school_id"),
        ]

    def _is_school_day(self, day: int) -> bool:
        return self.world.date_of(day).weekday() < 5 and not is_holiday(day)

    @property
    def _short(self) -> pl.Expr:
        return pl.col("learner").str.slice(len("learner-"))

    @cached_property
    def _learner_ids(self) -> pl.Series:
        return learner_id(self.world.roster.index)

    @cached_property
    def _items(self) -> pl.DataFrame:
        return self.world.curriculum.items

    @cached_property
    def _schema(self) -> pl.Schema:
        return Event.create_empty().schema
