"""How well drift is found. Belongs here: untouched days, injections, and when each rule speaks; no printing, no files.

Champions are trained on the days before and renewed every few weeks, or when the detector asks. Untouched days are
checked one after another. An injection begins on a day of its seed, changes what follows, and the same checks go on
from there with the history that they had.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

from aivo_assets.benchmarks.drift.data import DriftData
from aivo_assets.benchmarks.drift.harm import measure_harm, won_back
from aivo_assets.benchmarks.drift.injections import INJECTIONS, Injection, injected
from aivo_assets.benchmarks.drift.report import OURS, Alarm, Case, DriftBenchmark, Quiet, SchoolResult
from aivo_assets.benchmarks.drift.rivals import EVIDENTLY, PLAIN, evidently_alarms, plain_rule_alarms
from aivo_assets.benchmarks.drift.service import Champion, Checked, Scored, checks, score_days, train_champion
from aivo_assets.drift.schema import ASKS_FOR_TRAINING, DRIFT_VERDICTS
from aivo_assets.errors import SourceError
from aivo_assets.settings import DriftSettings, FeatureSettings, TrainingSettings

Say = Callable[[str], None]


RIVAL_DAYS = (1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 28)
"""Days of a case on which Evidently is run; on untouched days it is every day, as the other rules always are."""

Keep = Callable[[SchoolResult], None]


@dataclass(frozen=True)
class DriftTrialPlan:
    """What is run.

    Attributes:
        seeds: One case an injection and seed.
        seeds_a_school: So many seeds in a row share a school, drawn by the first of them, and its untouched days.
        injections: Names of `INJECTIONS`.
        horizon: Days after the onset in which it may be found, and over which harm is measured.
        renew_days: A champion is trained again after so many.
        first_share: Share of the events that the first champion has seen.
        evidently: Whether Evidently runs too.
        drift: Settings of the detector.
        features: Of the fold.
        training: Of the main brain.
    """

    seeds: Sequence[int] = tuple(range(10))
    seeds_a_school: int = 1
    injections: Sequence[str] = tuple(INJECTIONS)
    horizon: int = 28
    renew_days: int = 28
    first_share: float = 0.35
    evidently: bool = True
    drift: DriftSettings = field(default_factory=DriftSettings)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    @property
    def schools(self) -> list[tuple[int, ...]]:
        """The seeds of each school; its first draws it."""
        return [tuple(self.seeds[i : i + self.seeds_a_school]) for i in range(0, len(self.seeds), self.seeds_a_school)]

    @property
    def rules(self) -> list[str]:
        """The others."""
        return [PLAIN, *([EVIDENTLY] if self.evidently else [])]


@dataclass(frozen=True)
class Service:
    """A champion's days in service, untouched.

    Attributes:
        champion: Who served.
        scored: Its answers from a window before its first day to a horizon after its last.
        checked: Its checks, one a day.
        before: DRIFT_VERDICTS before its first day.
    """

    champion: Champion
    scored: Scored
    checked: tuple[Checked, ...]
    before: pl.DataFrame

    def verdicts_before(self, day: date) -> pl.DataFrame:
        """All verdicts of earlier days."""
        return pl.concat([self.before, *(check.verdicts for check in self.checked if check.day < day)])


def measure_drift(
    school: Callable[[int], DriftData],
    plan: DriftTrialPlan,
    *,
    done: Sequence[SchoolResult] = (),
    keep: Callable[[tuple[SchoolResult, ...]], None] = lambda _: None,
    say: Say = lambda _: None,
) -> DriftBenchmark:
    """One school after the other: its untouched days, then its injections.

    Args:
        school: Draws the school of a seed.
        plan: What is run.
        done: Schools of an earlier run with the same plan, but for its seeds; those with all their cases are not run
            again.
        keep: Gets all schools so far after each case, so that a run that is stopped still gives its figures.
        say: Gets a line of progress.

    Raises:
        SourceError: No day is left on which an injection could begin.
    """
    schools: list[SchoolResult] = []
    whole = {(each.seed, *sorted({case.seed for case in each.cases})): each for each in done if each.finished}
    for seeds in plan.schools:
        if (seeds[0], *seeds) in whole:
            schools.append(whole[seeds[0], *seeds])
            continue
        before = tuple(schools)
        schools.append(
            measure_school(school(seeds[0]), plan, seeds, keep=lambda now, before=before: keep((*before, now)), say=say)  # type: ignore[misc]
        )
    return DriftBenchmark(schools=tuple(schools))


def measure_school(
    data: DriftData,
    plan: DriftTrialPlan,
    seeds: Sequence[int],
    *,
    keep: Keep = lambda _: None,
    say: Say = lambda _: None,
) -> SchoolResult:
    """Walk over the untouched days of a school, then inject.

    Raises:
        SourceError: No day is left on which an injection could begin.
    """
    services = tuple(_walk(data, plan, say))
    quiet = _quiet(services, plan)
    say(f"untouched, seed {seeds[0]}: {quiet.checks} checks, {len(quiet.alarms)} alarms, others {quiet.others}")
    chosen = [INJECTIONS[name] for name in plan.injections]
    events, days = data.events, data.events["day"].unique().sort()
    measured = SchoolResult(
        seed=seeds[0],
        data=f"{data.name}: {events.height:,} events of {events['learner'].n_unique():,} learners on "
        f"{days.len()} days from {days[0]} to {days[-1]}",
        quiet=quiet,
        left_out=tuple(f"{each.name}: the data have no response times" for each in chosen if not each.applies_to(data)),
    )
    for seed in seeds:
        onset = _Onset.of(services, data, seed, plan)
        for injection in (each for each in chosen if each.applies_to(data)):
            case = _case(data, onset, injection, seed, plan)
            measured = measured.model_copy(update={"cases": (*measured.cases, case)})
            keep(measured)
            say(f"{injection.name}, seed {seed}: {case.harm}, found {case.found}, {case.by}")
    measured = measured.model_copy(update={"finished": True})
    keep(measured)
    return measured


def _walk(data: DriftData, plan: DriftTrialPlan, say: Say) -> Iterator[Service]:
    days = data.events["day"].sort()
    as_of, last = days[int(plan.first_share * days.len())], days[-1]
    taught = set(days.unique().to_list())
    history = DRIFT_VERDICTS.empty()
    while as_of < last:
        champion = train_champion(data.events, as_of, plan.features, plan.training)
        until = min(as_of + timedelta(days=plan.renew_days), last)
        # Nothing new to train on, in the holidays: the champion stays until there is.
        while until < last and not any(as_of < day <= until for day in taught):
            until = min(until + timedelta(days=plan.renew_days), last)
        first = as_of - timedelta(days=plan.drift.window_days - 1)
        scored = score_days(champion, data.events, first, until + timedelta(days=plan.horizon))
        checked = []
        served = [as_of + timedelta(days=n) for n in range(1, (until - as_of).days + 1)]
        for check in checks(champion, scored.events, served, data.attributes, plan.drift, before=history):
            checked.append(check)
            if check.asks:
                break
        yield Service(champion, scored, tuple(checked), history)
        say(f"champion of {as_of}: {len(checked)} checks" + (", retrained" if checked[-1].asks else ""))
        history = pl.concat([history, *(check.verdicts for check in checked)])
        as_of = checked[-1].day


def _quiet(services: Sequence[Service], plan: DriftTrialPlan) -> Quiet:
    alarms, others = [], dict.fromkeys(plan.rules, 0)
    spoken: dict[str, date] = {}
    judged = 0
    for service in services:
        for check in service.checked:
            judged += check.judged
            if check.asks:
                alarms.append(_alarm(service, check, plan))
            for rule in plan.rules:
                cooling = rule in spoken and (check.day - spoken[rule]).days <= plan.drift.cooldown_days
                if check.judged and not cooling and _speaks(rule, check.window, service.champion, plan):
                    spoken[rule] = check.day
                    others[rule] += 1
    return Quiet(checks=judged, champions=len(services), alarms=tuple(alarms), others=others)


def _alarm(service: Service, check: Checked, plan: DriftTrialPlan) -> Alarm:
    first = check.day - timedelta(days=plan.drift.window_days - 1)
    around = _days(service.scored, first, first + timedelta(days=plan.horizon - 1))
    share = won_back(around)[0] / service.champion.worth.nats
    return Alarm(
        day=check.day.isoformat(), by=_by(check), recoverable=share, real=bool(share > plan.drift.retrain_score)
    )


@dataclass(frozen=True)
class _Onset:
    """Where the injections of a seed begin.

    Attributes:
        service: The champion then.
        day: The first changed day.
        events: What happens without injection over the horizon, ordered as the answers scored.
        untouched: These days as the champion sees them.
        recoverable: Log loss that a retrained model wins back on them, and the champion's own.
    """

    service: Service
    day: date
    events: pl.DataFrame
    untouched: Scored
    recoverable: tuple[float, float]

    @classmethod
    def of(cls, services: Sequence[Service], data: DriftData, seed: int, plan: DriftTrialPlan) -> "_Onset":
        service, day = onset_of(services, data, np.random.default_rng([seed, 99]), plan)
        last = day + timedelta(days=plan.horizon - 1)
        untouched = _days(service.scored, day, last)
        events = data.events.filter(pl.col("day").is_between(day, last)).sort(["learner", "day", "sequence"])
        assert events["event"].equals(untouched.table.keys["event"]), "events and their probabilities lie side by side"
        return cls(service, day, events, untouched, won_back(untouched))


def _case(data: DriftData, onset: _Onset, injection: Injection, seed: int, plan: DriftTrialPlan) -> Case:
    champion, last = onset.service.champion, onset.day + timedelta(days=plan.horizon - 1)
    changed = injected(
        injection,
        data,
        onset.events,
        onset.untouched.events["probability"].to_numpy(),
        onset=onset.day,
        horizon=plan.horizon,
        random=np.random.default_rng([seed, list(INJECTIONS).index(injection.name)]),
    )
    lived = pl.concat([data.events.filter(pl.col("day") < onset.day), changed])
    scored = score_days(champion, lived, onset.day, last)
    harm = measure_harm(champion, won_back(scored), onset.recoverable)
    days_found, reported, by = _found(onset.service, scored.events, onset.day, data, plan)
    return Case(
        injection=injection.name,
        seed=seed,
        onset=onset.day.isoformat(),
        loss_rise=harm.loss_rise / harm.worth,
        recoverable=harm.recoverable / harm.worth,
        harm=harm.kind(plan.drift),
        found=days_found,
        reported=reported,
        by=by,
    )


def _found(
    service: Service, changed: pl.DataFrame, onset: date, data: DriftData, plan: DriftTrialPlan
) -> tuple[dict[str, int | None], bool, str]:
    """When each rule speaks first, whether ours reports anything, and what it acts upon."""
    earlier = service.scored.events.filter(pl.col("day") < onset)
    scored = pl.concat([earlier, changed])
    days = [onset + timedelta(days=n) for n in range(plan.horizon)]
    first_days: dict[str, int | None] = dict.fromkeys([OURS, *plan.rules])
    reported, by = False, ""
    history = service.verdicts_before(onset)
    for check in checks(service.champion, scored, days, data.attributes, plan.drift, before=history):
        reported |= check.watched
        if check.asks:
            first_days[OURS], by = (check.day - onset).days + 1, _by(check)
            break
    for rule in plan.rules:
        for day in days if rule == PLAIN else [days[n - 1] for n in RIVAL_DAYS if n <= plan.horizon]:
            window = scored.filter(pl.col("day").is_between(day - timedelta(days=plan.drift.window_days - 1), day))
            if _speaks(rule, window, service.champion, plan):
                first_days[rule] = (day - onset).days + 1
                break
    return first_days, reported, by


def onset_of(
    services: Sequence[Service], data: DriftData, random: np.random.Generator, plan: DriftTrialPlan
) -> tuple[Service, date]:
    """A school day on which the detector was calm, with a horizon of data after it.

    A school day has at least half of the answers of the median day: on a Saturday there is nobody to be harmed.
    """
    answers = dict(data.events.group_by("day").len().rows())
    school_day = float(np.median(list(answers.values()))) / 2.0
    last = max(answers)
    possible = []
    for service in services:
        alarmed = [check.day for check in service.checked if check.asks]
        for check in service.checked:
            near = any(abs((check.day - day).days) < plan.horizon for day in alarmed)
            taught = answers.get(check.day, 0) >= school_day
            if check.judged and taught and not near and check.day + timedelta(days=plan.horizon - 1) <= last:
                possible.append((service, check.day))
    if not possible:
        raise SourceError(
            f"{data.name} has no day with a calm week before and {plan.horizon} days after it",
            fix="Take more learners or days, or a shorter --horizon.",
        )
    return possible[int(random.integers(len(possible)))]


def _speaks(rule: str, window: pl.DataFrame, champion: Champion, plan: DriftTrialPlan) -> bool:
    alarms = plain_rule_alarms if rule == PLAIN else evidently_alarms
    return alarms(window, champion.reference, plan.drift)


def _by(check: Checked) -> str:
    asking = check.verdicts.filter(pl.col("verdict").cast(pl.String).is_in(ASKS_FOR_TRAINING)).row(0, named=True)
    days = (asking["window_last"] - asking["window_first"]).days + 1
    return f"{asking['model_id']} {asking['measure']} {asking['score']:.2f} in {days} d"


def _days(scored: Scored, first: date, last: date) -> Scored:
    rows = scored.events["day"].is_between(first, last).to_numpy()
    return Scored(scored.events.filter(pl.Series(rows)), scored.table.take(rows))
