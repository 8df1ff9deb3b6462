"""Bands on any data: are later answers as many right as the bands allow? Belongs here: counts in blocks; no truth.

Half of the learners make statistics and factors. The others are stopped, and the number of right answers among their
next ones on a skill is put beside its predicted distribution. Chance in single answers makes most of its width, so this
can refute a band that is far off, and cannot prove one to the last per cent. Where it stands within the distribution is
drawn at random between the steps of a count (randomised PIT; Czado, Gneiting and Held 2009), so that 80 % is 80 %.
"""

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict

from aivo_assets.arrays import Floats
from aivo_assets.settings import FeatureSettings, StudentSettings
from aivo_assets.tracing.fold.statistics import fit_statistics, learner_folds
from aivo_assets.tracing.students.intervals import fit_intervals
from aivo_assets.tracing.students.later_answers import BANDS, band_of, frozen_predictions, later_answers
from aivo_assets.tracing.students.mastery import sigmoid

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


class BlockCover(BaseModel):
    """Share of blocks whose count lay in the middle of its distribution.

    Attributes:
        group: Band of events on the skill.
        blocks: Learner x skill pairs with at least two later answers.
        answers: In them.
        cover: With the fitted factors.
        before: With the filter's own standard deviations.
        certain: As if the learner's logit were known exactly: how far the check can tell a band from none.
        error: Standard error of `cover`, learners being the independent unit.
        factor: Mean factor applied.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str
    blocks: int
    answers: int
    cover: float
    before: float
    certain: float
    error: float
    factor: float


class BlockReport(BaseModel):
    """What the check found, by band, and how it was asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    covers: tuple[BlockCover, ...]
    asked: dict[str, str] = {}

    def text(self) -> str:
        """The report as lines of plain text."""
        lines = [f"{name}: {value}" for name, value in self.asked.items()]
        lines += ["", f"{'events on the skill':<20}{'cover ± se':>16}{'filter alone':>14}{'no width':>10}"
                  f"{'factor':>8}{'blocks':>9}{'answers':>9}"]  # fmt: skip
        lines += [
            f"  {each.group:<18}{each.cover:>8.3f} ± {each.error:.3f}{each.before:>14.3f}{each.certain:>10.3f}"
            f"{each.factor:>8.2f}{each.blocks:>9,}{each.answers:>9,}"
            for each in self.covers
        ]
        return "\n".join(lines)


def measure_blocks(events: pl.DataFrame, features: FeatureSettings, students: StudentSettings) -> BlockReport:
    """Fit on half of the learners, check on the other half.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS.
        features: Of statistics and fold.
        students: Nominal cover, and how factors are fitted.
    """
    names = events["learner"].unique().sort()
    checked = pl.DataFrame({"learner": names}).filter(pl.Series(learner_folds(names, 2, students.interval_seed)) == 1)
    others = events.join(checked, on="learner", how="anti")
    intervals = fit_intervals(later_answers(others, features, students))
    held_out = events.join(checked, on="learner", how="semi")
    later = frozen_predictions(held_out, fit_statistics(others, features), features, seed=students.interval_seed)
    later = later.with_columns(_band=band_of(pl.col("opportunities"))).filter(
        pl.len().over("learner", "stop", "skill_id") > 1
    )
    later = later.sort("learner", "stop", "skill_id", maintain_order=True)
    factor = intervals.factor("mastery", later["opportunities"].to_numpy())
    random = np.random.default_rng(students.interval_seed).random(later.height)
    edge = (1.0 - students.interval) / 2.0
    starts = np.flatnonzero(
        np.diff(later.select(pl.struct("learner", "stop", "skill_id").rle_id()).to_series(), prepend=-1)
    )
    blocks = (
        later[starts]
        .select("learner", "_band")
        .with_columns(
            answers=pl.Series(np.diff(starts, append=later.height)),
            factor=pl.Series(factor[starts]),
            **{
                name: pl.Series(np.abs(stands_at(later, scale, starts, random[starts]) - 0.5) <= 0.5 - edge)
                for name, scale in (
                    ("cover", factor),
                    ("before", np.ones(later.height)),
                    ("certain", np.zeros(later.height)),
                )
            },
        )
    )
    return BlockReport(covers=tuple(_cover(blocks, band) for band in BANDS if (blocks["_band"] == band).any()))


def stands_at(later: pl.DataFrame, scale: Floats, starts: npt.NDArray[np.intp], random: Floats) -> Floats:
    """Where each block's count stands in its predicted distribution, float64 [blocks] in 0 … 1.

    Args:
        later: LATER_ANSWERS, the answers of a block beside each other.
        scale: Factor of each answer's standard deviation, float64 [n].
        starts: Where each block begins.
        random: Uniform draws, float64 [blocks].
    """
    shrink = 1.0 / np.sqrt(1.0 + np.pi / 8.0 * later["item_variance"].to_numpy())
    sd = scale * np.sqrt(later["mastery_variance"].to_numpy())
    chances = sigmoid(shrink[:, None] * (later["mastery_logit"].to_numpy()[:, None] + sd[:, None] * _NODES))
    sizes = np.diff(starts, append=later.height)
    counts = np.add.reduceat(later["correct"].to_numpy(), starts).astype(np.intp)
    # Poisson-binomial by adding one answer after another, at each node; P(0 … most right answers).
    known = np.zeros((len(starts), _NODES.size, int(sizes.max()) + 1))
    known[:, :, 0] = 1.0
    for place in range(int(sizes.max())):
        reach = np.flatnonzero(sizes > place)
        chance = chances[starts[reach] + place][:, :, None]
        before = known[reach]
        after = before * (1.0 - chance)
        after[:, :, 1:] += before[:, :, :-1] * chance
        known[reach] = after
    distribution = np.einsum("bkc,k->bc", known, _WEIGHTS)
    rows = np.arange(len(starts))
    upto = np.cumsum(distribution, axis=1)[rows, counts]
    stands: Floats = upto - (1.0 - random) * distribution[rows, counts]
    return stands


def _cover(blocks: pl.DataFrame, band: str) -> BlockCover:
    part = blocks.filter(pl.col("_band") == band)
    sums = part.group_by("learner").agg(held=pl.col("cover").sum(), n=pl.len())
    held, count = sums["held"].to_numpy().astype(np.float64), sums["n"].to_numpy().astype(np.float64)
    cover = float(held.sum() / count.sum())
    share = {name: float(part[name].mean()) for name in ("before", "certain", "factor")}  # type: ignore[arg-type]
    return BlockCover(
        group=band,
        blocks=part.height,
        answers=int(part["answers"].sum()),
        cover=cover,
        error=float(np.sqrt(((held - cover * count) ** 2).sum()) / count.sum()),
        **share,
    )
