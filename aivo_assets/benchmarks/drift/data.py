"""The school whose drift is benchmarked. Belongs here: events of a file or the simulator, and what is held back.

Held back are some learners and one subject (a file without subjects: some skills), which the untouched days never see;
they arrive when an injection asks for new learners or a new subject. A simulated school lives on from any day under a
disturbance; days of a file can only be changed after the event (`drift_injections`).
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from aivo_assets.benchmarks.interactions import read_interactions
from aivo_assets.errors import SourceError
from aivo_assets.settings import SimulatorSettings, SourceSettings
from aivo_assets.simulation import School
from aivo_assets.simulation.disturbances import Disturbance
from aivo_assets.simulation.records import Recorder
from aivo_assets.simulation.simulation import Simulation, teacher

LEARNERS_HELD_BACK = 0.15
EVENTS_HELD_BACK = 0.08  # of a file without subjects, as whole skills
FIRST_SCHOOL_DAY = date(2025, 9, 1)
ATTRIBUTES = ("grade", "gender", "region", "disability")

Live = Callable[[date, date, Disturbance], pl.DataFrame]


@dataclass(frozen=True)
class DriftData:
    """A school.

    Attributes:
        name: What the report calls it.
        events: What happens without injection, columns of ANONYMISED_INTERACTIONS.
        newcomers: Events of learners held back.
        new_subject: Events of the others in the subject held back.
        attributes: Published attributes of learners, as ANONYMISED_LEARNERS; None where there are none.
        live: From a day to a day under a disturbance, the same columns; None for a file.
    """

    name: str
    events: pl.DataFrame
    newcomers: pl.DataFrame
    new_subject: pl.DataFrame
    attributes: pl.DataFrame | None = None
    live: Live | None = field(default=None, compare=False)

    @property
    def has_times(self) -> bool:
        """Whether response times are known."""
        return self.events["response_time_ms"].null_count() < self.events.height


def read_drift_file(
    path: Path, *, q_matrix: Path | None, learners: int | None, seed: int, settings: SourceSettings | None = None
) -> DriftData:
    """A file of answers with times.

    Args:
        path: As `read_interactions`.
        q_matrix: As there.
        learners: A sample of so many; None: all.
        seed: Of the sample and of what is held back.
        settings: How the file is read, as in `read_interactions`.

    Raises:
        SourceError: The answers lie on too few days to train on some and watch the others.
    """
    events = read_interactions(path, q_matrix=q_matrix, settings=settings)
    if events["day"].n_unique() < 60:
        raise SourceError(
            f"{path} has answers on {events['day'].n_unique()} days; drift needs at least 60",
            fix="Give a file with times over months.",
        )
    names = events["learner"].unique().sort()
    if learners is not None and learners < names.len():
        chosen = names.sample(learners, seed=seed)
        events = events.filter(pl.col("learner").is_in(chosen.implode()))
    return _held_back(path.stem if path.stem != "interactions" else path.parent.name, events, seed)


def simulate_drift_school(*, learners: int, days: int, seed: int) -> DriftData:
    """A simulated school of so many learners and days; the last subject of its curriculum is held back."""
    school = School.build(SimulatorSettings(learners=learners, seed=seed, dirt=0.0), FIRST_SCHOOL_DAY)
    simulation, recorder = Simulation(school.world, teacher), Recorder(school.world)
    mornings, frames = [], []
    for _ in range(days):
        mornings.append(deepcopy(simulation))
        frames.append(recorder.frame(simulation.live_one_day()))

    def live(first: date, last: date, disturbance: Disturbance) -> pl.DataFrame:
        begun = school.world.day_of(first)
        again = deepcopy(mornings[begun])
        again.world = replace(again.world, disturbances=(disturbance,))
        lived = [recorder.frame(again.live_one_day()) for _ in range((last - first).days + 1)]
        return _shaped([*frames[:begun], *lived]).filter(pl.col("day") >= first)

    table = school.learners()
    attributes = table.select(pl.col("learner_id").alias("learner"), *(name for name in ATTRIBUTES))
    whole = _held_back("simulator", _shaped(frames), seed)
    return replace(whole, attributes=attributes, live=lambda *asked: _kept(live(*asked), whole))


def _kept(events: pl.DataFrame, school: DriftData) -> pl.DataFrame:
    """Without what is held back."""
    newcomers, subjects = school.newcomers["learner"].unique(), school.new_subject["subject"].unique()
    return events.filter(~pl.col("learner").is_in(newcomers.implode()), ~pl.col("subject").is_in(subjects.implode()))


def _shaped(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows of the simulator as benchmark files are read, so that both go one way."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "simulated.parquet"
        pl.concat(frames).write_parquet(path)
        return read_interactions(path)


def _held_back(name: str, events: pl.DataFrame, seed: int) -> DriftData:
    random = np.random.default_rng([seed, 1])
    learners = events["learner"].unique().sort()
    newcomers = learners.filter(pl.Series(random.random(learners.len()) < LEARNERS_HELD_BACK))
    is_newcomer = events["learner"].is_in(newcomers.implode())
    content = _content_held_back(events, random)
    others = events.filter(~is_newcomer)
    is_new = others.select(content)["held_back"]
    return DriftData(
        name=name,
        events=others.filter(~is_new),
        newcomers=events.filter(is_newcomer).filter(~content),
        new_subject=others.filter(is_new).with_columns(
            subject=pl.when(pl.col("subject") == "general").then(pl.lit("new subject")).otherwise("subject")
        ),
    )


def _content_held_back(events: pl.DataFrame, random: np.random.Generator) -> pl.Expr:
    """Whether an event is of the content held back, named `held_back`."""
    subjects = events["subject"].drop_nulls().unique().sort().to_list()
    if len(subjects) > 1:
        last: pl.Expr = pl.col("subject") == subjects[-1]
        return last.fill_null(False).alias("held_back")
    first = pl.col("skill_ids").list.first().alias("skill")
    sizes = events.select(first).group_by("skill").len().sort("skill")
    order = random.permutation(sizes.height)
    share = sizes["len"].to_numpy()[order].cumsum() / events.height
    # The last one taken is left out where it alone is larger than what is wanted.
    taken = sizes["skill"].gather(order[share <= EVENTS_HELD_BACK])
    held_back: pl.Expr = pl.col("skill_ids").list.first().is_in(taken.implode())
    return held_back.alias("held_back")


def weeks_later(events: pl.DataFrame, onset: date, horizon: int) -> pl.DataFrame:
    """Each learner's first `horizon` days, moved by whole weeks so that they begin in the week from `onset` on."""
    first = pl.col("day").min().over("learner")
    weeks = ((pl.lit(onset) - first).dt.total_days() / 7).ceil().cast(pl.Int64)
    moved = events.filter((pl.col("day") - first) < timedelta(days=horizon)).with_columns(_weeks=weeks)
    # Filtered before: a learner's first day is the same afterwards.
    shift = pl.duration(days=pl.col("_weeks") * 7)
    return moved.with_columns((pl.col("day") + shift).cast(pl.Date), pl.col("occurred_at") + shift).drop("_weeks")
