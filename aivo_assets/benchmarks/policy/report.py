"""What the policy benchmark found. Belongs here: the record, intervals over seeds, tables; nothing is simulated."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.stats import t as student_t

OURS, THRESHOLD, RANDOM, FIXED, ORACLE = "ours", "threshold", "random", "fixed", "oracle"
WAY, BETTER = "way from random to oracle", "gain beyond threshold"
_COVER = 0.95


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Record):
    """A mean over seeds with its 95 % interval (Student's t; the mean alone where there is one seed)."""

    mean: float
    lower: float
    upper: float

    @classmethod
    def over(cls, values: Sequence[float]) -> "Interval | None":
        """Of the finite ones of some values; None where there is none."""
        finite = np.array([value for value in values if np.isfinite(value)])
        if not finite.size:
            return None
        mean = float(finite.mean())
        if finite.size == 1:
            return cls(mean=mean, lower=mean, upper=mean)
        reach = float(student_t.ppf(0.5 + _COVER / 2, finite.size - 1) * finite.std(ddof=1) / np.sqrt(finite.size))
        return cls(mean=mean, lower=mean - reach, upper=mean + reach)

    def text(self) -> str:
        """Mean and interval."""
        return f"{self.mean:.3f} [{self.lower:.3f}, {self.upper:.3f}]"


class PolicyRun(_Record):
    """One policy on one seed: its measures by name, as far as there was something to measure."""

    policy: str
    seed: int
    measures: dict[str, float]


class Row(_Record):
    """A line of the table."""

    policy: str
    measure: str
    value: Interval


class PolicyReport(_Record):
    """Policies on the same learners.

    Attributes:
        runs: Each policy on each seed. The measures of watching are those of `ours`, `threshold` and
            `ours at the same false alarms`, in the school of fixed levels.
        asked: Sizes, seeds, versions and machine, as the caller describes them.
    """

    runs: tuple[PolicyRun, ...]
    asked: dict[str, str] = {}

    @cached_property
    def policies(self) -> tuple[str, ...]:
        """In the order in which they came."""
        return tuple(dict.fromkeys(run.policy for run in self.runs))

    def rows(self) -> list[Row]:
        """Every measure of every policy over the seeds, then what follows from several policies."""
        table = []
        for policy in self.policies:
            for measure in dict.fromkeys(name for run in self.runs if run.policy == policy for name in run.measures):
                value = Interval.over(list(self._by_seed(policy, measure).values()))
                if value is not None:
                    table.append(Row(policy=policy, measure=measure, value=value))
        return [*table, *self._compared()]

    def value(self, policy: str, measure: str) -> Interval | None:
        """One cell of the table."""
        return next((row.value for row in self.rows() if (row.policy, row.measure) == (policy, measure)), None)

    def markdown(self) -> str:
        """A table, one row a policy, one column a measure."""
        return "\n".join(self._table())

    def text(self) -> str:
        """What was asked, and the table."""
        return "\n".join([*(f"{name}: {value}" for name, value in self.asked.items()), "", *self._table()])

    def _by_seed(self, policy: str, measure: str) -> dict[int, float]:
        return {
            run.seed: run.measures[measure] for run in self.runs if run.policy == policy and measure in run.measures
        }

    def _compared(self) -> Iterator[Row]:
        """Ratios of means over seeds; the seeds are paired, and the intervals are the jackknife's over them."""
        gains = {policy: self._by_seed(policy, "gain") for policy in self.policies}
        gains = {policy: by_seed for policy, by_seed in gains.items() if by_seed}
        for policy, gain in gains.items():
            if {RANDOM, ORACLE} <= gains.keys() and policy not in (RANDOM, ORACLE):
                columns = (gain, gains[RANDOM], gains[ORACLE])
                way = _jackknife(columns, lambda own, low, high: (own - low) / (high - low))
                yield Row(policy=policy, measure=WAY, value=way)
            if THRESHOLD in gains and policy != THRESHOLD:
                better = _jackknife((gain, gains[THRESHOLD]), lambda own, other: own / other - 1.0)
                yield Row(policy=policy, measure=BETTER, value=better)

    def _table(self) -> Iterator[str]:
        rows = self.rows()
        measures = list(dict.fromkeys(row.measure for row in rows))
        yield "| policy | " + " | ".join(measures) + " |"
        yield "|---" * (len(measures) + 1) + "|"
        cells = {(row.policy, row.measure): row.value.text() for row in rows}
        for policy in self.policies:
            yield f"| {policy} | " + " | ".join(cells.get((policy, name), "–") for name in measures) + " |"


class PolicyFile(_Record):
    """What `--json` writes: the report under the simulator's assumptions, and under each variation, by name."""

    reports: dict[str, PolicyReport]


def _jackknife(columns: tuple[dict[int, float], ...], ratio: Callable[..., float]) -> Interval:
    """A function of means over seeds, with the interval of the jackknife (Miller 1974)."""
    seeds = sorted(set.intersection(*(set(column) for column in columns)))
    values = np.array([[column[seed] for column in columns] for seed in seeds])
    whole, count = float(ratio(*values.mean(axis=0))), len(seeds)
    if count == 1:
        return Interval(mean=whole, lower=whole, upper=whole)
    left_out = np.array([ratio(*np.delete(values, place, axis=0).mean(axis=0)) for place in range(count)])
    error = float(np.sqrt((count - 1) / count * ((left_out - left_out.mean()) ** 2).sum()))
    reach = float(student_t.ppf(0.5 + _COVER / 2, count - 1)) * error
    return Interval(mean=whole, lower=whole - reach, upper=whole + reach)
