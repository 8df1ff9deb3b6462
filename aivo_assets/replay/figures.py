"""The key figures of a replay. Belongs here: sums and means; no plot."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from statistics import median

from aivo_assets.operations.jobs.names import WEEKLY_JOB
from aivo_assets.replay.record import Costs, Record, RunMade

ASKED_FOR = ("retrain", "alert")


@dataclass(frozen=True)
class JobCost:
    """What a job cost: runs, wall seconds and seconds of processor time."""

    runs: int
    wall: float
    cpu: float


def key_figures(record: Record, costs: Costs) -> dict[str, str]:
    """The numbers that stand on top of a report, by their names, as text."""
    refused = sum(not training.promoted for training in record.trainings)
    kinds = Counter(move.kind for move in record.moves)
    verdicts = Counter(check.verdict for check in record.drift)
    answers = sum(score.events for score in record.scores)
    return {
        "learners": f"{record.learners:,}",
        "answers": f"{record.events:,}",
        "challengers trained": f"{len(record.trainings):,}",
        "promoted": f"{kinds['promotion']:,}",
        "refused": f"{refused:,}",
        "rolled back": f"{kinds['rollback']:,}",
        "log loss of the champion on answers to come": _mean(record, "log_loss"),
        "log loss of each day's share of right answers": _mean(record, "constant_log_loss"),
        "days on which the champion was better than that": _better(record),
        "AUC of the champion within a day, mean over answers": _auc(record),
        "answers that were scored": f"{answers:,}",
        "drift verdicts, of these to retrain": f"{len(record.drift):,}, {sum(verdicts[name] for name in ASKED_FOR):,}",
        "two-hourly checks, of these that asked for training": (
            f"{len(record.needs):,}, {sum(need.needed for need in record.needs):,}"
        ),
        "alerts": f"{len(record.alerts):,}",
        "runs, of these failed": f"{len(record.runs):,}, {sum(not run.success for run in record.runs):,}",
        "runs left out, for they could change nothing": f"{sum(tick.same for tick in record.ticks.values()):,}",
        "minutes by the wall": f"{costs.wall / 60:.1f}",
        "minutes of processor time": f"{costs.cpu / 60:.1f}",
        "seconds of processor time of a day's runs: median, most": _a_day(costs),
        "peak memory": f"{costs.peak_memory_bytes / 2**30:.1f} GiB",
    }


def causes(record: Record) -> dict[tuple[str, str], tuple[int, int]]:
    """Trainings by who asked for them and which job trained: how many, and how many of them promoted."""
    promoted = {training.at: training.promoted for training in record.trainings}
    counted: dict[tuple[str, str], tuple[int, int]] = {}
    for run in record.runs:
        if run.at in promoted and run.job in ("main_brain_training", "emergency_retrain", WEEKLY_JOB):
            runs, wins = counted.get((run.asked_by, run.job), (0, 0))
            counted[run.asked_by, run.job] = (runs + 1, wins + promoted[run.at])
    return counted


def cost_by_job(costs: Costs) -> dict[str, JobCost]:
    """What each job cost in all, the dearest in processor time first."""
    sums: dict[str, JobCost] = {}
    for run in costs.runs:
        had = sums.get(run.job, JobCost(0, 0.0, 0.0))
        sums[run.job] = JobCost(had.runs + 1, had.wall + run.wall, had.cpu + run.cpu)
    return dict(sorted(sums.items(), key=lambda pair: -pair[1].cpu))


def cost_by_day(costs: Costs) -> dict[date, dict[str, float]]:
    """Seconds of processor time of each day's runs, by job; only days with a run."""
    seconds: defaultdict[date, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for run in costs.runs:
        seconds[run.at.date()][run.job] += run.cpu
    return {day: dict(seconds[day]) for day in sorted(seconds)}


def failures(record: Record) -> dict[tuple[str, str], list[RunMade]]:
    """Failed runs, those of the same job that failed with the same words together, in the order of the first."""
    alike: defaultdict[tuple[str, str], list[RunMade]] = defaultdict(list)
    for run in record.runs:
        if not run.success:
            alike[run.job, _without_numbers(run.failure)].append(run)
    return dict(alike)


def cost_by_step(costs: Costs) -> dict[str, tuple[int, float]]:
    """Times that each step ran and its wall seconds in all, the dearest first."""
    times: Counter[str] = Counter()
    seconds: defaultdict[str, float] = defaultdict(float)
    for run in costs.runs:
        times.update(run.steps.keys())
        for step, took in run.steps.items():
            seconds[step] += took
    return {step: (times[step], took) for step, took in sorted(seconds.items(), key=lambda pair: -pair[1])}


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Settings whose values differ: name, value here, value there."""
    names = sorted(one.keys() | other.keys())
    return [
        (name, one.get(name, "absent"), other.get(name, "absent")) for name in names if one.get(name) != other.get(name)
    ]


def _mean(record: Record, field: str) -> str:
    answers = sum(score.events for score in record.scores)
    if not answers:
        return "none"
    return f"{sum(getattr(score, field) * score.events for score in record.scores) / answers:.4f}"


def _auc(record: Record) -> str:
    known = [(score.auc, score.events) for score in record.scores if score.auc is not None]
    answers = sum(events for _, events in known)
    return f"{sum(auc * events for auc, events in known) / answers:.4f}" if known else "none"


def _better(record: Record) -> str:
    better = sum(score.log_loss < score.constant_log_loss for score in record.scores)
    return f"{better:,} of {len(record.scores):,}"


def _a_day(costs: Costs) -> str:
    days = [sum(of_jobs.values()) for of_jobs in cost_by_day(costs).values()]
    return f"{median(days):.1f}, {max(days):.1f}" if days else "none"


def _without_numbers(text: str) -> str:
    return re.sub(r"\d[\d,.]*", "#", text)
