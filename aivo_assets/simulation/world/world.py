"""A school that can be simulated: content, learners, chance, first day. Belongs here: the parts; not what they do."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from aivo_assets.errors import SettingsError
from aivo_assets.simulation.disturbances import Disturbance
from aivo_assets.simulation.draws import Draws
from aivo_assets.simulation.parameters import PARAMETERS, Parameters
from aivo_assets.simulation.world.curriculum import Curriculum, build_curriculum
from aivo_assets.simulation.world.roster import Roster, build_roster


@dataclass(frozen=True)
class World:
    """The parts of a school.

    Attributes:
        draws: Its random numbers.
        start: First day (UTC).
        curriculum: What is taught.
        roster: Who learns; all of the school, or a part of it.
        parameters: What is assumed about learning.
        disturbances: Scripted changes to the school.
    """

    draws: Draws
    start: date
    curriculum: Curriculum
    roster: Roster
    parameters: Parameters = PARAMETERS
    disturbances: tuple[Disturbance, ...] = field(default=())

    @property
    def midnight(self) -> datetime:
        """The school's first midnight, from which milliseconds count."""
        return datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC)

    def day_of(self, when: date) -> int:
        """Day of the school that a date is; 0 = first.

        Raises:
            SettingsError: The date lies before the school began.
        """
        day = (when - self.start).days
        if day < 0:
            raise SettingsError(
                f"The simulated school has no day {when}: it began on {self.start}.",
                fix="Ask for a later day, or set AIVO_SIMULATOR_START before the first use.",
            )
        return day

    def date_of(self, day: int) -> date:
        """Date of a day of the school."""
        return self.start + timedelta(days=day)

    def part(self, learners: range) -> "World":
        """The same school with only some of its learners; they live exactly as they do in the whole."""
        return replace(self, roster=build_roster(self.draws, learners, self.curriculum, self.parameters))


def build_world(
    *,
    seed: int,
    learners: int | range,
    start: date,
    items_per_skill: int = 26,
    parameters: Parameters = PARAMETERS,
    disturbances: tuple[Disturbance, ...] = (),
) -> World:
    """Build a school.

    Args:
        seed: Seed of everything random.
        learners: How many, or which of a larger school's.
        start: First day.
        items_per_skill: Size of the bank; each subject has 16 skills.
        parameters: Assumptions.
        disturbances: Scripted changes to the school.
    """
    draws = Draws(seed)
    curriculum = build_curriculum(draws, items_per_skill, parameters)
    numbers = learners if isinstance(learners, range) else range(learners)
    roster = build_roster(draws, numbers, curriculum, parameters)
    return World(draws, start, curriculum, roster, parameters, disturbances)
