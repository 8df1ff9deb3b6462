"""What learners did after a recommendation. Belongs here: joining each to the answers that followed; no comparison.

A recommendation is looked at where the learner went on with the skill before the next one was made, so that each answer
follows one recommendation only.
"""

from typing import Final

import polars as pl

from aivo_assets.adaptive.policy.policy import BREAK, success_zone_policy
from aivo_assets.adaptive.schema import SIGNALS, SKILL_KEYS
from aivo_assets.adaptive.signals.sessions import last_session, timeline
from aivo_assets.benchmarks.validity.walk import Walked
from aivo_assets.settings import PolicySettings

KEYS: Final = [*SKILL_KEYS, "day"]
NEXT: Final = 10  # answers
CUTS: Final = (10, 15, 20, 30, 40, 60, 80)  # answers of a session after which a break may be called for
BANDS: Final = (5, 10, 20, 40)  # answers on the skill from which a band of them begins
AFTER: Final = 5  # fewest answers after such a cut that tell anything


def add_next(walked: Walked, *, every: int) -> pl.DataFrame:
    """Add what followed to each recommendation.

    Args:
        walked: What a walk gave.
        every: Days from one as-of day to the next.

    Returns:
        The recommendations that were followed by practice of the skill within `every` days, with
        success_next: share correct of the next 10 answers on the skill within the active days (at least 3);
        residual_next: the same less what a learner of middling ability would have got right of those items;
        success_next_day: share correct on the next day of practice of the skill;
        success_harder: share correct of those of the next 20 that are of a level above the current one (at least 2);
        residual_harder: likewise;
        bands to match on: level, attempts_band, ability_band.
    """
    answers = _answers(walked)
    after = (pl.col("answered_on") - pl.col("day")).dt.total_days()
    window = walked.settings.policy.active_days
    joined = (
        walked.recommendations.lazy()
        .select(*KEYS, "current_level")
        .join(answers.lazy(), on=KEYS[:3])
        .filter(after.is_between(1, window))
        .sort("answered_on", "sequence")
    )
    first_day = pl.col("answered_on") == pl.col("answered_on").first()
    residual = pl.col("correct") - pl.col("population")
    harder = (pl.col("item_level") > pl.col("current_level")).fill_null(value=False) & (
        pl.int_range(pl.len()) < 2 * NEXT
    )
    following = joined.group_by(KEYS).agg(
        _starts=after.first(),
        success_next=pl.when(pl.len() >= 3).then(pl.col("correct").head(NEXT).mean()),
        residual_next=pl.when(pl.len() >= 3).then(residual.head(NEXT).mean()),
        success_next_day=pl.col("correct").filter(first_day).mean(),
        success_harder=pl.when(harder.sum() >= 2).then(pl.col("correct").filter(harder).mean()),
        residual_harder=pl.when(harder.sum() >= 2).then(residual.filter(harder).mean()),
    )
    return (
        walked.recommendations.lazy()
        .join(following.filter(pl.col("_starts") <= every).drop("_starts"), on=KEYS)
        .with_columns(
            level=pl.col("current_level"),
            attempts_band=pl.sum_horizontal((pl.col("attempts") >= least).cast(pl.Int8) for least in BANDS),
            ability_band=((pl.col("ability") / 0.4).floor()).cast(pl.Int32),
        )
        .collect()
    )


def _answers(walked: Walked) -> pl.DataFrame:
    """An answer a skill, with level and difficulty of the item: population is what ability 0 would get right."""
    bank = walked.bank.lazy().select("item_id", "subject", "difficulty", item_level="level")
    return (
        walked.events.lazy()
        .select("learner", "subject", "skill_ids", "sequence", "item_id", "correct", answered_on="day")
        .join(bank, on=["item_id", "subject"], how="left")
        .with_columns(population=1 / (1 + pl.col("difficulty").exp()))
        .explode("skill_ids", keep_nulls=False)
        .rename({"skill_ids": "skill_id"})
        .collect()
    )


def sessions_cut(walked: Walked) -> pl.DataFrame:
    """Every session of the walk cut where a break might be called for, and how it went on.

    Returns:
        One row a cut: learner, kind (`break` where the policy would call for one at that point, else `no break`),
        rule, answers (before the cut), fall (success after the cut less before it, item difficulty allowed for; at most
        the next 10 answers), before (mean surplus before the cut) and bands of both to match on.
    """
    settings = walked.settings
    bank = walked.bank.lazy().select("item_id", "subject", "difficulty", "typical_time_s")
    ability = walked.recommendations.lazy().group_by("learner").agg(pl.col("ability").first())
    events = (
        timeline(walked.events.lazy(), session_gap_minutes=settings.features.session_gap_minutes)
        .join(bank, on=["item_id", "subject"], how="left", maintain_order="left")
        .join(ability, on="learner", how="left", maintain_order="left")
        .with_columns(
            expected=(1 / (1 + (pl.col("difficulty") - pl.col("ability").fill_null(0.0)).exp())).fill_null(0.7),
            _place=pl.int_range(pl.len()).over("session_index"),
            _length=pl.len().over("session_index"),
        )
        .filter(pl.col("_length") >= CUTS[0] + AFTER)
        .collect()
    )
    parts = [_cut(events, place, settings.policy) for place in CUTS]
    return pl.concat(parts).with_columns(
        before_band=(pl.col("before") / 0.1).floor().cast(pl.Int32), answers_band=pl.col("answers")
    )


def _cut(events: pl.DataFrame, place: int, settings: PolicySettings) -> pl.DataFrame:
    """The cut after so many answers, of the sessions that went on for a few more."""
    long = events.filter(pl.col("_length") >= place + AFTER)
    so_far = long.filter(pl.col("_place") < place)
    after = long.filter(pl.col("_place").is_between(place, place + NEXT - 1))
    surplus = (pl.col("correct") - pl.col("expected")).mean()
    outcome = (
        so_far.group_by("session_index")
        .agg(pl.col("learner").first(), pl.col("day").last(), before=surplus)
        .join(after.group_by("session_index").agg(after=surplus), on="session_index")
    )
    # Each session by itself, as if it were all that is known of a learner.
    alone = so_far.lazy().with_columns(learner=pl.col("session_index").cast(pl.String))
    last = events["day"].max()
    state = last_session(alone, as_of=last, settings=settings).collect()  # type: ignore[arg-type]
    missing = {name: pl.lit(None, dtype) for name, dtype in SIGNALS.schema.items() if name not in state.columns}
    asked = state.with_columns(**missing).with_columns(latest=pl.lit(value=True), session_current=pl.lit(value=True))
    breaks = [rule for rule in success_zone_policy(settings).rules if rule.kind.name == BREAK.name]
    rule = pl.coalesce(pl.when(each.condition).then(pl.lit(each.name)) for each in breaks)
    rules = asked.select(session_index=pl.col("learner").cast(pl.Int64), rule=rule)
    return (
        outcome.with_columns(pl.col("session_index").cast(pl.Int64))
        .join(rules, on="session_index")
        .select(
            "learner",
            "rule",
            "before",
            kind=pl.when(pl.col("rule").is_not_null()).then(pl.lit(BREAK.name)).otherwise(pl.lit("no break")),
            answers=pl.lit(place),
            fall=pl.col("after") - pl.col("before"),
        )
    )
