"""Policies on the same simulated learners, whose truth is known. Belongs here: plan and variations; no definition.

Report seeds are no development seeds: the policy's thresholds were chosen on learners 101 … 103 and content 1.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from aivo_assets.benchmarks.child import in_own_process
from aivo_assets.benchmarks.policy.content import FIRST_DAY, prepare
from aivo_assets.benchmarks.policy.measures import at_same_false_alarms, measure_school, noticed
from aivo_assets.benchmarks.policy.report import FIXED, OURS, THRESHOLD, PolicyReport, PolicyRun
from aivo_assets.benchmarks.policy.stability import stability
from aivo_assets.benchmarks.policy.trial import POLICIES, WATCHERS, Trial, run_trial
from aivo_assets.errors import SettingsError
from aivo_assets.settings import Settings
from aivo_assets.simulation import PARAMETERS, Parameters, build_world

REPORT_SEED = 1001
_CONTENT_SEED = 10_000  # above the first seed of the learners
SAME_ALARMS = "ours at the same false alarms"

# The simulator's own assumptions, one changed at a time; last year's school is made with the same.
VARIATIONS: dict[str, dict[str, Any]] = {
    "peak at 0.65": {"best_success": 0.65},
    "peak at 0.90": {"best_success": 0.90},
    "narrow peak": {"zone_width": 0.5},
    "wide peak": {"zone_width": 1.8},
    "no forgetting": {"half_life_days": 400.0},
    "fast forgetting": {"half_life_days": 1.5},
    "many slips": {"slip_mean": 0.08},
    "easy guessing": {"guess_open": 0.25},
    "no fatigue": {"fatigue": 0.0},
    "heavy fatigue": {"fatigue": 1.05},
    "nobody stuck": {"stuck_share": 0.0},
}


@dataclass(frozen=True)
class PolicyTrialPlan:
    """What is run.

    Attributes:
        seeds: How many schools of learners, each with its own seed.
        first_seed: The first of them.
        learners: Of each seed.
        weeks: How long they learn.
        policies: Names of `policy_trial.ARMS`.
        contents: Contents over which the seeds are dealt, each with last year's school and a main brain.
        content_learners: Learners of last year's school; it and the two below are those of the default school, about
            250 answers an item.
        content_days: Days of its log.
        items_per_skill: Exercises of each of the 48 skills.
        rounds: Most boosting rounds of that main brain; its trees have up to 31 leaves.
        parameters: What is true of learning.
    """

    seeds: int = 20
    first_seed: int = REPORT_SEED
    learners: int = 150
    weeks: int = 8
    policies: tuple[str, ...] = POLICIES
    contents: int = 2
    content_learners: int = 1500
    content_days: int = 30
    items_per_skill: int = 26
    rounds: int = 60
    parameters: Parameters = PARAMETERS


def measure_policies(plan: PolicyTrialPlan, settings: Settings, *, workers: int = 1) -> PolicyReport:
    """Run every policy on every seed.

    Args:
        plan: Sizes and seeds.
        settings: Of the platform: features, training, student models, policy.
        workers: Contents at once, each in a process of its own; 1: here. It does not change the result.
    """
    dealt = [(block, seeds) for block in range(plan.contents) if (seeds := _seeds_of(plan, block))]
    if workers == 1:
        parts = [_measure_block(plan, settings, block, seeds) for block, seeds in dealt]
    else:
        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(lambda one: in_own_process(_measure_block, plan, settings, *one), dealt))
    names = dict.fromkeys((*plan.policies, *WATCHERS, SAME_ALARMS))
    order = {policy: place for place, policy in enumerate(names)}
    runs = [run for part in parts for run in part]
    return PolicyReport(runs=tuple(sorted(runs, key=lambda run: (order[run.policy], run.seed))), asked=_asked(plan))


def vary(plan: PolicyTrialPlan, names: list[str]) -> dict[str, PolicyTrialPlan]:
    """The plan as it is, and with each of some assumptions changed, by name.

    Raises:
        SettingsError: There is no such variation.
    """
    unknown = [name for name in names if name not in VARIATIONS]
    if unknown:
        raise SettingsError(f"There is no variation {unknown[0]!r}", fix=f"Name some of {', '.join(VARIATIONS)}.")
    changed = {name: replace(plan, parameters=replace(plan.parameters, **VARIATIONS[name])) for name in names}
    return {"as assumed": plan, **changed}


def vary_markdown(reports: dict[str, PolicyReport], measures: tuple[str, ...]) -> str:
    """A table of ours under each variation."""
    lines = ["| assumption | " + " | ".join(measures) + " |", "|---" * (len(measures) + 1) + "|"]
    for name, report in reports.items():
        cells = [(value.text() if (value := report.value(OURS, measure)) else "–") for measure in measures]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _seeds_of(plan: PolicyTrialPlan, block: int) -> list[int]:
    return [plan.first_seed + place for place in range(plan.seeds) if place % plan.contents == block]


def _measure_block(plan: PolicyTrialPlan, settings: Settings, block: int, seeds: list[int]) -> list[PolicyRun]:
    training = settings.training.model_copy(
        update={"max_iterations": plan.rounds, "max_leaves": 31, "learning_rate": 0.15, "minimum_events": 500}
    )
    given = settings.model_copy(update={"training": training})
    content_seed = plan.first_seed + _CONTENT_SEED + block
    content = prepare(
        content_seed,
        settings=given,
        learners=plan.content_learners,
        days=plan.content_days,
        items_per_skill=plan.items_per_skill,
        parameters=plan.parameters,
    )
    world = build_world(
        seed=content_seed,
        learners=1,
        start=FIRST_DAY,
        items_per_skill=plan.items_per_skill,
        parameters=plan.parameters,
    )
    days = 7 * plan.weeks
    trial = run_trial(content, world, seeds, policies=plan.policies, learners=plan.learners, days=days)
    watching = _watching(trial)
    for school in trial.schools:
        if school.arm == FIXED:
            for watcher, evenings in school.advice.items():
                unheeded = {f"{name}, unheeded": share for name, share in stability(pl.concat(evenings)).items()}
                watching.setdefault((watcher, school.seed), {}).update(unheeded)
    runs = []
    for school in trial.schools:
        measures = measure_school(school, given.policy.success_zone, days)
        if school.arm in school.advice:
            measures |= stability(pl.concat(school.advice[school.arm]))
        measures |= watching.pop((school.arm, school.seed), {})
        runs.append(PolicyRun(policy=school.arm, seed=school.seed, measures=_known(measures)))
    return [
        *runs,
        *(PolicyRun(policy=name, seed=seed, measures=_known(watched)) for (name, seed), watched in watching.items()),
    ]


def _known(measures: dict[str, float]) -> dict[str, float]:
    """Without what could not be measured."""
    return {name: value for name, value in measures.items() if value is not None and np.isfinite(value)}


def _watching(trial: Trial) -> dict[tuple[str, int], dict[str, float]]:
    """Days to notice and false alarms by watcher and seed."""
    if not trial.watched.height:
        return {}
    settings = trial.content.settings.policy
    limits = settings.too_hard, settings.success_zone[0]
    by_rules = noticed(trial.watched, *limits)
    rate = by_rules.filter((pl.col("watcher") == THRESHOLD) & ~pl.col("struggling"))["alarm"].mean()
    frames = [by_rules]
    if isinstance(rate, float):
        ours = trial.watched.filter(pl.col("watcher") == OURS)
        frames.append(at_same_false_alarms(ours, *limits, rate).with_columns(watcher=pl.lit(SAME_ALARMS)))
    counted = (
        pl.concat(frames)
        .group_by("watcher", "seed")
        .agg(
            pl.col("days").filter("struggling").mean().alias("days to notice"),
            pl.col("alarm").filter("struggling").mean().alias("noticed"),
            pl.col("alarm").filter(~pl.col("struggling")).mean().alias("false alarms"),
        )
        .sort("watcher", "seed")
    )
    return {(row.pop("watcher"), row.pop("seed")): row for row in counted.to_dicts()}


def _asked(plan: PolicyTrialPlan) -> dict[str, str]:
    last = plan.first_seed + plan.seeds - 1
    contents = f"{plan.first_seed + _CONTENT_SEED} … {plan.first_seed + _CONTENT_SEED + plan.contents - 1}"
    before = f"{plan.content_learners} learners, {plan.content_days} days"
    return {
        "learners": f"{plan.learners} of each seed {plan.first_seed} … {last}, {plan.weeks} weeks",
        "content": f"{plan.items_per_skill} items a skill, seeds {contents}; last year: {before}",
    }
