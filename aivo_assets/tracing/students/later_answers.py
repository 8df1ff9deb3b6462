"""What learners answered after a cut. Belongs here: cuts and frozen predictions; no scoring.

A student model says something about a learner at one instant. What they answer afterwards shows whether it was right,
if nothing that the model is made of has seen those answers: statistics come from other learners, and the state stays
as it is while they go on. Everything here is made of events alone, so it is the same for any school.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from aivo_assets.settings import FeatureSettings, StudentSettings
from aivo_assets.tracing.fold.features import fold, query
from aivo_assets.tracing.fold.statistics import Statistics, fit_statistics, learner_folds
from aivo_assets.tracing.students.mastery import unmoderated

BANDS = ("0", "1–5", "6–20", "21–100", ">100")  # events that a learner, or a learner on a skill, has seen
_FIRST_OF_BAND = (0, 1, 6, 21, 101)
_STOPS = (1, 1, 2, 3, 4)  # how often a learner is stopped in each band; later ones are narrow and need more answers
LATER_EVENTS = 12  # of a learner's next answers, so many at most …
LATER_DAYS = 2  # … within so many days show what they can do now; later they have learnt or forgotten
RAPID_MS = 3000  # a faster answer is a guess (Kong, Wise and Bhola 2007): it tells of effort, and efforts come in runs
FEWEST_LATER = 2  # a pair is the least that shows what two answers share

LATER_ANSWERS: dict[str, pl.DataType | type[pl.DataType]] = {
    "learner": pl.String,
    "stop": pl.Int32,  # number of the stop; a learner's answers after one stop belong together
    "events": pl.Int64,  # of the learner before the cut
    "skills": pl.Int64,  # practised before the cut
    "skill_id": pl.String,
    "opportunities": pl.Int64,  # on the skill before the cut
    "correct": pl.Float64,
    "mastery_logit": pl.Float64,  # on this item, of the learner's skill …
    "mastery_variance": pl.Float64,  # … without the item's own uncertainty
    "ability_logit": pl.Float64,  # of ability alone, offsets of subject and skill left out
    "ability_variance": pl.Float64,
    "item_variance": pl.Float64,
}


def band_of(events: pl.Expr) -> pl.Expr:
    """Band of a number of events, one of `BANDS`."""
    band = pl.lit(BANDS[0])
    for name, first in zip(BANDS[1:], _FIRST_OF_BAND[1:], strict=True):
        band = pl.when(events >= first).then(pl.lit(name)).otherwise(band)
    return band


def later_answers(events: pl.DataFrame, settings: FeatureSettings, students: StudentSettings) -> pl.DataFrame:
    """Stop each learner in every band that they reach, and set their next answers beside what was believed of them.

    Kept are answers to items of one skill that they meet for the first time, within `LATER_EVENTS` and `LATER_DAYS`; on
    skills that they had practised before, or on any if they had no event at all. Rapid guesses are left out where
    answers are timed: a run of them would pass for a skill that is worse than believed.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS, any order of rows.
        settings: Of statistics and fold.
        students: How many learners are stopped, and the seed.

    Returns:
        LATER_ANSWERS, in a fixed order of learner and time.
    """
    names = events["learner"].unique().sort()
    folds, seed = students.interval_folds, students.interval_seed
    dealt = pl.DataFrame({"learner": names, "_fold": learner_folds(names, folds, seed)})
    parts, stopped = [], 0
    for number in range(folds):
        ours = dealt.filter(pl.col("_fold") == number).select("learner")
        if stopped >= students.interval_learners or ours.is_empty() or ours.height == names.len():
            continue
        others = events.join(ours, on="learner", how="anti")
        held_out = events.join(ours, on="learner", how="semi")
        parts.append(frozen_predictions(held_out, fit_statistics(others, settings), settings, seed=seed))
        stopped += ours.height
    return pl.concat(parts) if parts else pl.DataFrame(schema=LATER_ANSWERS)


def frozen_predictions(
    events: pl.DataFrame, statistics: Statistics, settings: FeatureSettings, *, seed: int
) -> pl.DataFrame:
    """The same for learners whom the statistics do not know, all of them.

    Args:
        events: Of these learners.
        statistics: Of others.
        settings: Of the fold.
        seed: Of where each learner is stopped.

    Returns:
        LATER_ANSWERS.
    """
    ordered = events.sort("learner", "day", "sequence").with_columns(_place=pl.int_range(pl.len()).over("learner"))
    cuts = pl.concat(_cuts(ordered, seed))
    # Each stop is a learner of its own, so that one fold does for all of them.
    stopped = (
        ordered.join(cuts, on="learner", how="inner", maintain_order="left_right")
        .filter(pl.col("_place") < pl.col("cut") + LATER_EVENTS)
        .with_columns(_learner="learner", learner=pl.format("{}:{}", "learner", "stop"))
        .sort("learner", "_place")
    )
    return _predicted(stopped, statistics, settings)


def _cuts(ordered: pl.DataFrame, seed: int) -> Iterator[pl.DataFrame]:
    """For each stop, where each learner who reaches its band is stopped: learner, stop, cut (events before it)."""
    counted = ordered.group_by("learner", maintain_order=True).agg(n=pl.len().cast(pl.Int64))
    random, number = np.random.default_rng(seed), 0
    most = pl.col("n") - FEWEST_LATER
    for first, after, stops in zip(_FIRST_OF_BAND, (*_FIRST_OF_BAND[1:], None), _STOPS, strict=True):
        highest = most if after is None else pl.min_horizontal(most, after - 1)
        for _ in range(stops):
            cut = first + (pl.Series(random.random(counted.height)) * (highest - first + 1)).floor()
            drawn = counted.with_columns(cut=cut.cast(pl.Int64), stop=pl.lit(number, pl.Int32))
            yield drawn.filter(most >= first).select("learner", "stop", "cut")
            number += 1


def _predicted(stopped: pl.DataFrame, statistics: Statistics, settings: FeatureSettings) -> pl.DataFrame:
    past = stopped.filter(pl.col("_place") < pl.col("cut")).drop("_place", "cut", "stop", "_learner")
    states = fold(past, statistics, None, settings).states
    later = _kept(stopped, past).join(
        states.skills.select("learner", "skill_id", opportunities="events"),
        on=["learner", "skill_id"],
        how="left",
        maintain_order="left",
    )
    practised = states.skills.group_by("learner").agg(skills=pl.len().cast(pl.Int64))
    later = (
        later.join(practised, on="learner", how="left", maintain_order="left")
        .with_columns(pl.col("opportunities", "skills").fill_null(0))
        .filter((pl.col("opportunities") > 0) | (pl.col("cut") == 0))
    )
    table = query(later.select("learner", "subject", "skill_ids", "item_id", "at"), statistics, states, settings)
    value = {name: table.column(name).astype(np.float64) for name in _READ}
    item_variance = value["item_difficulty_sd"] ** 2
    return later.with_columns(
        pl.Series("mastery_logit", unmoderated(value["logit"], value["logit_sd"])),
        pl.Series("mastery_variance", np.maximum(value["logit_sd"] ** 2 - item_variance, 0.0)),
        pl.Series("ability_logit", value["ability"] - value["item_difficulty"]),
        pl.Series("ability_variance", value["ability_sd"] ** 2),
        pl.Series("item_variance", item_variance),
        events="cut",
        learner="_learner",
    ).select(pl.col(name).cast(dtype) for name, dtype in LATER_ANSWERS.items())


_READ = ("logit", "logit_sd", "ability", "ability_sd", "item_difficulty", "item_difficulty_sd")


def _kept(stopped: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """The next answers that count; `at` is the instant of the first of them, when all of it was believed."""
    return (
        stopped.filter(pl.col("_place") >= pl.col("cut"))
        .with_columns(at=pl.col("occurred_at").first().over("learner"))
        .filter(
            pl.col("occurred_at") < pl.col("at").dt.offset_by(f"{LATER_DAYS}d"),
            pl.col("skill_ids").list.len() == 1,
        )
        .unique(["learner", "item_id"], keep="first", maintain_order=True)
        .filter((pl.col("response_time_ms") >= RAPID_MS).fill_null(value=True))
        .join(past.select("learner", "item_id").unique(), on=["learner", "item_id"], how="anti", maintain_order="left")
        .with_columns(skill_id=pl.col("skill_ids").list.first())
    )
