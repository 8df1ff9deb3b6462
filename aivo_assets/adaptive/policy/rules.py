"""What a rule of a policy is, and how a table of rules decides. Belongs here: the mechanics; no rule, no threshold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import polars as pl

from aivo_assets.adaptive.policy.evidence import OTHERWISE, entry
from aivo_assets.adaptive.schema import LEVEL_COUNT

Direction = Literal["<", "<=", ">", ">="]

PRIORITIES: Final = ("low", "medium", "high", "urgent")


@dataclass(frozen=True)
class Criterion:
    """A signal against a threshold. It is condition and evidence in one, so that the two cannot tell different stories.

    Attributes:
        signal: Column of `SIGNALS`.
        direction: How the signal must stand to the threshold; a null signal fails.
        threshold: The threshold.
    """

    signal: str
    direction: Direction
    threshold: float

    def holds(self) -> pl.Expr:
        """Whether the test holds, never null."""
        value = pl.col(self.signal)
        outcomes = {
            "<": value < self.threshold,
            "<=": value <= self.threshold,
            ">": value > self.threshold,
            ">=": value >= self.threshold,
        }
        return outcomes[self.direction].fill_null(value=False)

    def evidence(self) -> pl.Expr:
        """The test as a struct of `EVIDENCE` that is true: where it does not hold it is told the other way round."""
        direction = pl.when(self.holds()).then(pl.lit(self.direction)).otherwise(pl.lit(OTHERWISE[self.direction]))
        return entry(self.signal, pl.col(self.signal), pl.lit(self.threshold), direction)


@dataclass(frozen=True)
class Kind:
    """A kind of recommendation.

    Attributes:
        name: The contract's name.
        shift: Levels to move by; where the policy aims, the least of them.
        plan: What the learner is on after it; None leaves the plan as it was.
    """

    name: str
    shift: int = 0
    plan: str | None = "practice"

    @property
    def asks(self) -> bool:
        """Whether somebody has something to do about it, beyond carrying on."""
        return self.shift != 0 or self.plan != "practice"


@dataclass(frozen=True)
class Rule:
    """One row of a policy: when every test and gate holds, and no rule above does, this is the recommendation.

    Attributes:
        name: Key of the rule's texts in the wording catalogue.
        kind: What is recommended.
        tests: What decides, and what is shown as evidence.
        priority: Priority where nothing raises it.
        urgent: Where all of these hold too, the priority is `urgent`.
        gates: Yes-or-no signals that must hold and that are no evidence ("this skill is what the learner is at").
        shown: Signals with a threshold shown as evidence though they do not decide.
        at_least: The expectation: this share of the next answers correct.
    """

    name: str
    kind: Kind
    tests: tuple[Criterion, ...]
    priority: str
    at_least: float
    urgent: tuple[Criterion, ...] = ()
    gates: tuple[str, ...] = ()
    shown: tuple[Criterion, ...] = ()

    @property
    def condition(self) -> pl.Expr:
        """Whether the rule fits, never null."""
        gates = [pl.col(name).fill_null(value=False) for name in self.gates]
        return pl.all_horizontal(pl.lit(value=True), *gates, *(test.holds() for test in self.tests))

    @property
    def priority_expression(self) -> pl.Expr:
        """The priority: `urgent` where the urgent tests hold, the rule's own elsewhere."""
        if not self.urgent:
            return pl.lit(self.priority)
        urgent = pl.all_horizontal(test.holds() for test in self.urgent)
        return pl.when(urgent).then(pl.lit("urgent")).otherwise(pl.lit(self.priority))

    @property
    def evidence(self) -> list[pl.Expr]:
        """What decided and what is shown, each as a struct of `EVIDENCE`; its value is null where it is not known."""
        return [test.evidence() for test in (*self.tests, *self.shown)]


