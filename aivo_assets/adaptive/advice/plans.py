"""Levels and plans in force, as student models hold them. Belongs here: which those are, and whose models lag behind.

A recommendation says at which level a learner should work in a skill, and on which plan; the learner's student model
holds both from the moment on at which `student_model_update` brings it up to date. Models of a day that are made again
keep what they held, so that the same day made twice is the same.
"""

from datetime import date

import polars as pl

from aivo_assets.adaptive.schema import RECOMMENDATIONS, SKILL_KEYS
from aivo_assets.lake import Lake
from aivo_assets.tracing.fold.schema import SKILL_MASTERY
from aivo_assets.tracing.students.model_store import mastery_in_force
from aivo_assets.tracing.students.student_models import PLANS


def recommended_plans(lake: Lake, *, day: date, shard: int) -> pl.DataFrame:
    """`PLANS` by the recommendations of a day."""
    made = lake.scan(RECOMMENDATIONS, days=[day], shards=[shard])
    return made.select(*SKILL_KEYS, "plan", level="recommended_level").select(list(PLANS)).collect()


def plans_before(lake: Lake, *, day: date, shard: int) -> pl.DataFrame:
    """`PLANS` before the recommendations of a day: those that models of the day hold, else the newest recommended."""
    held = lake.scan(SKILL_MASTERY, days=[day], shards=[shard]).select(list(PLANS)).collect()
    newest = _newest_before(lake, day)
    if newest is None:
        return held
    before = recommended_plans(lake, day=newest, shard=shard)
    return pl.concat([held, before.join(held, on="learner", how="anti")])


def outdated(lake: Lake, *, day: date) -> pl.DataFrame:
    """Learners whose models hold another level or plan than the recommendations of a day say, or one too many.

    Returns:
        learner, shard; ascending by shard and learner. Nobody where the day holds no recommendation at all: then
        something failed, and no plan ends with it. A skill without a model concerns nobody.
    """
    frames = [pl.LazyFrame(schema={"learner": pl.String, "shard": pl.Int32})]
    for shard in range(lake.shards if _holds(lake, day) else 0):
        models = mastery_in_force(lake, until=day, shards=[shard]).select(list(PLANS))
        recommended = recommended_plans(lake, day=day, shard=shard).lazy()
        both = models.join(recommended, on=SKILL_KEYS, how="left", suffix="_said")
        other = [pl.col(name).ne_missing(pl.col(f"{name}_said")) for name in ("level", "plan")]
        learners = both.filter(pl.any_horizontal(other)).select("learner", pl.lit(shard, pl.Int32).alias("shard"))
        frames.append(learners.unique().sort("learner"))
    return pl.concat(frames).collect()


def _newest_before(lake: Lake, day: date) -> date | None:
    """The newest day before one that holds a recommendation."""
    earlier = (one for one in reversed(lake.days(RECOMMENDATIONS)) if one < day)
    return next((one for one in earlier if _holds(lake, one)), None)


def _holds(lake: Lake, day: date) -> bool:
    """Whether there is a recommendation of a day."""
    manifest = lake.manifest(RECOMMENDATIONS, day=day)
    return manifest is not None and manifest["rows"] > 0
