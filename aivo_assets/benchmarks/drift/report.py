"""What the drift benchmark found. Belongs here: the record, its summary and its text; nothing is measured."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy import stats

OURS = "aivo"
DAYS_A_YEAR = 365.0
DECIDES_NOTHING: Final = frozenset({"seeds", "machine"})
"""Of how it was asked: fewer or more seeds of the same run, and the load of the machine, change no school's figures."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Case(_Record):
    """One injection with one seed.

    Attributes:
        injection: Its kind.
        seed: Of onset and chance.
        onset: First changed day.
        loss_rise: Of the champion's log loss over the days that follow, as a share of what it knew.
        recoverable: What a retrained model would win back, as a share of the same.
        harm: See `drift_harm.Harm.kind`.
        found: Rule to the day on which it asked for a training or alarmed (1: the onset itself); None: not in time.
        reported: Whether ours reported anything (a watch at least).
        by: The model or cohort, measure and score that ours acted upon; "" where it did not.
    """

    injection: str
    seed: int
    onset: str
    loss_rise: float
    recoverable: float
    harm: Literal["harmful", "slight", "lost", "harmless"]
    found: dict[str, int | None]
    reported: bool
    by: str


class Alarm(_Record):
    """A training asked for on untouched days.

    Attributes:
        day: When.
        by: Model or cohort, measure and score.
        recoverable: Share of what the champion knew that a retrained model would win back on the days around it.
        real: Whether that is above the retrain threshold: the data drifted by themselves.
    """

    day: str
    by: str
    recoverable: float
    real: bool


class Quiet(_Record):
    """The untouched days.

    Attributes:
        checks: Days with enough answers to judge.
        champions: Trainings of the walk.
        alarms: Ours.
        others: Rule to the number of its alarms, a cool-down as long as ours between them.
    """

    checks: int
    champions: int
    alarms: tuple[Alarm, ...]
    others: dict[str, int]


class SchoolResult(_Record):
    """A school, its untouched days and what was injected into it.

    Attributes:
        seed: That drew it.
        data: Name, events, learners and days, in words.
        quiet: The untouched days.
        cases: The injections.
        left_out: Injections that the data cannot show, and why.
        finished: Whether all its cases were run.
    """

    seed: int
    data: str
    quiet: Quiet
    cases: tuple[Case, ...] = ()
    left_out: tuple[str, ...] = ()
    finished: bool = False


