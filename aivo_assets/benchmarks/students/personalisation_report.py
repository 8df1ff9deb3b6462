"""What the personalisation benchmark found. Belongs here: the record and its text; nothing is measured."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from aivo_assets.tracing.judging.bootstrap import Interval

SMALLEST_GAIN = 0.0005  # half of what promotion takes two models for equal within (`promotion.stale_margin`)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Difference(_Record):
    """Log loss of one answer less that of another on the same rows: below zero is better.

    Attributes:
        events: Rows.
        loss: Mean log loss of the one.
        other: Mean log loss of the other.
        interval: Of the mean difference, over learners; its two one-sided bounds are those of a 95 % interval.
    """

    events: int
    loss: float
    other: float
    interval: Interval

    @property
    def surely_worse(self) -> bool:
        """Whether even the lower bound is above zero."""
        return self.interval.lower > 0.0

    @property
    def surely_better(self) -> bool:
        """Whether even the upper bound is below zero."""
        return self.interval.upper < 0.0


class Compared(_Record):
    """One answer against another, on all rows and in groups.

    Attributes:
        name: The one.
        against: The other.
        note: What was chosen for it, if anything.
        groups: Kind of group ("all", "events seen", "subject", "skill") to group to difference.
    """

    name: str
    against: str
    note: str
    groups: dict[str, dict[str, Difference]]

    @property
    def pays(self) -> bool:
        """Significantly better on the whole, and significantly worse for no group by number of events."""
        whole, bands = self.groups["all"]["all rows"], self.groups["events seen"].values()
        enough = whole.surely_better and whole.interval.mean <= -SMALLEST_GAIN
        return enough and not any(each.surely_worse for each in bands)


class PersonalisationReport(_Record):
    """All comparisons, over all parts together.

    Attributes:
        compared: In the order measured.
        learners: Test learners.
        asked: File, folds, seed, versions and machine, as the caller describes them.
    """

    compared: tuple[Compared, ...]
    learners: int
    asked: dict[str, str] = {}

    def text(self) -> str:
        """The report as lines of plain text."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from (f"{name}: {value}" for name, value in self.asked.items())
        yield f"test learners: {self.learners:,}; log loss, lower is better; 95 % intervals of paired differences"
        for each in self.compared:
            yield ""
            yield f"{each.name}, against {each.against}{f' ({each.note})' if each.note else ''}: " + (
                "pays" if each.pays else "does not pay"
            )
            for kind in ("all", "events seen", "subject"):
                if kind != "subject" or len(each.groups.get(kind, {})) > 1:
                    yield from (_line(name, difference) for name, difference in each.groups[kind].items())
            yield from _of_skills(each.groups.get("skill", {}))


def _line(name: str, difference: Difference) -> str:
    between = difference.interval
    verdict = "  worse" if difference.surely_worse else "  better" if difference.surely_better else ""
    return (
        f"  {name:<24}{difference.events:>9,} rows {difference.loss:.4f} | {difference.other:.4f}  "
        f"{between.mean:+.4f} ({between.lower:+.4f} … {between.upper:+.4f}){verdict}"
    )


def _of_skills(skills: dict[str, Difference]) -> Iterator[str]:
    if not skills:
        return
    worse = {name: difference for name, difference in skills.items() if difference.surely_worse}
    better = sum(difference.surely_better for difference in skills.values())
    lower = sum(difference.interval.mean < 0 for difference in skills.values())
    yield (
        f"  {len(skills)} skills with enough rows: {lower} have a lower loss, {better} of them significantly; "
        f"{len(worse)} have a significantly higher one "
        f"(of {len(skills)} intervals {0.025 * len(skills):.1f} would say so by chance)"
    )
    highest = sorted(skills.items(), key=lambda item: -item[1].interval.mean)[:3]
    yield from (_line(f"skill {name}"[:24], difference) for name, difference in highest)
