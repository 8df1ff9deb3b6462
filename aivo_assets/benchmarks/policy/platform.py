"""The platform's evening: fold, student models, signals, rules, for all learners of a trial at once. Not here: truth.

It is the code that the assets call, in the same order, on frames that stay in memory. Words are left out, since nobody
reads them here; content is listed for what may be practised on the next day.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl

from aivo_assets.adaptive.advice.content import add_content, richer_level
from aivo_assets.adaptive.policy.policy import ENRICHMENT, MAINTAIN
from aivo_assets.adaptive.policy.ranking import ranked
from aivo_assets.adaptive.policy.rules import Policy
from aivo_assets.adaptive.schema import SKILL_KEYS
from aivo_assets.adaptive.signals.signals import compute_signals
from aivo_assets.benchmarks.policy.content import Content
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.students.student_models import StudentModels, active_learners, build_student_models

# What the choice of content reads beside the level, of a skill that was practised.
_OF_CONTENT = {
    "current_level": pl.Int8(),
    "kind": pl.String(),
    "p_above": pl.Float64(),
    "items_above": pl.Int32(),
    "recent_items": pl.List(pl.String()),
}
# What the next evening reads of a recommendation (`compute_signals`).
_REMEMBERED = {
    "day": "day",
    "kind": "kind",
    "plan": "plan",
    "current_level": "current_level",
    "recommended_level": "recommended_level",
    "level_since": "level_since",
    "policy_rule": "rule",
    "policy_level": "recommended_level",
    "policy_priority": "policy_priority",
    "passes": "passes",
    "decided_on": "decided_on",
}


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
            `SIGNALS` with what `Policy.decide` and `ranked` add, one row for each learner x skill that is active.
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
        own = self.policy.decide(signals).with_columns(policy_priority="priority")
        decided = ranked(own, self.policy, settings.policy)
        self._remember(decided.select(*SKILL_KEYS, **_REMEMBERED))
        return decided

    def place(self, pairs: pl.DataFrame, day: date) -> pl.DataFrame:
        """The level at which each learner should begin a skill that they have not practised.

        Args:
            pairs: learner, subject, skill_id.
            day: The day that ends; they begin on the next.

        Returns:
            The pairs with recommended_level (Int8) and level_probabilities.
        """
        return self.content.placed(pairs, self.states, _end_of(day))

    def begin(self, pairs: pl.DataFrame, day: date) -> None:
        """Remember at which level skills begin that nobody has practised, as a recommendation that moves nobody.

        Args:
            pairs: learner, subject, skill_id, recommended_level.
            day: The day that ends.
        """
        level = pl.col("recommended_level").cast(pl.Int8)
        begun = pairs.select(
            *SKILL_KEYS,
            day=pl.lit(day),
            kind=pl.lit(MAINTAIN.name),
            plan=pl.lit("practice"),
            current_level=level,
            recommended_level=level,
            level_since=pl.lit(None, pl.Date),
            policy_rule=pl.lit(None, pl.String),
            policy_level=level,
            policy_priority=pl.lit(None, pl.String),
            passes=pl.lit(value=False),
            decided_on=pl.lit(day),
        )
        self._remember(begun)

    def _remember(self, now: pl.DataFrame) -> None:
        """Keep the last recommendation of each learner x skill that does not pass."""
        lasting = now.filter(~pl.col("passes"))
        before = lasting.clear() if self.recommended is None else self.recommended
        self.recommended = pl.concat([before.join(lasting, on=SKILL_KEYS, how="anti"), lasting])

    def listed(self, rows: pl.DataFrame) -> pl.Series:
        """The content of recommendations, List[String], best first.

        Args:
            rows: What `evening` or `place` returns; of the latter no answer is known.
        """
        settings = self.content.settings.policy
        known = [name for name in _OF_CONTENT if name in rows.columns]
        asked = rows.select("subject", "skill_id", "recommended_level", "level_probabilities", *known).with_columns(
            *(pl.lit(None, dtype).alias(name) for name, dtype in _OF_CONTENT.items() if name not in known),
        )
        wanted = asked.with_columns(
            pl.col("recent_items").fill_null([]),
            pl.coalesce("current_level", "recommended_level").alias("current_level"),
            content_skill="skill_id",
            content_wanted="recommended_level",
            content_recent=pl.lit([], pl.List(pl.String)),
        ).with_columns(richer_level(settings, ENRICHMENT.name))
        return add_content(wanted, self.content.bank, settings)["content"]

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
