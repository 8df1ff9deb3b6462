"""Recommendations on real logs, as they would have been given. Belongs here: walking forward day by day; no measuring.

The learners who are walked with are not those whom the main brain, the item bank and the levels are fitted on; and on
each as-of day nothing later is read. The confidence is calibrated on expectations that were judged by then.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import numpy as np
import polars as pl

from aivo_assets.adaptive.advice.confidence import Confidence
from aivo_assets.adaptive.advice.counterfactual import add_counterfactual
from aivo_assets.adaptive.advice.outcomes import judge
from aivo_assets.adaptive.advice.recommendations import Known, recommend
from aivo_assets.adaptive.advice.wording import load_wording
from aivo_assets.adaptive.policy.levels import item_bank, subject_levels
from aivo_assets.adaptive.policy.policy import success_zone_policy
from aivo_assets.adaptive.policy.rules import Policy
from aivo_assets.adaptive.schema import RECOMMENDATIONS, SKILL_KEYS
from aivo_assets.adaptive.signals.signals import compute_signals
from aivo_assets.benchmarks.validity.hypothetical import TRIED, try_out
from aivo_assets.errors import SourceError
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.fold.statistics import fit_statistics, out_of_fold
from aivo_assets.tracing.model.splits import learner_folds
from aivo_assets.tracing.model.trees.ensemble import Ensemble, fit_ensemble
from aivo_assets.tracing.students.intervals import fit_intervals
from aivo_assets.tracing.students.later_answers import later_answers
from aivo_assets.tracing.students.student_models import Brain, active_learners, build_student_models

_ASKED: Final = 400  # learners of a day among whom counterfactuals to be tried are looked for
CALIBRATION_FOLDS: Final = 20  # one in so many training learners calibrates the brain and fits no tree
WARM_UP_DAYS: Final = 14  # before the first as-of day
_BESIDE: Final = ("attempts", "attempts_at_level", "recent_accuracy", "ability", "p_level", "session_events")
Say = Callable[[str], None]


@dataclass(frozen=True)
class WalkPlan:
    """Who is walked with, and when.

    Attributes:
        learners: How many are walked with.
        train_learners: How many others fit the brain; None: all others.
        every: Days from one as-of day to the next.
        days: Most as-of days, evenly spread; None: all.
        seed: Of the draw of learners.
        policy: The policy; None: the success zone policy.
        tried: Counterfactuals of each way that are tested on each as-of day.
        content: Whether items are chosen, which only reading needs and which costs half of the walk.
    """

    learners: int = 3000
    train_learners: int | None = None
    every: int = 7
    days: int | None = None
    seed: int = 0
    policy: Policy | None = None
    tried: int = 0
    content: bool = True


@dataclass(frozen=True)
class Walked:
    """What a walk gave.

    Attributes:
        recommendations: `RECOMMENDATIONS` of all as-of days, and beside each what its signals say of attempts,
            attempts_at_level, recent_accuracy, ability, p_level and session_events.
        events: All events of the learners walked with.
        bank: `ITEM_BANK` that the walk used throughout.
        days: As-of days, ascending.
        train_learners: Learners who fitted the brain.
        settings: With which it was walked.
        tried: `hypothetical.TRIED`: tested counterfactuals.
    """

    recommendations: pl.DataFrame
    events: pl.DataFrame
    bank: pl.DataFrame
    days: tuple[date, ...]
    train_learners: int
    settings: Settings
    tried: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TRIED))


@dataclass(frozen=True)
class _School:
    """What stands still while one walks."""

    events: pl.DataFrame
    brain: Brain
    levels: pl.DataFrame
    bank: pl.DataFrame
    settings: Settings
    plan: WalkPlan

    @property
    def policy(self) -> Policy:
        return self.plan.policy or success_zone_policy(self.settings.policy)


def walk(events: pl.DataFrame, settings: Settings, plan: WalkPlan, *, say: Say = lambda _: None) -> Walked:
    """Fit on some learners, recommend for others as of day after day.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS.
        settings: Of every stage.
        plan: Who and when.
        say: Told each step.

    Raises:
        SourceError: There are too few learners or days.
        ModelError: The events cannot fit a model.
    """
    walked, train = _deal(events, plan)
    days = _days(walked, plan)
    statistics = fit_statistics(train, settings.features)
    brain = _fitted(train, settings)
    say(f"main brain fitted on {train.height:,} events of {train['learner'].n_unique():,} learners")
    levels = subject_levels(statistics.items, day=days[0], settings=settings.policy)
    bank = item_bank(statistics.items, levels, day=days[0])
    asked = Brain(
        lambda table: brain.predict(table.values),
        statistics,
        settings.features,
        version="walk",
        intervals=fit_intervals(later_answers(train, settings.features, settings.students)),
    )
    school = _School(walked, asked, levels, bank, settings, plan)
    states, known_until = LearnerStates.empty(), date.min
    made: list[pl.DataFrame] = []
    tried: list[pl.DataFrame] = [pl.DataFrame(schema=TRIED)]
    for day in days:
        new = walked.filter((pl.col("day") > known_until) & (pl.col("day") <= day))
        if new.height:
            states = fold(new, statistics, states, settings.features).states
        known_until = day
        recommendations, proof = _as_of(day, states, made, school)
        made.append(recommendations)
        tried.append(proof)
        say(f"{day}: {made[-1].height:,} recommendations for {made[-1]['learner'].n_unique():,} learners")
    fitted_on = train["learner"].n_unique()
    return Walked(pl.concat(made), walked, bank, tuple(days), fitted_on, settings, pl.concat(tried))


def _deal(events: pl.DataFrame, plan: WalkPlan) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events of the learners to walk with, and of those to fit on."""
    names = events["learner"].unique().sort()
    order = np.random.default_rng(plan.seed).permutation(names.len())
    dealt = names.gather(order)
    asked, train = dealt[: plan.learners], dealt[plan.learners :]
    if plan.train_learners is not None:
        train = train[: plan.train_learners]
    if asked.len() < plan.learners or train.len() < CALIBRATION_FOLDS:
        raise SourceError(
            f"{names.len()} learners are too few to walk with {plan.learners} and fit on others",
            fix="Ask for fewer --learners.",
        )
    return tuple(events.filter(pl.col("learner").is_in(part.implode())) for part in (asked, train))  # type: ignore[return-value]


