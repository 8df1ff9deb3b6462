"""Do recommendations say something true about what comes next? Belongs here: which comparisons, and the report's rows.

Nobody followed these recommendations: the logs were made without them. So this measures prediction, not effect.
"""

from typing import Final

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from aivo_assets.adaptive.advice.outcomes import judge
from aivo_assets.benchmarks.matching import MatchedDifference, difference, mean_of
from aivo_assets.benchmarks.validity.afterwards import add_next, sessions_cut
from aivo_assets.benchmarks.validity.fairness import GroupRow, fairness
from aivo_assets.benchmarks.validity.walk import Walked
from aivo_assets.settings import PolicySettings

CONTROL: Final = "maintain"
BY_LEVEL: Final = ("level", "attempts_band")
BY_ABILITY: Final = (*BY_LEVEL, "ability_band")
BINS: Final = 10
# Kind, outcome, matched on, what must be so: +1 more than the control, -1 less, 0 nothing is asked for.
COMPARISONS: Final = (
    ("level_up", "success_harder", BY_LEVEL, 1),
    ("level_up", "success_harder", BY_ABILITY, 1),
    ("level_up", "residual_harder", BY_LEVEL, 1),
    ("remediation", "success_next", BY_LEVEL, -1),
    ("remediation", "success_next", BY_ABILITY, -1),
    ("remediation", "success_next_day", BY_LEVEL, -1),
    ("level_down", "success_next", BY_LEVEL, -1),
    ("level_down", "success_next", BY_ABILITY, -1),
    ("level_down", "success_next_day", BY_LEVEL, -1),
    ("change_approach", "success_next", BY_LEVEL, 0),
    ("enrichment", "success_next", BY_LEVEL, 0),
    ("level_up", "success_next", BY_LEVEL, 0),
    ("level_up", "success_next_day", BY_LEVEL, 0),
)
MATCH_NAMES: Final = {BY_LEVEL: "level, attempts", BY_ABILITY: "level, attempts, ability"}


class KindRow(BaseModel):
    """One kind: how often, and what came after.

    Attributes:
        kind: Its name.
        share: Of the recommendations of rank 1.
        share_all: Of all recommendations.
        rows, learners: Recommendations of all ranks, and distinct learners of them.
        next_success, next_day, harder, held: See `afterwards.add_next`; held: share of judged expectations.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    share: float
    share_all: float
    rows: int
    learners: int
    next_success: MatchedDifference
    next_day: MatchedDifference
    harder: MatchedDifference
    held: MatchedDifference


class Comparison(BaseModel):
    """A kind against matched learners who were told to carry on (or, for a break, against matched sessions).

    Attributes:
        kind, outcome, matched_on: What was compared.
        wanted: 1 more, -1 less, 0 nothing is asked for.
        gap: Mean of the kind less that of the control, within strata.
        verdict: `met` where the whole interval lies on the wanted side, `not met` where it lies on the other,
            `unsure` where it holds 0, `too few` with fewer than `LEAST_LEARNERS` on a side, `-` where nothing is asked
            for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    outcome: str
    matched_on: str
    wanted: int
    gap: MatchedDifference
    verdict: str


class Reliability(BaseModel):
    """Whether a confidence means what it says, on expectations judged after it was given.

    Attributes:
        name: `model` or `calibrated`.
        outcomes, learners: Judged expectations, and their learners.
        mean, held: Mean confidence, and share that held.
        ece: Expected calibration error in ten bins of equal width.
        brier, log_loss: Mean scores; lower is better.
        bins: (mean confidence, share that held, expectations) of each bin with any.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    outcomes: int
    learners: int
    mean: float
    held: float
    ece: float
    brier: float
    log_loss: float
    bins: tuple[tuple[float, float, int], ...]


class ProofRow(BaseModel):
    """Tested counterfactuals of one way; see `hypothetical.try_out`.

    Attributes:
        way: `right` or `wrong` answers, `days`, `rest`.
        true: Share after which the very kind was said that the counterfactual names.
        other: Share after which it was at least another kind than before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    way: str
    true: MatchedDifference
    other: MatchedDifference


