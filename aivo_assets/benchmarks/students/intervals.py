"""Do the bands of student models hold what they promise? Belongs here: the comparison with a known truth; no school.

Mastery is compared with `true_skills`. Ability is one number on the main brain's own scale: the mean, over the skills
practised so far, each alike, of the logit of mastery plus the difficulty of the skill; its truth is the same mean of
true mastery. Half of the learners make statistics and factors, the bands are those of the others.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from aivo_assets.benchmarks.students.true_skills import KnownSchool
from aivo_assets.settings import FeatureSettings, StudentSettings
from aivo_assets.tracing.fold.features import fold, query
from aivo_assets.tracing.fold.statistics import Statistics, fit_statistics, learner_folds
from aivo_assets.tracing.students.intervals import Intervals, fit_intervals
from aivo_assets.tracing.students.later_answers import BANDS, band_of, later_answers
from aivo_assets.tracing.students.mastery import half_width
from aivo_assets.tracing.students.student_models import skill_logit

_SPANS = {"within a day": 0, "1–2 days": 1, "3–6 days": 3, "7–13 days": 7, "14 days and more": 14}
_KEYS = ["learner", "look"]


class Cover(BaseModel):
    """How often a band held the truth.

    Attributes:
        about: "ability" or "mastery".
        by: What the rows have in common: "events of the learner", "events on the skill" or "since the last answer".
        group: Which of them.
        cases: Bands.
        learners: Whose.
        cover: Share of bands that held the truth.
        error: Its standard error, learners being the independent unit.
        before: The cover with the filter's own standard deviations.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str
    by: str
    group: str
    cases: int
    learners: int
    cover: float
    error: float
    before: float


def measure_cover(school: KnownSchool, features: FeatureSettings, students: StudentSettings) -> pl.DataFrame:
    """Put one school's bands beside the truth.

    Args:
        school: Events and truth.
        features: Of statistics and fold.
        students: Cover of the bands, and how their factors are fitted.

    Returns:
        One row a band: about, learner, look, `events of the learner`, `events on the skill`, `since the last answer`
        (groups; null where it makes no sense), held, before (Boolean).
    """
    names = school.events["learner"].unique().sort()
    checked = pl.DataFrame({"learner": names}).filter(pl.Series(learner_folds(names, 2, students.interval_seed)) == 1)
    others = school.events.join(checked, on="learner", how="anti")
    intervals = fit_intervals(later_answers(others, features, students))
    statistics = fit_statistics(others, features)
    known = _believed(school, checked, statistics, features)
    return pl.concat([_of_mastery(known, intervals, students), _of_ability(known, intervals, students)])


def summarise(rows: pl.DataFrame) -> tuple[Cover, ...]:
    """Cover by group of each kind of band, over any number of schools, whose learners `seed` tells apart."""
    return tuple(_covers(rows))


def _covers(rows: pl.DataFrame) -> Iterator[Cover]:
    for about in ("ability", "mastery"):
        for by in ("events of the learner", "events on the skill", "since the last answer"):
            part = rows.filter(pl.col("about") == about, pl.col(by).is_not_null())
            for group in [*BANDS, *_SPANS]:
                each = part.filter(pl.col(by) == group)
                if each.height:
                    yield _cover(each, about, by, group)


def _cover(rows: pl.DataFrame, about: str, by: str, group: str) -> Cover:
    """Error of a ratio of sums over learners (Cochran 1977, eq. 6.13)."""
    sums = rows.group_by("seed", "learner").agg(held=pl.col("held").sum(), n=pl.len())
    held, count = sums["held"].to_numpy().astype(np.float64), sums["n"].to_numpy().astype(np.float64)
    cover = held.sum() / count.sum()
    learners = len(count)
    scale = np.sqrt(learners / max(learners - 1, 1)) / count.sum()
    return Cover(
        about=about,
        by=by,
        group=group,
        cases=rows.height,
        learners=learners,
        cover=float(cover),
        error=float(scale * np.sqrt(((held - cover * count) ** 2).sum())),
        before=float(rows["before"].mean()),  # type: ignore[arg-type]
    )


