"""A lake with any number of learners and their past, made fast. Belongs here: drawing its events; nothing is measured.

The full simulator lives through every day of every learner, which takes too long for fifty million answers. Here the
school is the simulator's (content, learners, traits and the chance of a right answer), and its clock is not: abilities
stay as they were on the first day, and sessions of about ten answers are spread evenly over the days.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import expit, ndtri

from aivo_assets.arrays import Ints
from aivo_assets.lake import Lake
from aivo_assets.lake.shards import shard_of
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.simulation import PARAMETERS, World, build_world

FIRST_DAY = date(2026, 1, 5)
A_SESSION = 10  # answers
PAUSE_SECONDS = 8


@dataclass(frozen=True)
class Size:
    """How large a lake is, and what is new before each check.

    Attributes:
        learners: Learners with a past.
        events_per_learner: Answers of each, in sessions of about ten.
        new_events: New answers before each check.
        new_learners: Learners who give them.
        days: Days of the past.
        seed: Of everything random.
    """

    learners: int
    events_per_learner: int = 50
    new_events: int = 100_000
    new_learners: int = 20_000
    days: int = 60
    seed: int = 0

    @property
    def today(self) -> date:
        """The day after the past: new answers are of it."""
        return FIRST_DAY + timedelta(days=self.days)

    @property
    def sessions(self) -> int:
        """Sessions of each learner in the past."""
        return min(max(round(self.events_per_learner / A_SESSION), 1), self.days)


class SchoolLake:
    """Draws the events of one lake.

    Args:
        size: How large.
        shards: Shards of the lake.
    """

    def __init__(self, size: Size, shards: int) -> None:
        self._size = size
        names = pl.Series("learner", sorted(_hex(np.random.default_rng(size.seed), size.learners)))
        self.roll = names.to_frame().with_columns(shard_of(pl.col("learner"), shards))
        """learner, shard of everybody, ascending by learner."""

    @cached_property
    def _world(self) -> World:
        """Made at first use, as the roll alone does not need it: its traits take most of the memory."""
        return build_world(seed=self._size.seed, learners=self._size.learners, start=FIRST_DAY)

    @cached_property
    def _items(self) -> pl.DataFrame:
        return self._world.curriculum.items.select("item_id", "skill_ids", "subject")

    def past(self) -> Iterator[tuple[date, pl.DataFrame]]:
        """Each day and its events, columns of ANONYMISED_INTERACTIONS, ascending by shard, learner and sequence."""
        size = self._size
        stretch = size.days / size.sessions
        everybody = np.arange(size.learners, dtype=np.int64)
        draw = self._world.draws.uniforms("days of practice", everybody, size.sessions)
        on = ((np.arange(size.sessions) + draw) * stretch).astype(np.int16)
        answers = -(-size.events_per_learner // size.sessions)
        for day in range(size.days):
            yield FIRST_DAY + timedelta(days=day), self._day(day, np.flatnonzero((on == day).any(axis=1)), answers)

    def today(self, check: int) -> pl.DataFrame:
        """What is new before a check, counted from 0; each check has other learners."""
        size = self._size
        order = np.random.default_rng(size.seed + 1).permutation(size.learners)
        newcomers = np.sort(np.roll(order, -check * size.new_learners)[: size.new_learners])
        return self._day(size.days, newcomers, -(-size.new_events // size.new_learners))

    def one_more(self, day: date, events: pl.DataFrame, learners: int) -> pl.DataFrame:
        """A past day, with one more answer of some of its learners: their last one, a minute before their first.

        Before all others, so that it lies in the past of each of them, whether or not they came back later.
        """
        names = events["learner"].unique().sort().sample(learners, seed=self._size.seed)
        theirs = pl.col("learner").is_in(names.implode())
        first = pl.col("sequence") == 0
        moved = events.with_columns(
            gap_s=pl.when(theirs & first).then(60).otherwise("gap_s").cast(pl.Int32),
            sequence=pl.col("sequence") + theirs.cast(pl.Int32),
        )
        begun = events.filter(theirs & first).select("learner", begun=pl.col("occurred_at").dt.offset_by("-1m"))
        last = events.filter(theirs).sort("learner", "sequence").group_by("learner", maintain_order=True).last()
        late = last.join(begun, on="learner", how="left", maintain_order="left").with_columns(
            event=pl.Series(_hex(np.random.default_rng(day.toordinal()), last.height)),
            occurred_at="begun",
            sequence=pl.lit(0, pl.Int32),
            gap_s=pl.lit(None, pl.Int32),
        )
        return pl.concat([moved, late.select(events.columns)]).sort("shard", "learner", "sequence")

    def _day(self, day: int, rows: Ints, answers: int) -> pl.DataFrame:
        """So many answers of each of some learners, in one session."""
        world, roster, content = self._world, self._world.roster, self._world.curriculum
        once = world.draws.uniforms("sessions", rows, 4, day=day)
        row, place = np.repeat(rows, answers), np.tile(np.arange(answers), rows.size)
        u = world.draws.uniforms("answers", row, 6, day=day, steps=place)
        # A session is about two skills of the learner's grade in one subject.
        subject, first = (3 * once[:, 0]).astype(np.int64), (4 * once[:, 1]).astype(np.int64)
        other = (first + 1 + (3 * once[:, 2]).astype(np.int64)) % 4
        four = 16 * subject + 4 * roster.grade[rows]
        skill = np.where(u[:, 0] < 0.5, np.repeat(four + first, answers), np.repeat(four + other, answers))
        start = content.skill_start.astype(np.int64)
        item = content.by_skill[start[skill] + (u[:, 1] * (start[skill + 1] - start[skill])).astype(np.int64)]
        knows = expit(content.discrimination[item] * (roster.ability[row, skill] - content.difficulty[item]))
        slip = roster.slip[row]
        right = u[:, 2] < knows * (1 - slip) + (1 - knows) * content.guess[item]
        seconds = np.exp(content.intensity[item] - roster.speed[row] + PARAMETERS.time_sd * ndtri(u[:, 3]))
        gap = np.ceil(np.minimum(seconds, 900.0)).astype(np.int64) + PAUSE_SECONDS
        begun = np.repeat(7 * 3600 + (12 * 3600 * once[:, 3]).astype(np.int64), answers)
        at = begun + (np.cumsum(gap.reshape(-1, answers), axis=1) - gap.reshape(-1, answers)[:, :1]).ravel()
        hints = np.where(right, 0, np.minimum((4 * u[:, 4]).astype(np.int64), content.hints[item]))
        return self._frame(day, row, place, item, right, seconds, gap, at, hints)

    def _frame(  # noqa: PLR0913, PLR0917 - one array a column
        self,
        day: int,
        row: Ints,
        place: Ints,
        item: npt.NDArray[np.int32],
        right: npt.NDArray[np.bool_],
        seconds: npt.NDArray[np.float64],
        gap: Ints,
        at: Ints,
        hints: Ints,
    ) -> pl.DataFrame:
        random = np.random.default_rng([self._size.seed, day])
        answered = self._items[item]
        roster = self._world.roster
        when = FIRST_DAY + timedelta(days=day)
        midnight = (when - date(1970, 1, 1)).days * 86_400
        columns = {
            "event": pl.Series(_hex(random, row.size)),
            "learner": self.roll["learner"].gather(row),
            "shard": self.roll["shard"].gather(row),
            "day": pl.repeat(when, row.size, dtype=pl.Date, eager=True),
            "occurred_at": pl.Series((midnight + at // 60 * 60) * 1_000_000).cast(pl.Datetime("us", "UTC")),
            "sequence": pl.Series(place),
            "gap_s": pl.Series(gap),
            "correct": pl.Series(right).cast(pl.Int8),
            "response_time_ms": pl.Series((1000 * seconds).astype(np.int64)),
            "hint_count": pl.Series(hints),
            "attempt_number": pl.repeat(1, row.size, eager=True),
            "class_": self.roll["learner"].gather(roster.class_index[row]),  # any name of the right length
            "school": self.roll["learner"].gather(roster.school_index[row]),
        }
        frame = pl.DataFrame({**columns, **answered.to_dict()})
        frame = frame.with_columns(gap_s=pl.when(pl.col("sequence") > 0).then("gap_s"))
        made = [
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in ANONYMISED_INTERACTIONS.schema.items()
        ]
        return frame.select(made).sort("shard", "learner", "sequence")


def land(lake: Lake, day: date, events: pl.DataFrame) -> None:
    """Add events to a day, as the anonymised stage leaves it."""
    held = lake.scan(ANONYMISED_INTERACTIONS, days=[day]).collect()
    merged = pl.concat([held, events]).sort("shard", "learner", "sequence")
    lake.write(ANONYMISED_INTERACTIONS, merged, day=day)


def _hex(random: np.random.Generator, count: int) -> list[str]:
    """So many pseudonyms: 32 hex characters each."""
    text = random.bytes(16 * count).hex()
    return [text[start : start + 32] for start in range(0, len(text), 32)]