class ValidityReport(BaseModel):
    """All of it.

    Attributes:
        asked: File, sizes, seed, machine, versions.
        kinds: A row a kind.
        comparisons: See `COMPARISONS`, and those of breaks.
        reliability: Of the model's confidence and of the calibrated one, on the same expectations.
        groups: Fairness, where groups were given.
        proofs: Tested counterfactuals, if there are any.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: dict[str, str]
    kinds: tuple[KindRow, ...]
    comparisons: tuple[Comparison, ...]
    reliability: tuple[Reliability, ...]
    groups: tuple[GroupRow, ...] = ()
    proofs: tuple[ProofRow, ...] = ()


def measure_validity(
    walked: Walked,
    *,
    every: int,
    groups: pl.DataFrame | None = None,
    seed: int = 0,
    asked: dict[str, str] | None = None,
) -> ValidityReport:
    """Hold a walk's recommendations against what came after.

    Args:
        walked: What a walk gave.
        every: Days from one as-of day to the next.
        groups: learner and attributes, for fairness.
        seed: Of the intervals.
        asked: Kept in the report.
    """
    followed = add_next(walked, every=every)
    outcomes = judged(walked)
    breaks = sessions_cut(walked)
    return ValidityReport(
        asked=asked or {},
        kinds=_kinds(walked.recommendations, followed, outcomes, seed),
        comparisons=(*_comparisons(followed, seed), *_breaks(breaks, seed)),
        reliability=_reliabilities(outcomes),
        groups=() if groups is None else fairness(walked.recommendations, outcomes, groups, seed=seed),
        proofs=_proofs(walked.tried, seed),
    )


def judged(walked: Walked) -> pl.DataFrame:
    """`OUTCOMES` of the whole walk, judged with everything that came after; the calibration saw none of it."""
    last = walked.events["day"].max()
    whole: PolicySettings = walked.settings.policy.model_copy(
        update={"outcome_days": 100_000, "outcome_learners": 100_000_000}
    )
    return judge(
        walked.recommendations.lazy(),
        walked.events.lazy(),
        walked.bank.lazy(),
        as_of=last,  # type: ignore[arg-type]
        settings=whole,
    ).join(
        walked.recommendations.select("learner", "subject", "skill_id", "confidence_outcomes", recommended_on="day"),
        on=["learner", "subject", "skill_id", "recommended_on"],
    )


def _kinds(made: pl.DataFrame, followed: pl.DataFrame, outcomes: pl.DataFrame, seed: int) -> tuple[KindRow, ...]:
    first = made.filter(pl.col("rank") == 1)
    rows = []
    for kind in sorted(made["kind"].unique()):
        of_kind, after, held = (frame.filter(pl.col("kind") == kind) for frame in (made, followed, outcomes))
        rows.append(
            KindRow(
                kind=kind,
                share=float((first["kind"] == kind).mean() or 0.0),
                share_all=of_kind.height / made.height,
                rows=of_kind.height,
                learners=of_kind["learner"].n_unique(),
                next_success=mean_of(after, "success_next", seed=seed),
                next_day=mean_of(after, "success_next_day", seed=seed),
                harder=mean_of(after, "success_harder", seed=seed),
                held=mean_of(held, "held", seed=seed),
            )
        )
    return tuple(rows)


def _comparisons(followed: pl.DataFrame, seed: int) -> tuple[Comparison, ...]:
    return tuple(
        _comparison(
            kind,
            outcome,
            MATCH_NAMES[match],
            wanted,
            difference(followed, outcome, kind=kind, control=CONTROL, match=match, seed=seed),
        )
        for kind, outcome, match, wanted in COMPARISONS
    )


def _breaks(cuts: pl.DataFrame, seed: int) -> tuple[Comparison, ...]:
    """Sessions that went on when a break was called for, against others at the same point with as much right so far."""
    match = ["answers_band", "before_band"]
    rules = sorted(cuts["rule"].drop_nulls().unique())
    chosen = {"break": cuts, **{rule: cuts.filter(pl.col("rule").fill_null(rule) == rule) for rule in rules}}
    return tuple(
        _comparison(
            name,
            "fall within the session",
            "answers so far, success so far",
            -1,
            difference(rows, "fall", kind="break", control="no break", match=match, seed=seed),
        )
        for name, rows in chosen.items()
    )


def _proofs(tried: pl.DataFrame, seed: int) -> tuple[ProofRow, ...]:
    came = tried.with_columns(
        true=(pl.col("came") == pl.col("named")).fill_null(value=False),
        other=(pl.col("came") != pl.col("kind")).fill_null(value=False),
    )
    return tuple(
        ProofRow(way=way, true=mean_of(rows, "true", seed=seed), other=mean_of(rows, "other", seed=seed))
        for (way,), rows in sorted(came.partition_by("way", as_dict=True).items())
    )


def _comparison(kind: str, outcome: str, matched_on: str, wanted: int, gap: MatchedDifference) -> Comparison:
    if not gap.enough:
        verdict = "too few"
    elif wanted == 0:
        verdict = "-"
    elif min(wanted * gap.lower, wanted * gap.upper) > 0:
        verdict = "met"
    elif max(wanted * gap.lower, wanted * gap.upper) < 0:
        verdict = "not met"
    else:
        verdict = "unsure"
    return Comparison(kind=kind, outcome=outcome, matched_on=matched_on, wanted=wanted, gap=gap, verdict=verdict)


def _reliabilities(outcomes: pl.DataFrame) -> tuple[Reliability, ...]:
    """Of both confidences, on the expectations whose confidence had been calibrated; on all where none had."""
    calibrated = outcomes.filter(pl.col("confidence_outcomes") > 0)
    rows = calibrated if calibrated.height else outcomes
    if rows.is_empty():
        return ()
    return tuple(
        reliability(rows, column, name)
        for name, column in (("model", "confidence_model"), ("calibrated", "confidence"))
    )


def reliability(outcomes: pl.DataFrame, column: str, name: str) -> Reliability:
    """Reliability of one confidence.

    Args:
        outcomes: learner, held and the confidence; at least one row.
        column: The confidence.
        name: What the report calls it.
    """
    predicted = outcomes[column].to_numpy().clip(1e-6, 1 - 1e-6)
    held = outcomes["held"].cast(pl.Float64).to_numpy()
    place = np.minimum((predicted * BINS).astype(int), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    sums, came = (np.bincount(place, weights=values, minlength=BINS) for values in (predicted, held))
    used = counts > 0
    return Reliability(
        name=name,
        outcomes=outcomes.height,
        learners=outcomes["learner"].n_unique(),
        mean=float(predicted.mean()),
        held=float(held.mean()),
        ece=float(np.abs(sums - came)[used].sum() / outcomes.height),
        brier=float(((predicted - held) ** 2).mean()),
        log_loss=float(-(held * np.log(predicted) + (1 - held) * np.log1p(-predicted)).mean()),
        bins=tuple(
            (float(sums[bin_] / counts[bin_]), float(came[bin_] / counts[bin_]), int(counts[bin_]))
            for bin_ in np.flatnonzero(used)
        ),
    )