class DriftBenchmark(_Record):
    """All of it, with how it was asked.

    Attributes:
        schools: One after the other.
        asked: Seeds, settings, versions and machine.
    """

    schools: tuple[SchoolResult, ...]
    asked: dict[str, str] = {}

    def schools_for(self, asked: Mapping[str, str]) -> tuple[SchoolResult, ...]:
        """The schools that a run asked for in this way would find again: all, or none where it asks for something else.

        Args:
            asked: As the attribute; only what `DECIDES_NOTHING` may differ.
        """
        decides = (self.asked.keys() | asked.keys()) - set(DECIDES_NOTHING)
        return self.schools if all(self.asked.get(name) == asked.get(name) for name in decides) else ()

    @property
    def rules(self) -> list[str]:
        """Ours first."""
        return [OURS, *self.quiet.others]

    @property
    def quiet(self) -> Quiet:
        """The untouched days of all schools."""
        days = [school.quiet for school in self.schools]
        return Quiet(
            checks=sum(each.checks for each in days),
            champions=sum(each.champions for each in days),
            alarms=tuple(alarm for each in days for alarm in each.alarms),
            others={rule: sum(each.others[rule] for each in days) for rule in days[0].others},
        )

    @property
    def cases(self) -> tuple[Case, ...]:
        """Those of all schools."""
        return tuple(case for school in self.schools for case in school.cases)

    def of(self, harm: str) -> list[Case]:
        """The cases of a harm."""
        return [case for case in self.cases if case.harm == harm]

    def text(self) -> str:
        """The report as lines of plain text."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from (f"seed {school.seed}: {school.data}" for school in self.schools)
        yield from (f"{name}: {value}" for name, value in self.asked.items())
        yield ""
        quiet = self.quiet
        yield f"Untouched: {quiet.checks} checks, {quiet.champions} champions"
        for rule in self.rules:
            count = len(quiet.alarms) if rule == OURS else quiet.others[rule]
            yield f"  {rule:<18} {a_year_text(count, quiet.checks)} alarms a year"
        unexplained = sum(not alarm.real for alarm in quiet.alarms)
        yield f"  {OURS}, not explained by drift of the data: {a_year_text(unexplained, quiet.checks)} a year"
        for alarm in quiet.alarms:
            kind = "real" if alarm.real else "false"
            yield f"    {alarm.day} {kind}: {alarm.by}; a retrained model would win back {alarm.recoverable:.0%}"
        yield ""
        heads = "".join(f"{rule:>28}" for rule in self.rules)
        yield f"{'injection':<16}{'loss rise':>10}{'to win back':>12}{'harm':>34}{heads}   (found, 95 %, median days)"
        for name in dict.fromkeys(case.injection for case in self.cases):
            yield self._row(name, [case for case in self.cases if case.injection == name])
        yield ""
        for harm in ("harmful", "slight", "lost", "harmless"):
            if self.of(harm):
                yield self._row(f"all {harm}", self.of(harm))
        harmless = self.of("harmless")
        if harmless:
            reported = sum(case.reported for case in harmless)
            yield f"harmless: reported by a watch or more in {reported} of {len(harmless)}"
        yield from (f"missed or late: {case.model_dump_json()}" for case in self._missed())
        yield from dict.fromkeys(f"left out: {reason}" for school in self.schools for reason in school.left_out)

    def _missed(self) -> list[Case]:
        """Harmful and not found, or harmless and retrained on."""
        harmful = [case for case in self.of("harmful") if case.found[OURS] is None]
        return harmful + [case for case in self.of("harmless") if case.found[OURS] is not None]

    def _row(self, name: str, cases: Sequence[Case]) -> str:
        counts = {harm: sum(case.harm == harm for case in cases) for harm in ("harmful", "slight", "lost", "harmless")}
        harm = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        rise, back = (float(np.median([getattr(case, of) for case in cases])) for of in ("loss_rise", "recoverable"))
        columns = "".join(f"{found_text(cases, rule):>28}" for rule in self.rules)
        return f"{name:<16}{rise:>10.0%}{back:>12.0%}{harm:>34}{columns}"


def a_year_text(count: int, checks: int) -> str:
    """A rate with its exact 95 % interval (Garwood 1936), e.g. `1.0 (0.1 to 3.6)` a year of 365 checks."""
    low = stats.chi2.ppf(0.025, 2 * count) / 2.0 if count else 0.0
    high = stats.chi2.ppf(0.975, 2 * count + 2) / 2.0
    rate, low, high = (DAYS_A_YEAR * each / max(checks, 1) for each in (count, low, high))
    return f"{rate:.1f} ({low:.1f} to {high:.1f})"


def share_text(count: int, of: int) -> str:
    """A share with its exact 95 % interval (Clopper & Pearson 1934), e.g. `9/10 (55-100 %)`."""
    low = stats.beta.ppf(0.025, count, of - count + 1) if count else 0.0
    high = stats.beta.ppf(0.975, count + 1, of - count) if count < of else 1.0
    return f"{count}/{of} ({low * 100:.0f}-{high * 100:.0f} %)"


def found_text(cases: Sequence[Case], rule: str) -> str:
    """Share found and the median of the days, e.g. `9/10 (55-100 %), 2 d`; not found counts as later than all."""
    tried = [case.found[rule] for case in cases if rule in case.found]
    if not tried:
        return "not run"
    days = [np.inf if day is None else float(day) for day in tried]
    median = float(np.quantile(days, 0.5, method="higher"))
    share = share_text(int(np.isfinite(days).sum()), len(days))
    return f"{share}, {'never' if np.isinf(median) else f'{median:.0f} d'}"