def _days(events: pl.DataFrame, plan: WalkPlan) -> list[date]:
    first, last = events["day"].min(), events["day"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    # On the weekday on which most is done: of learners who rest on Sundays a Sunday's breaks would tell nothing.
    weekday = int(events["day"].dt.weekday().mode().sort()[0])
    start = first + timedelta(days=WARM_UP_DAYS)
    start += timedelta(days=(weekday - start.isoweekday()) % 7)
    days = [start + timedelta(days=step) for step in range(0, max((last - start).days, 0), plan.every)]
    if not days:
        raise SourceError(f"The events run from {first} to {last}, which is no walk", fix="Give events of more days.")
    if plan.days is not None and plan.days < len(days):
        days = [days[place] for place in np.linspace(0, len(days) - 1, plan.days).round().astype(int)]
    return days


def _fitted(train: pl.DataFrame, settings: Settings) -> Ensemble:
    """Trees on most of the learners to fit on, calibration on the others, features out of fold."""
    of_others = out_of_fold(
        train, settings.features, folds=settings.training.statistics_folds, seed=settings.training.seed
    )
    table = fold(train, of_others, None, settings.features).features
    dealt = learner_folds(table.keys["learner"], folds=CALIBRATION_FOLDS, seed=settings.training.seed + 1)
    fitted, _ = fit_ensemble(table, np.flatnonzero(dealt != 0), np.flatnonzero(dealt == 0), settings.training)
    return fitted


def _as_of(
    day: date, states: LearnerStates, before: list[pl.DataFrame], school: _School
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Recommendations of one day, and the counterfactuals that were tried."""
    settings = school.settings.policy
    recent = pl.concat(before[-_weeks(school) :]) if before else None
    signals, mastery = _signals(day, school.events.lazy(), states, recent, school)
    judged = None
    if recent is not None:
        all_seen = school.events.lazy().filter(pl.col("day") <= day)
        judged = judge(recent.lazy(), all_seen, school.bank.lazy(), as_of=day, settings=settings)
    recommended = recommend(
        signals,
        school.bank if school.plan.content else school.bank.clear(),
        settings=settings,
        wording=load_wording(settings),
        made_by="walk",
        known=Known(confidence=Confidence.fit(judged, settings), mastery=mastery, policy=school.policy),
    )
    beside = signals.select(*SKILL_KEYS, *_BESIDE)
    made = recommended.join(beside, on=SKILL_KEYS, how="left", maintain_order="left")
    tried = _tried(day, signals, states, pl.concat([*before[-_weeks(school) :], made]), school)
    return made, tried


def _signals(
    day: date, events: pl.LazyFrame, states: LearnerStates, recent: pl.DataFrame | None, school: _School
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Signals as of a day, and the mastery that they were made with.

    Args:
        day: As-of day.
        events: All of the learners', later ones too, which are not read.
        states: Of the learners at the end of that day.
        recent: Recommendations of earlier days.
        school: All else.
    """
    settings = school.settings
    end = datetime.combine(day + timedelta(days=1), time(0), tzinfo=UTC)
    active = states.of(active_learners(states, end, settings.students))
    models = build_student_models(active, school.brain, school.levels, end, settings.students, day=day)
    back = timedelta(days=settings.policy.history_days)
    signals = compute_signals(
        events.filter(pl.col("day").is_between(day - back, day)),
        school.bank,
        models.skills,
        models.learners,
        recent,
        as_of=day,
        settings=settings.policy,
        session_gap_minutes=settings.features.session_gap_minutes,
        interval=settings.students.interval,
    )
    return signals, models.skills


def _tried(
    day: date, signals: pl.DataFrame, states: LearnerStates, recommended: pl.DataFrame, school: _School
) -> pl.DataFrame:
    """Tested counterfactuals of some learners."""
    if not school.plan.tried:
        return pl.DataFrame(schema=TRIED)
    settings = school.settings.policy
    sample = signals.select("learner").unique().sort(pl.col("learner").hash(0), "learner").head(_ASKED)
    decided = school.policy.decide(signals.join(sample, on="learner", how="semi"))
    past = school.events.filter(pl.col("day") <= day).join(sample, on="learner", how="semi")

    def decide(added: pl.DataFrame, as_of: date, learners: pl.Series) -> pl.DataFrame:
        theirs = states.of(learners)
        if added.height:
            theirs = fold(added, school.brain.statistics, theirs, school.brain.fold_settings).states
        known = pl.concat([past, added]).filter(pl.col("learner").is_in(learners.implode()))
        again, _ = _signals(as_of, known.lazy(), theirs, recommended, school)
        return school.policy.decide(again)

    explained = add_counterfactual(decided, school.policy, settings)
    return try_out(explained, past, school.bank, decide, as_of=day, most=school.plan.tried, settings=settings)


def _weeks(school: _School) -> int:
    """As-of days that lie within what signals and calibration look back on."""
    policy = school.settings.policy
    return -(-max(policy.history_days, policy.outcome_days) // school.plan.every)


assert not set(_BESIDE) & set(RECOMMENDATIONS.schema)
