"""How good a policy was for the learners of one seed, by the truth. Belongs here: definitions; no table, no interval.

Definitions:
    gain: Growth of true ability from the first morning to the last evening, logits, over the skills of the learner's
        own grade, which are what the class works on; mean over learners and skills.
    in zone: Share of first attempts with effort at which the true chance of `correct` lay in the success zone.
    wrong level_up: Share of level_up that go to a level at which true success lies below the zone.
    wrong level_down: Share of level_down and remediation that go to a level at which true success lies above the zone.
    flaps: Moves against the direction of the learner's last move in that skill, within two weeks of it; a learner-week.
    struggling: A learner's skill whose true success at the usual level is below `too_hard` on the first evening of
        practice; well: one whose true success is in the zone or above on every evening from there on.
    days to notice: Days from that first practice (day 1) to the first evening on which the rules say that it goes badly
        (level_down, remediation or change_approach); at most, and where nobody notices, `NOTICE_DAYS`.
    false alarms: Share of the pairs that do well of which the rules say so within as many days.
"""

import numpy as np
import polars as pl

from aivo_assets.benchmarks.policy.trial import TrialSchool
from aivo_assets.simulation.world.timetable import DAY_MS

FLAP_DAYS = 14
NOTICE_DAYS = 28


def measure_school(school: TrialSchool, zone: tuple[float, float], days: int) -> dict[str, float]:
    """The measures of one school, by name; NaN where nothing was decided."""
    simulation = school.simulation
    world = simulation.world
    grown = simulation.abilities(days * DAY_MS) - school.before
    own = world.curriculum.skill_grade[None, :] == world.roster.grade[:, None]
    enrolled = (world.roster.joins == 0)[:, None]
    moves = pl.concat(school.decisions) if school.decisions else None
    weeks = world.roster.size * days / 7
    return {
        "gain": float(grown[own & enrolled].mean()),
        "in zone": school.zone[1] / max(school.zone[0], 1),
        "wrong level_up": _wrong(moves, ["level_up"], pl.col("p_new") < zone[0]),
        "wrong level_down": _wrong(moves, ["level_down", "remediation"], pl.col("p_new") > zone[1]),
        "flaps": 0.0 if moves is None else _flaps(moves) / weeks,
        "moves": 0.0 if moves is None else moves.height / weeks,
    }


def _wrong(moves: pl.DataFrame | None, kinds: list[str], wrong: pl.Expr) -> float:
    if moves is None:
        return float("nan")
    chosen = moves.filter(pl.col("kind").is_in(kinds))
    return float(chosen.select(wrong.mean()).item()) if chosen.height else float("nan")


def _flaps(moves: pl.DataFrame) -> int:
    up = pl.col("new") > pl.col("old")
    ordered = moves.sort("row", "skill", "day").with_columns(up=up)
    pair = ["row", "skill"]
    back = pl.col("up") != pl.col("up").shift().over(pair)
    soon = pl.col("day") - pl.col("day").shift().over(pair) <= FLAP_DAYS
    return int(ordered.select((back & soon).fill_null(value=False).sum()).item())


def noticed(watched: pl.DataFrame, too_hard: float, low: float) -> pl.DataFrame:
    """When each pair was noticed.

    Args:
        watched: `Trial.watched` with `alarm` as is wanted.
        too_hard: True success below this is struggling.
        low: True success from here on is doing well.

    Returns:
        One row a watcher, seed and pair that struggles or does well and whose first practice lies `NOTICE_DAYS` before
        the end: watcher, seed, struggling (Boolean), alarm (Boolean, within `NOTICE_DAYS`), days (Int32).
    """
    last = watched["day"].max()
    pair = ["watcher", "seed", "learner", "skill"]
    age = pl.col("day") - pl.col("day").min().over(pair) + 1
    return (
        watched.with_columns(age=age)
        .filter(pl.col("age") <= NOTICE_DAYS)
        .sort(*pair, "day")
        .group_by(pair, maintain_order=True)
        .agg(
            first=pl.col("day").min(),
            struggling=pl.col("p_true").first() < too_hard,
            well=pl.col("p_true").min() >= low,
            alarm=pl.col("alarm").any(),
            days=pl.col("age").filter("alarm").min().fill_null(NOTICE_DAYS),
        )
        .filter((pl.col("struggling") | pl.col("well")) & (pl.col("first") <= pl.lit(last) - NOTICE_DAYS + 1))
        .select("watcher", "seed", "struggling", "alarm", "days")
    )


def at_same_false_alarms(watched: pl.DataFrame, too_hard: float, low: float, rate: float) -> pl.DataFrame:
    """The pairs, as `noticed` has them, if a watcher spoke up at that doubt at which its false-alarm rate is `rate`.

    Args:
        watched: Rows of one watcher with `doubt`.
        too_hard: As for `noticed`.
        low: As for `noticed`.
        rate: Share of the pairs that do well.
    """
    doubts = watched.filter(pl.col("doubt").is_not_null())
    pair = ["seed", "learner", "skill"]
    age = pl.col("day") - pl.col("day").min().over(pair) + 1
    well = (
        doubts.filter(age <= NOTICE_DAYS)
        .group_by(pair)
        .agg(pl.col("doubt").max(), pl.col("p_true").min())
        .filter(pl.col("p_true") >= low)
    )
    limit = float(np.quantile(well["doubt"].to_numpy(), 1 - rate)) if well.height else float("inf")
    return noticed(watched.with_columns(alarm=(pl.col("doubt") > limit).fill_null(value=False)), too_hard, low)
