"""The platform's evening: fold, student models, signals, rules, for all learners of a trial at once. Not here: truth.

It is the code that the assets call, in the same order, on frames that stay in memory. Words and content are left out,
since nobody reads them here.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.adaptive.rules import Policy
from aivo_assets.adaptive.signals import compute_signals
from aivo_assets.benchmarks.policy_content import Content
from aivo_assets.tracing.features import fold
from aivo_assets.tracing.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets.tracing.states import LearnerStates
from aivo_assets.tracing.student_models import StudentModels, active_learners, build_student_models

_KEYS = ["learner", "subject", "skill_id"]
# What the next evening reads of a recommendation (`compute_signals`).
_REMEMBERED = ["day", "kind", "plan", "current_level", "recommended_level", "level_since"]


@dataclass
class Platform:
    """A platform with some learners.

    Attributes:
        content: What it knew before they came.
        policy: Its table of rules.
        models: Whether it asks the main brain; the threshold rules need no model.
        states: What it remembers of the learners.
        events: All their answers so far.
        recommended: The last recommendation of each learner x skill.
    """

    content: Content
    policy: Policy
    models: bool

    def __post_init__(self) -> None:
        self.states = LearnerStates.empty()
        self.events: list[pl.DataFrame] = []
        self.recommended: pl.DataFrame | None = None

    def evening(self, events: pl.DataFrame, day: date) -> pl.DataFrame:
        """Take in a day's answers and decide for everybody.

        Args:
            events: The day, as `events_of` makes it.
            day: The day that ends.

        Returns:
            `SIGNALS` with what `Policy.decide` adds, one row for each learner x skill that is active.
        """
        settings = self.content.settings
        self.events.append(events)
        students = self._students(events, day)
        signals = compute_signals(
            pl.concat(self.events).lazy(),
            self.content.bank,
            students.skills,
            students.learners,
            self.recommended,
            as_of=day,
            settings=settings.policy,
            session_gap_minutes=settings.features.session_gap_minutes,
            interval=settings.students.interval,
        )
        decided = self.policy.decide(signals)
        now = decided.select(*_KEYS, *_REMEMBERED)
        before = now.clear() if self.recommended is None else self.recommended
        self.recommended = pl.concat([before.join(now, on=_KEYS, how="anti"), now])
        return decided

    def place(self, pairs: pl.DataFrame, day: date) -> npt.NDArray[np.int8]:
        """The level at which each learner should begin a skill that he has not practised, Int8 [n].

        Args:
            pairs: learner, subject, skill_id.
            day: The day that ends; he begins on the next.
        """
        return self.content.fitting_levels(pairs, self.states, _end_of(day))

    def _students(self, events: pl.DataFrame, day: date) -> StudentModels:
        if not self.models:
            return StudentModels(STUDENT_MODELS.empty(), SKILL_MASTERY.empty())
        content, settings = self.content, self.content.settings
        if events.height:
            self.states = fold(events, content.brain.statistics, self.states, settings.features).states
        active = self.states.of(active_learners(self.states, _end_of(day), settings.students))
        return build_student_models(active, content.brain, content.levels, _end_of(day), settings.students, day=day)


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
