"""The previous champion in the shadow of its successor. Belongs here: who is compared, on what, and the verdict.

A promotion rests on a hold-out. The days after it are the real proof: both champions are asked about each new answer
before it is seen, and where the one before is better with confidence, the promotion was a mistake. Looks are repeated
daily, and each could err, so that each spends an equal part of the error allowed to all of them (Bonferroni): a
champion that is as good as the one before is rolled back with at most one less the confidence, over all its days.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from pydantic import BaseModel, ConfigDict

from aivo_assets.errors import ModelError
from aivo_assets.lake import Dataset
from aivo_assets.settings import PromotionSettings
from aivo_assets.tracing.fold.schema import FeatureSchema
from aivo_assets.tracing.judging.bootstrap import Interval, paired_bootstrap
from aivo_assets.tracing.judging.evidence import days_of_one_outcome
from aivo_assets.tracing.judging.registry import Registry, Serving
from aivo_assets.tracing.model.scores import Scores, losses

_TIME = pl.Datetime("us", "UTC")

SHADOW = Dataset(
    "main_brain/shadow",
    {
        "day": pl.Date,
        "champion_version": pl.Int64,
        "previous_version": pl.Int64,
        "since": _TIME,
        "until": _TIME,
        "events": pl.Int64,
        "learners": pl.Int64,
        "champion_log_loss": pl.Float64,
        "previous_log_loss": pl.Float64,
        "difference": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "roll_back": pl.Boolean,
        "reason": pl.String,
    },
    unit="day",
)
COLUMN_DESCRIPTIONS = {
    "day": "As of which day.",
    "champion_version": "Who was champion.",
    "previous_version": "Who was champion before.",
    "since": "Earliest answer that was compared.",
    "until": "Latest answer that was compared.",
    "events": "Answers that were compared, none of which either has seen.",
    "learners": "Learners who gave them.",
    "champion_log_loss": "Log loss of the champion; lower is better.",
    "previous_log_loss": "Log loss of the one before.",
    "difference": "Champion less the one before; above zero the one before is better.",
    "lower": "The difference is above this with the confidence of one look.",
    "upper": "The difference is below this with the confidence of one look.",
    "roll_back": "Whether the promotion was taken back.",
    "reason": "Why or why not.",
}


@dataclass(frozen=True)
class Pair:
    """A champion and the one before it, both fit to serve."""

    champion: Serving
    previous: Serving


class ShadowVerdict(BaseModel):
    """What the days since a promotion say of it.

    Attributes:
        champion: Version.
        previous: Version of the champion before.
        since: Earliest answer compared, UTC; None without answers.
        until: Latest answer compared, UTC.
        difference: Log loss of the champion less that of the one before; above zero the one before is better.
        champion_scores: On those answers.
        previous_scores: On those answers.
        roll_back: Whether the promotion is to be taken back.
        reason: A sentence for a person.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    champion: int
    previous: int
    since: datetime | None
    until: datetime | None
    difference: Interval | None
    champion_scores: Scores | None
    previous_scores: Scores | None
    roll_back: bool
    reason: str


def pair_of(registry: Registry, features: FeatureSchema) -> Pair | str:
    """The champion and the one before it, or, in a sentence, why there is nothing to compare.

    Args:
        registry: Which knows both.
        features: What the present code folds.
    """
    serving, moves = registry.champion(features), registry.moves()
    if serving is None or not moves:
        return "There is no champion."
    last = moves[-1]
    if last.kind == "rollback":
        return f"Version {last.after} became champion by a rollback: what it replaced is not a candidate any more."
    if last.after != serving.version.number:
        return f"Version {serving.version.number} serves in place of the champion, version {last.after}."
    if last.before is None:
        return f"Version {last.after} is the first champion."
    try:
        brain = registry.load(last.before)
        brain.refuse_other_features(features)
    except ModelError as error:
        return f"Version {last.before}, the champion before, cannot be asked: {error.what}"
    return Pair(serving, Serving(brain, registry.version(last.before), ()))


def window(promoted_as_of: date, day: date, settings: PromotionSettings) -> tuple[date, date] | None:
    """First and last day whose answers are compared as of a day, or None where there is none.

    Days are those on which answers were given, so that a replay of the past compares what the past would have: from the
    day after the last that the champion knew, which is as late as anything that the one before knew.

    Args:
        promoted_as_of: The last day whose answers the champion may know.
        day: As of which day.
        settings: How many days a shadow lasts.
    """
    first = promoted_as_of + timedelta(days=1)
    last = min(day, promoted_as_of + timedelta(days=settings.shadow_days))
    return (first, last) if first <= last else None


