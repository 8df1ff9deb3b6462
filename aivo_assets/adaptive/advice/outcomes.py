"""Outcomes of earlier recommendations. Belongs here: comparing each expectation with the answers that followed.

The expectation of a recommendation is exactly this: of the learner's next `expected_attempts` answers on the skill,
given after the as-of day and within the active days, to items of the recommended level give or take the tolerance, at
least `expected_successes` are correct. With fewer such answers it is not judged: it neither held nor failed. A learner
need not have been told, nor have followed; who never comes near the level is not judged either.
"""

from datetime import date, timedelta

import polars as pl

from aivo_assets.adaptive.schema import OUTCOMES, SKILL_KEYS
from aivo_assets.settings import PolicySettings


def judge(
    recommendations: pl.LazyFrame,
    interactions: pl.LazyFrame,
    item_bank: pl.LazyFrame,
    *,
    as_of: date,
    settings: PolicySettings,
    overrides: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Judge every expectation of the last days that can be judged by now.

    Of each learner x skill the first recommendation of a week counts, and of very many learners a fixed part (the
    pseudonyms that sort first), so that the cost stays bounded.

    Args:
        recommendations: `RECOMMENDATIONS` of any days.
        interactions: `ANONYMISED_INTERACTIONS` of any days.
        item_bank: `ITEM_BANK` of one day.
        as_of: Answers to the end of this UTC day are known.
        settings: Window, tolerance, most learners.
        overrides: `OVERRIDES`, for what teachers said of a recommendation within the days that it holds.

    Returns:
        `OUTCOMES`, ordered by learner, subject, skill and the day of the recommendation.
    """
    made = _made(recommendations, as_of, settings)
    first = as_of - timedelta(days=settings.outcome_days)
    answers = (
        interactions.filter(pl.col("day").is_between(first, as_of))
        .select("learner", "subject", "skill_ids", "day", "sequence", "item_id", "correct")
        .join(made.lazy().select("learner").unique(), on="learner", how="semi")
        .join(item_bank.select("item_id", "subject", item_level="level"), on=["item_id", "subject"])
        .explode("skill_ids", keep_nulls=False)
        .rename({"skill_ids": "skill_id", "day": "answered_on"})
    )
    later = pl.col("answered_on") > pl.col("recommended_on")
    in_time = pl.col("answered_on") <= pl.col("recommended_on") + pl.duration(days=settings.active_days)
    near = (pl.col("item_level").cast(pl.Int16) - pl.col("recommended_level")).abs() <= settings.level_tolerance
    wanted = pl.col("expected_attempts").first()
    judged = (
        made.lazy()
        .join(answers, on=SKILL_KEYS)
        .filter(later & in_time & near)
        .sort("answered_on", "sequence")
        .group_by(*SKILL_KEYS, "recommended_on")
        .agg(
            successes=pl.col("correct").cast(pl.Int32).head(wanted).sum(),
            judged_on=pl.col("answered_on").head(wanted).last(),
            _answers=pl.len(),
        )
    )
    return (
        made.lazy()
        .join(judged, on=[*SKILL_KEYS, "recommended_on"])
        .filter(pl.col("_answers") >= pl.col("expected_attempts"))
        .with_columns(day=pl.lit(as_of), held=pl.col("successes") >= pl.col("expected_successes"))
        .join(_answered(made, overrides, settings), on=[*SKILL_KEYS, "recommended_on"], how="left")
        .sort(*SKILL_KEYS, "recommended_on")
        .select(pl.col(name).cast(dtype) for name, dtype in OUTCOMES.schema.items())
        .collect()
    )


def _made(recommendations: pl.LazyFrame, as_of: date, settings: PolicySettings) -> pl.DataFrame:
    """The recommendations to judge: in the window, the first of each week, of not too many learners."""
    columns = [name for name in OUTCOMES.schema if name in recommendations.collect_schema().names() and name != "day"]
    window = recommendations.filter(
        pl.col("day").is_between(as_of - timedelta(days=settings.outcome_days), as_of, closed="left")
    )
    sample = window.select(pl.col("learner").unique().sort().head(settings.outcome_learners))
    return (
        window.join(sample, on="learner", how="semi")
        .select(*columns, recommended_on="day")
        .sort("recommended_on")
        .unique([*SKILL_KEYS, pl.col("recommended_on").dt.truncate("1w")], keep="first", maintain_order=True)
        .collect()
    )


def _answered(made: pl.DataFrame, overrides: pl.DataFrame | None, settings: PolicySettings) -> pl.LazyFrame:
    """The last word of a teacher on each recommendation: keys, recommended_on, answered."""
    nothing = made.lazy().select(*SKILL_KEYS, "recommended_on", answered=pl.lit(None, pl.String)).clear()
    if overrides is None or overrides.is_empty():
        return nothing
    within = (pl.col("given_on") - pl.col("recommended_on")).dt.total_days().is_between(0, settings.reject_days)
    return (
        made.lazy()
        .select(*SKILL_KEYS, "recommended_on")
        .join(
            overrides.lazy().select(*SKILL_KEYS, "given_on", answered="action"),
            on=SKILL_KEYS,
            maintain_order="left_right",
        )
        .filter(within)
        .sort("given_on", maintain_order=True)
        .group_by(*SKILL_KEYS, "recommended_on")
        .agg(pl.col("answered").last())
    )