@dataclass(frozen=True)
class Policy:
    """A table of rules, first match wins. The last rule has no tests, so that every learner gets an answer.

    Attributes:
        name: Name of the policy.
        rules: The rules in order.
        passing: Names of the kinds that pass (a break): the kind beneath them is told as the counterfactual.
        aim: Probability of success that a move of level aims at, by `level_probabilities`; None: a move is the kind's
            own shift.
        aim_down: The same for a move down; None: `aim`.
        reach: Most levels that an aimed move goes.
        stands_for: What asks for something stands until so many answers on the skill have come since it was decided.
            Without a new answer every decision stands, whatever else changes: time passes, a new main brain sees it a
            little otherwise. Only what passes (a break) comes between.
    """

    name: str
    rules: tuple[Rule, ...]
    passing: frozenset[str] = field(default_factory=frozenset)
    aim: float | None = None
    aim_down: float | None = None
    reach: int = 1
    stands_for: int = 0

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        if len(set(names)) != len(names):
            raise ValueError(f"policy {self.name}: rule names repeat: {names}")
        if not self.rules or self.rules[-1].tests or self.rules[-1].gates:
            raise ValueError(f"policy {self.name}: the last rule must fit everyone")

    def decide(self, signals: pl.DataFrame) -> pl.DataFrame:
        """Add the decision to each row of signals.

        Args:
            signals: `SIGNALS`.

        Returns:
            The same rows with rule, kind, plan, recommended_level (Int8, 1 to 10), priority, at_least (Float64),
            passes (Boolean: the kind is one that passes), kind_beneath (the kind, were it not for one that passes) and
            stands (Boolean: it, or what is beneath, is the decision of an earlier day, `decided_on`, which else is the
            day of the signals).
        """
        table = pl.DataFrame(
            {
                "rule": [rule.name for rule in self.rules],
                "kind": [rule.kind.name for rule in self.rules],
                "_shift": [rule.kind.shift for rule in self.rules],
                "_plan": pl.Series([rule.kind.plan for rule in self.rules], dtype=pl.String),
                "at_least": [rule.at_least for rule in self.rules],
                "passes": [rule.kind.name in self.passing for rule in self.rules],
            },
            schema_overrides={"_shift": pl.Int16},
        )
        moved = (pl.col("current_level").cast(pl.Int16) + self._steps()).clip(1, LEVEL_COUNT).cast(pl.Int8)
        by_rule = _by_rule({rule.name: rule.priority_expression for rule in self.rules})
        stands = pl.col("stands")
        return (
            signals.with_columns(
                rule=self._decided([rule.name for rule in self.rules]),
                kind_beneath=self._beneath([rule.kind.name for rule in self.rules]),
                stands=self._stands(),
            )
            .join(table, on="rule", how="left", maintain_order="left")
            .with_columns(
                recommended_level=pl.when(stands).then("previous_policy_level").otherwise(moved),
                plan=pl.coalesce("_plan", "previous_plan", pl.lit("practice")),
                priority=pl.when(stands & ~pl.col("passes")).then("previous_priority").otherwise(by_rule),
            )
            .with_columns(decided_on=pl.when(stands | self._goes_on()).then("decided_on").otherwise("day"))
            .drop("_shift", "_plan")
        )

    def kinds(self) -> pl.Expr:
        """The kind that `decide` gives each row of signals, and nothing else of the decision."""
        return self._decided([rule.kind.name for rule in self.rules])

    def asking(self) -> pl.Expr:
        """Whether the `rule` that decided asks for something."""
        return pl.col("rule").is_in([rule.name for rule in self.rules if rule.kind.asks])

    @property
    def _lasting(self) -> list[Rule]:
        return [rule for rule in self.rules if rule.kind.name not in self.passing]

    def _stands(self) -> pl.Expr:
        """Whether the decision before is still in force: it was of this table, and too few answers came since."""
        known = pl.col("previous_rule").is_in([rule.name for rule in self._lasting])
        asks = pl.col("previous_rule").is_in([rule.name for rule in self.rules if rule.kind.asks])
        unheard = asks & (pl.col("answers_since") < self.stands_for)
        return (known & (unheard | (pl.col("answers_new") < 1))).fill_null(value=False)

    def _goes_on(self) -> pl.Expr:
        """Whether the learner carries on at the level as before, so that answers since are counted on."""
        carries_on = [rule.name for rule in self._lasting if not rule.kind.asks]
        same = pl.col("previous_rule").is_in(carries_on) & pl.col("rule").is_in(carries_on)
        levels = pl.col("recommended_level") == pl.col("previous_policy_level")
        return (same & levels & (pl.col("current_level") == pl.col("previous_current_level"))).fill_null(value=False)

    def _decided(self, named: Sequence[str]) -> pl.Expr:
        """What the rule that decides is named: the first that fits, or the one that stands where that does not pass."""
        now = _first(self.rules)
        passing = [place for place, rule in enumerate(self.rules) if rule.kind.name in self.passing]
        standing = pl.col("previous_rule").replace_strict(
            {rule.name: place for place, rule in enumerate(self.rules)}, default=None, return_dtype=pl.Int16
        )
        place = pl.when(self._stands() & ~now.is_in(passing)).then(standing).otherwise(now)
        return place.replace_strict(range(len(self.rules)), named, return_dtype=pl.String)

    def _beneath(self, named: Sequence[str]) -> pl.Expr:
        """What the rule is named that would decide, did no kind pass."""
        of_rule = {rule.name: name for rule, name in zip(self.rules, named, strict=True)}
        standing = pl.col("previous_rule").replace_strict(of_rule, default=None, return_dtype=pl.String)
        lasting = self._lasting
        names = [of_rule[rule.name] for rule in lasting]
        now = _first(lasting).replace_strict(range(len(lasting)), names, return_dtype=pl.String)
        return pl.when(self._stands()).then(standing).otherwise(now)

    def _steps(self) -> pl.Expr:
        """Levels to move by: the kind's shift, or further in its direction, to where success is nearest to the aim."""
        shift = pl.col("_shift")
        if self.aim is None:
            return shift
        down = self.aim if self.aim_down is None else self.aim_down
        wanted = pl.when(shift < 0).then(_nearest_level(down)).otherwise(_nearest_level(self.aim))
        wanted -= pl.col("current_level")
        further = pl.min_horizontal(wanted.abs(), pl.lit(self.reach, pl.Int16)).fill_null(0)
        same_way = wanted.sign() == shift.sign()
        steps = pl.when(same_way).then(pl.max_horizontal(shift.abs(), further)).otherwise(shift.abs())
        return shift.sign() * steps


def _nearest_level(aim: float) -> pl.Expr:
    away = pl.col("level_probabilities").list.eval((pl.element() - aim).abs())
    return (away.list.arg_min() + 1).cast(pl.Int16)


def _first(rules: Sequence[Rule]) -> pl.Expr:
    """The place of the first rule that fits, Int16; places are compared, for they cost less than texts."""
    return pl.coalesce(pl.when(rule.condition).then(pl.lit(place, pl.Int16)) for place, rule in enumerate(rules))


def _by_rule(expressions: Mapping[str, pl.Expr]) -> pl.Expr:
    return pl.coalesce(pl.when(pl.col("rule") == name).then(value) for name, value in expressions.items())
