"""A simulated school in which some instants of each learner are kept with their truth. Belongs here: no model.

True mastery is the learner's probability of a right answer now, at first try, rested and trying, on the skill's typical
item: the mean over the skill's items, each as often as the school gives it. A right answer is one without hints, as
everywhere on the platform.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.arrays import Floats
from aivo_assets.privacy.anonymise import anonymise_interactions
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.settings import PrivacySettings, SimulatorSettings
from aivo_assets.simulation import PARAMETERS, Answers, ItemRequest, Parameters, Policy, School, Simulation, teacher
from aivo_assets.simulation.records import Recorder
from aivo_assets.simulation.world.people import learner_id
from aivo_assets.simulation.world.timetable import DAY_MS
from aivo_assets.tracing.students.mastery import sigmoid

FIRST_DAY = date(2026, 1, 5)
_KEY = PseudonymKey("of made-up learners in a benchmark, and secret from nobody")
_FIRST_OF_BAND = (1, 6, 21, 101, 400)  # each learner is looked at once in each band of events
_SAME_INSTANT_MS = 1_800_000  # what is forgotten within half an hour is nothing beside half-lives of days


@dataclass(frozen=True)
class KnownSchool:
    """Events of a school, and what was true.

    Attributes:
        events: Columns of ANONYMISED_INTERACTIONS.
        looks: learner, look (its number), at (Datetime UTC), answered (events of the learner so far, in order; nothing
            else may be known), subject, skill_id, truth (true mastery), own (whether the skill is of the learner's
            grade); a row a skill.
    """

    events: pl.DataFrame
    looks: pl.DataFrame


class _Watched:
    """The teacher's policy, and somebody who notes the truth when a learner has answered so many times."""

    def __init__(self, simulation: Simulation, random: np.random.Generator) -> None:
        size = simulation.world.roster.size
        self._simulation, self._policy = simulation, teacher(simulation)
        self._count = np.zeros(size, np.int64)
        bounds = np.array(_FIRST_OF_BAND)
        self._wanted = random.integers(bounds[:-1], bounds[1:], (size, len(bounds) - 1))
        self.notes: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]] = []

    def choose(self, step: ItemRequest) -> npt.NDArray[np.int32]:
        return self._policy.choose(step)

    def observe(self, step: ItemRequest, items: npt.NDArray[np.int32], answers: Answers) -> None:
        self._policy.observe(step, items, answers)
        self._count[step.rows] += 1
        reached = (self._wanted[step.rows] == self._count[step.rows, None]).any(axis=1)
        instants = answers.at // _SAME_INSTANT_MS
        for instant in np.unique(instants[reached]):
            now = reached & (instants == instant)
            at = answers.at[now]
            self.note(step.rows[now], at, int(at.max()))

    def note(self, rows: npt.NDArray[np.int64], at: npt.NDArray[np.int64], now: int) -> None:
        """Note the true abilities of some learners; `at` and `now` in ms since the first midnight."""
        known = self._simulation.abilities(now)[rows].astype(np.float64)
        self.notes.append((rows, at, self._count[rows], known))


def live(*, learners: int, days: int, seed: int, parameters: Parameters = PARAMETERS) -> KnownSchool:
    """Let a school live, and look at every learner before the first day, once in each band of events, and at the end.

    Args:
        learners: Enrolled.
        days: Of school.
        seed: Of everything.
        parameters: What is assumed of learning.
    """
    school = School.build(SimulatorSettings(learners=learners, seed=seed, dirt=0.0), FIRST_DAY, parameters=parameters)
    watched: list[_Watched] = []

    def policy(simulation: Simulation) -> Policy:
        watched.append(_Watched(simulation, np.random.default_rng(seed)))
        return watched[0]

    simulation, recorder = Simulation(school.world, policy), Recorder(school.world)
    everybody = np.arange(learners)
    watched[0].note(everybody, np.zeros(learners, np.int64), 0)
    frames, given = [], np.zeros(len(school.world.curriculum.item_ids))
    for _ in range(days):
        log = simulation.live_one_day()
        frames.append(recorder.frame(log))
        given += np.bincount(log.items, minlength=given.size)
    watched[0].note(everybody, np.full(learners, days * DAY_MS), days * DAY_MS)
    events = anonymise_interactions(pl.concat(frames), _KEY, PrivacySettings(), 1)
    return KnownSchool(events, _looks(school, watched[0], given))


def _looks(school: School, watched: _Watched, given: Floats) -> pl.DataFrame:
    rows, at, answered, known = (np.concatenate(parts) for parts in zip(*watched.notes, strict=True))
    truth = true_mastery(school, rows, known, given)
    curriculum, roster = school.world.curriculum, school.world.roster
    skills = len(curriculum.skill_ids)
    names = pseudonyms(learner_id(roster.index), "learner", _KEY)
    subjects = pl.Series(curriculum.subjects).gather(curriculum.skill_subject)
    midnight = pl.lit(school.world.midnight)
    return pl.DataFrame(
        {
            "learner": names.gather(np.repeat(rows, skills)),
            "look": np.repeat(np.arange(rows.size), skills),
            "at": np.repeat(at, skills),
            "answered": np.repeat(answered, skills),
            "subject": pl.concat([subjects] * rows.size),
            "skill_id": list(curriculum.skill_ids) * rows.size,
            "truth": truth.ravel(),
            "own": (curriculum.skill_grade[None, :] == roster.grade[rows][:, None]).ravel(),
        }
    ).with_columns(at=midnight + pl.duration(milliseconds="at"))


def true_mastery(school: School, rows: npt.NDArray[np.int64], ability: Floats, given: Floats) -> Floats:
    """True mastery of every skill.

    Args:
        school: The school.
        rows: Int64 [n], which learners, as positions in the roster.
        ability: Float64 [n, S], their true abilities.
        given: Float64 [Q], how often the school gave each item; each counts once more.
    """
    content, roster = school.world.curriculum, school.world.roster
    slip, helped = roster.slip[rows], roster.help_seeking[rows]
    total, weight = np.zeros_like(ability), np.zeros(ability.shape[1])
    for item, (first, second) in enumerate(content.item_skills):
        asked = ability[:, first] if second < 0 else 0.5 * (ability[:, first] + ability[:, second])
        knows = sigmoid(content.discrimination[item] * (asked - content.difficulty[item]))
        chance = knows * (1.0 - slip) + (1.0 - knows) * content.guess[item]
        if content.hints[item] > 0:
            chance *= 1.0 - np.minimum(helped * (1.0 - knows), 1.0)
        for skill in (first, second):
            if skill >= 0:
                total[:, skill] += (given[item] + 1.0) * chance
                weight[skill] += given[item] + 1.0
    return total / weight