def _believed(
    school: KnownSchool, checked: pl.DataFrame, statistics: Statistics, features: FeatureSettings
) -> pl.DataFrame:
    """What is believed of each skill at each look: logit, sd, ability, ability_sd, beside the truth as a logit."""
    looks = school.looks.join(checked, on="learner", how="semi").with_columns(
        name=pl.format("{}:{}", "learner", "look")  # every look is a learner of its own, so that one fold does for all
    )
    each = looks.select("name", "learner", "answered").unique(maintain_order=True)
    past = (
        school.events.sort("learner", "day", "sequence")
        .with_columns(_place=pl.int_range(pl.len()).over("learner"))
        .join(each, on="learner", how="inner", maintain_order="left_right")
        .filter(pl.col("_place") < pl.col("answered"))
        .with_columns(learner="name")
        .drop("name", "answered", "_place")
    )
    states = fold(past, statistics, None, features).states
    skills = states.skills.select("learner", "skill_id", opportunities="events", practised_at="last_event_at")
    asked = (
        looks.join(skills, left_on=["name", "skill_id"], right_on=["learner", "skill_id"], how="left")
        .with_columns(pl.col("opportunities").fill_null(0))
        .filter((pl.col("opportunities") > 0) | ((pl.col("answered") == 0) & pl.col("own")))
        .join(statistics.skills.select("skill_id", "difficulty"), on="skill_id")
    )
    queries = asked.select(learner="name", subject="subject", skill_ids=pl.concat_list("skill_id"), at="at")
    table = query(queries, statistics, states, features)
    logit, sd = skill_logit(table)
    return asked.with_columns(
        pl.Series("logit", logit),
        pl.Series("sd", sd),
        pl.Series("ability", table.column("ability").astype(np.float64)),
        pl.Series("ability_sd", table.column("ability_sd").astype(np.float64)),
        true_logit=pl.col("truth").log() - (1.0 - pl.col("truth")).log(),
    )


def _of_mastery(known: pl.DataFrame, intervals: Intervals, students: StudentSettings) -> pl.DataFrame:
    factor = intervals.factor("mastery", known["opportunities"].to_numpy())
    return _held(
        known.with_columns(_error=pl.col("true_logit") - pl.col("logit"), _sd="sd", _factor=pl.Series(factor)),
        "mastery",
        students,
        pl.col("practised_at"),
        band_of(pl.col("opportunities")),
    )


def _of_ability(known: pl.DataFrame, intervals: Intervals, students: StudentSettings) -> pl.DataFrame:
    """The mean over the skills; each look has one ability."""
    looks = known.group_by(_KEYS, maintain_order=True).agg(
        pl.col("answered", "ability", "at").first(),
        pl.col("practised_at").max(),
        _error=(pl.col("true_logit") + pl.col("difficulty")).mean() - pl.col("ability").first(),
        _sd=pl.col("ability_sd").first(),
    )
    factor = intervals.factor("ability", looks["answered"].to_numpy())
    nothing = pl.lit(None, pl.String)
    return _held(looks.with_columns(_factor=pl.Series(factor)), "ability", students, pl.col("practised_at"), nothing)


def _held(rows: pl.DataFrame, about: str, students: StudentSettings, since: pl.Expr, on_skill: pl.Expr) -> pl.DataFrame:
    reach = half_width(students.interval)
    days = (pl.col("at") - since).dt.total_days()
    span = pl.lit(None, pl.String)
    for name, first in _SPANS.items():
        span = pl.when(days >= first).then(pl.lit(name)).otherwise(span)
    return rows.select(
        pl.lit(about).alias("about"),
        *_KEYS,
        band_of(pl.col("answered")).alias("events of the learner"),
        on_skill.alias("events on the skill"),
        span.alias("since the last answer"),
        held=pl.col("_error").abs() <= reach * pl.col("_factor") * pl.col("_sd"),
        before=pl.col("_error").abs() <= reach * pl.col("_sd"),
        error="_error",
        sd="_sd",
    )


class CoverReport(BaseModel):
    """Cover of all schools together.

    Attributes:
        covers: By group.
        asked: Sizes, seeds, versions and machine, as the caller describes them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    covers: tuple[Cover, ...]
    asked: dict[str, str] = {}

    def text(self) -> str:
        """The report as lines of plain text."""
        lines = [f"{name}: {value}" for name, value in self.asked.items()]
        heading = ""
        for cover in self.covers:
            if heading != (heading := f"{cover.about} by {cover.by}"):
                lines += ["", f"{heading:<40}{'cover ± se':>16}{'filter alone':>14}{'cases':>10}{'learners':>10}"]
            lines.append(
                f"  {cover.group:<38}{cover.cover:>9.3f} ± {cover.error:.3f}{cover.before:>14.3f}"
                f"{cover.cases:>10,}{cover.learners:>10,}"
            )
        return "\n".join(lines)


def measure_schools(
    schools: Iterator[KnownSchool] | Sequence[KnownSchool],
    features: FeatureSettings,
    students: StudentSettings,
    *,
    say: Callable[[str], None] = lambda _: None,
) -> CoverReport:
    """Measure schools one after another and report them together.

    Args:
        schools: Of different seeds.
        features: Of statistics and fold.
        students: Of the bands.
        say: Told each step.
    """
    parts = []
    for seed, school in enumerate(schools):
        parts.append(measure_cover(school, features, students).with_columns(seed=pl.lit(seed)))
        say(f"school {seed + 1}: {school.events.height:,} events, {parts[-1].height:,} bands")
    return CoverReport(covers=summarise(pl.concat(parts)))