def judge(scored: pl.DataFrame, settings: PromotionSettings, *, champion: int, previous: int) -> ShadowVerdict:
    """Judge a promotion by the answers since.

    Args:
        scored: `learner`, `occurred_at`, `correct`, and Float64 `champion` and `previous`: the probabilities of both,
            each from features folded with its own statistics. One row an answer.
        settings: Fewest answers and learners, confidence, days, and the bootstrap.
        champion: Version that is champion.
        previous: Version that was.

    Days on which all answers came out the same are left out: on them the louder of the two would win.
    """
    left_out = days_of_one_outcome(scored)
    scored = scored.filter(left_out.without(scored["occurred_at"]))
    enough = (scored.height, scored["learner"].n_unique())
    needed = (settings.shadow_minimum_events, settings.shadow_minimum_learners)
    common = {"champion": champion, "previous": previous}
    if any(number < least for number, least in zip(enough, needed, strict=True)):
        return ShadowVerdict(
            **common, since=None, until=None, difference=None, champion_scores=None, previous_scores=None,
            roll_back=False,
            reason=f"Version {champion} stays: {enough[0]:,} answers of {enough[1]:,} learners since its promotion say "
            f"nothing yet, at least {needed[0]:,} of {needed[1]:,} are needed"
            f"{f'; {left_out.sentence}' if left_out.answers else ''}.",
        )  # fmt: skip
    correct, ours, theirs = (scored[name].cast(pl.Float64).to_numpy() for name in ("correct", "champion", "previous"))
    difference = paired_bootstrap(
        losses(correct, ours) - losses(correct, theirs),
        (scored["learner"].rank("dense").cast(pl.Int64) - 1).to_numpy(),
        samples=settings.bootstrap_samples,
        confidence=1 - (1 - settings.shadow_confidence) / max(1, settings.shadow_days),
        seed=settings.bootstrap_seed,
    )
    roll_back = difference.lower > 0
    return ShadowVerdict(
        **common,
        since=_instant(scored["occurred_at"].min()),
        until=_instant(scored["occurred_at"].max()),
        difference=difference,
        champion_scores=Scores.of(correct, ours),
        previous_scores=Scores.of(correct, theirs),
        roll_back=roll_back,
        reason=_reason(difference, scored.height, settings, champion, previous),
    )


def to_frame(verdict: ShadowVerdict, *, day: date) -> pl.DataFrame:
    """A verdict as the row of SHADOW of its day."""
    ours, theirs, difference = verdict.champion_scores, verdict.previous_scores, verdict.difference
    row = {
        "day": day,
        "champion_version": verdict.champion,
        "previous_version": verdict.previous,
        "since": verdict.since,
        "until": verdict.until,
        "events": 0 if ours is None else ours.events,
        "learners": 0 if difference is None else difference.learners,
        "champion_log_loss": None if ours is None else ours.log_loss,
        "previous_log_loss": None if theirs is None else theirs.log_loss,
        "difference": None if difference is None else difference.mean,
        "lower": None if difference is None else difference.lower,
        "upper": None if difference is None else difference.upper,
        "roll_back": verdict.roll_back,
        "reason": verdict.reason,
    }
    return pl.DataFrame([row], schema=dict(SHADOW.schema))


def _reason(difference: Interval, events: int, settings: PromotionSettings, champion: int, previous: int) -> str:
    relation = "worse" if difference.mean > 0 else "better"
    measured = (
        f"its log loss is {abs(difference.mean):.4f} {relation} than that of version {previous}, champion before it "
        f"({difference.in_words()} on {events:,} answers of {difference.learners:,} learners since its promotion)"
    )
    if difference.lower > 0:
        sure = f"{settings.shadow_confidence:.0%} confidence over {settings.shadow_days} daily looks"
        return f"Version {champion} is rolled back: {measured}, which is worse with {sure}."
    return f"Version {champion} stays: {measured}, which is not worse with confidence."


def _instant(value: object) -> datetime:
    assert isinstance(value, datetime)  # there are answers
    return value
