"""The simulated school as others use it. Belongs here: events, learners, content, truth; no law of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import numpy as np
import polars as pl

from aivo_assets.events.schema import Event
from aivo_assets.settings import SimulatorSettings
from aivo_assets.simulation import dirt
from aivo_assets.simulation.disturbances import Disturbance
from aivo_assets.simulation.parameters import PARAMETERS, Parameters
from aivo_assets.simulation.records import Recorder
from aivo_assets.simulation.simulation import PolicyMaker, Simulation, teacher
from aivo_assets.simulation.world.people import learner_id, learner_table
from aivo_assets.simulation.world.timetable import DAY_MS
from aivo_assets.simulation.world.world import World, build_world


@dataclass(frozen=True)
class School:
    """A simulated school with known truth. Equal settings and start give equal events, bit for bit.

    Attributes:
        world: Content, learners, chance and the first day.
        dirt: Share of rows that go wrong on their way.
    """

    world: World
    dirt: float = 0.0

    @classmethod
    def build(
        cls,
        settings: SimulatorSettings,
        start: date,
        *,
        parameters: Parameters = PARAMETERS,
        disturbances: tuple[Disturbance, ...] = (),
    ) -> "School":
        """Build the school that the settings describe.

        Args:
            settings: Learners, seed and dirt; `days` and `start` are the caller's business.
            start: First day (UTC).
            parameters: What is assumed about learning.
            disturbances: Scripted changes to the school.
        """
        world = build_world(
            seed=settings.seed,
            learners=settings.learners,
            start=start,
            parameters=parameters,
            disturbances=disturbances,
        )
        return cls(world, settings.dirt)

    def part(self, learners: range) -> "School":
        """The same school with only some of its learners, who live as in the whole: for schools beyond the memory."""
        return replace(self, world=self.world.part(learners))

    def days(
        self, first: date, last: date, *, until: datetime | None = None, policy: PolicyMaker = teacher
    ) -> Iterator[tuple[date, pl.DataFrame]]:
        """Live from the first school day to `last` and hand over each day from `first` on.

        Args:
            first: First day wanted.
            last: Last day wanted.
            until: Only what happened up to this instant; None: all of the days.
            policy: Chooses the items.

        Yields:
            The day and its rows, columns of `Event`, in the order in which they happened; dirt included.

        Raises:
            SettingsError: `first` lies before the school began.
        """
        wanted, end = self.world.day_of(first), self.world.day_of(last)
        simulation, recorder = Simulation(self.world, policy), Recorder(self.world)
        for day in range(end + 1):
            log = simulation.live_one_day()
            if day < wanted:
                continue
            frame = recorder.frame(log)
            happened = frame["occurred_at"]
            if self.dirt > 0.0:
                learners, steps = recorder.steps(log)
                uniforms = self.world.draws.uniforms("dirt", learners, dirt.COLUMNS, day=day, steps=steps)
                if until is not None:
                    seen = (happened <= until).to_numpy()
                    frame, uniforms = frame.filter(pl.Series(seen)), uniforms[seen]
                frame = dirt.soil(frame, uniforms, self.dirt)
            elif until is not None:
                frame = frame.filter(happened <= until)
            yield self.world.date_of(day), frame

    def truth(self, day: date, *, policy: PolicyMaker = teacher) -> pl.DataFrame:
        """The true ability of every learner in every skill at the end of a day. It never goes to the lake.

        Args:
            day: At whose end.
            policy: Chose the items up to then.

        Returns:
            One row a learner × skill: learner_id (raw), subject, skill_id, ability (Float64, logits on the scale of
            `item_truth`), opportunities (Int32, answers so far).
        """
        number = self.world.day_of(day)
        simulation = Simulation(self.world, policy)
        for _ in range(number + 1):
            simulation.live_one_day()
        return truth_of(simulation, (number + 1) * DAY_MS)

    def learners(self, until: datetime | None = None) -> pl.DataFrame:
        """The learner table, columns of `Learner`, of who has enrolled by `until`; None: of everybody."""
        roster = self.world.roster
        table = learner_table(self.world.draws, roster, self.world.start)
        if until is None:
            return table
        today = (until.astimezone(UTC).date() - self.world.start).days
        return table.filter(pl.Series(roster.joins <= today))

    def items(self) -> pl.DataFrame:
        """What is public of the items: item_id, subject, skill_ids, authored_difficulty."""
        return self.world.curriculum.items

    def skill_graph(self) -> pl.DataFrame:
        """Prerequisites of the skills, one row an edge: subject, skill_id, prerequisite."""
        return self.world.curriculum.skill_graph


def simulate(
    school: School, first: date, last: date, *, until: datetime | None = None, policy: PolicyMaker = teacher
) -> pl.DataFrame:
    """All rows from `first` to `last`, both included; see `School.days`."""
    frames = [frame for _, frame in school.days(first, last, until=until, policy=policy)]
    return pl.concat(frames) if frames else Event.create_empty()


def truth_of(simulation: Simulation, at: int) -> pl.DataFrame:
    """True abilities in a running simulation, as `School.truth` gives them.

    Args:
        simulation: The simulation, lived up to `at`.
        at: ms after the school's first midnight.
    """
    world = simulation.world
    learners, skills = world.roster.size, len(world.curriculum.skill_ids)
    names = learner_id(world.roster.index)
    return pl.DataFrame(
        {
            "learner_id": names.gather(np.repeat(np.arange(learners), skills)),
            "subject": pl.Series(world.curriculum.subjects).gather(np.tile(world.curriculum.skill_subject, learners)),
            "skill_id": pl.Series(world.curriculum.skill_ids).gather(np.tile(np.arange(skills), learners)),
            "ability": simulation.abilities(at).ravel().astype(np.float64),
            "opportunities": simulation.state.opportunities.ravel(),
        }
    )
