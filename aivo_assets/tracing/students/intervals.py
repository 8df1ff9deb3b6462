"""How wide the bands of a student model must be. Belongs here: the factors, fitting them and applying them.

The filter's standard deviations rest on assumptions: independent parts, no slips, one pace of drift. Whether they are
honest is asked of later answers. Two answers of a learner to different items, both predicted from the same state, share
one error: that of the learner's logit. So the products of their residuals, in the mean, show its true variance, and
neither chance in single answers nor unsure items enter (method of moments for a random effect; McCulloch and Searle
2001, ch. 8). The factor that makes the filter's variance agree is kept by number of events seen.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy
from pydantic import BaseModel, ConfigDict

from aivo_assets.arrays import Floats
from aivo_assets.lake import Dataset
from aivo_assets.tracing.students.later_answers import BANDS, band_of
from aivo_assets.tracing.students.mastery import sigmoid

About = Literal["ability", "mastery"]

SMALLEST_FACTOR, LARGEST_FACTOR = 0.25, 4.0  # beyond, something is wrong that a width does not mend
FEWEST_BLOCKS = 30  # a band with fewer learners, or learner x skill pairs, has no factor of its own
SHARPEST_ERROR = 0.02  # a factor's standard error (log) is not trusted below this
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


INTERVALS = Dataset(
    "student_models/intervals",
    {
        "day": pl.Date,
        "about": pl.String,
        "band": pl.String,
        "events": pl.Float64,
        "factor": pl.Float64,
        "raw": pl.Float64,
        "log_error": pl.Float64,
        "blocks": pl.Int64,
    },
    unit="day",
)


class Knot(BaseModel):
    """The factor of a band.

    Attributes:
        band: One of `BANDS`.
        events: Where the band stands: exp(mean of ln(1 + events)) − 1.
        factor: Of the standard deviation, drawn to that of the other bands as far as it is unsure.
        raw: Before that.
        log_error: Standard error of ln raw, over learners.
        blocks: Learners (ability), or learner x skill pairs (mastery), that it rests on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    band: str
    events: float
    factor: float
    raw: float
    log_error: float
    blocks: int


class Intervals(BaseModel):
    """Factors of the standard deviations of ability and mastery. Without knots the filter's own are taken.

    Attributes:
        ability: By events of the learner, ascending.
        mastery: By events of the learner on the skill, ascending.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ability: tuple[Knot, ...] = ()
    mastery: tuple[Knot, ...] = ()

    def factor(self, about: About, events: npt.NDArray[np.integer]) -> Floats:
        """Factor for each number of events, float64 [n]; straight between knots in ln(1 + events), level beyond."""
        knots: Sequence[Knot] = getattr(self, about)
        if not knots:
            return np.ones(len(events))
        places = np.log1p([knot.events for knot in knots])
        factors: Floats = np.exp(np.interp(np.log1p(events), places, np.log([knot.factor for knot in knots])))
        return factors

    def to_frame(self, day: date) -> pl.DataFrame:
        """INTERVALS: a row a knot.

        Args:
            day: As-of day of the events that they were fitted to.
        """
        rows = [
            {"day": day, "about": about, **knot.model_dump()}
            for about, knots in (("ability", self.ability), ("mastery", self.mastery))
            for knot in knots
        ]
        return pl.DataFrame(rows, schema=dict(INTERVALS.schema))

    @classmethod
    def from_frame(cls, frame: pl.DataFrame | None) -> "Intervals":
        """The intervals that `to_frame` gave; without a frame those of the filter alone."""
        if frame is None:
            return cls()
        knots = {
            about: tuple(Knot.model_validate(row) for row in part.drop("day", "about").to_dicts())
            for about, part in ((name, frame.filter(pl.col("about") == name)) for name in ("ability", "mastery"))
        }
        return cls(**knots)


def fit_intervals(later: pl.DataFrame) -> Intervals:
    """Fit the factors to what stopped learners answered next.

    Args:
        later: LATER_ANSWERS.
    """
    return Intervals(ability=_knots(later, "ability"), mastery=_knots(later, "mastery"))


def _knots(later: pl.DataFrame, about: About) -> tuple[Knot, ...]:
    seen = pl.col("events" if about == "ability" else "opportunities")
    banded = later.with_columns(_band=band_of(seen), _seen=seen)
    knots = []
    for band in BANDS:
        part = banded.filter(pl.col("_band") == band)
        blocks = Blocks(part, about)
        if blocks.count >= FEWEST_BLOCKS:
            raw, error = blocks.solve()
            events = float(np.expm1(part["_seen"].log1p().mean()))  # type: ignore[arg-type]
            knots.append(Knot(band=band, events=events, factor=raw, raw=raw, log_error=error, blocks=blocks.count))
    return _drawn_together(knots)


def _drawn_together(knots: Sequence[Knot]) -> tuple[Knot, ...]:
    """Draw each band's factor to the mean as far as it is unsure (DerSimonian and Laird 1986, empirical Bayes)."""
    if len(knots) < 2:
        return tuple(knots)
    logs = np.log([knot.raw for knot in knots])
    precision = 1.0 / np.array([knot.log_error for knot in knots]) ** 2
    mean = float((precision * logs).sum() / precision.sum())
    excess = float((precision * (logs - mean) ** 2).sum()) - (len(knots) - 1)
    between = max(excess, 0.0) / float(precision.sum() - (precision**2).sum() / precision.sum())
    weights = 1.0 / (between + 1.0 / precision)
    centre = float((weights * logs).sum() / weights.sum())
    trust = between * precision / (1.0 + between * precision)
    drawn = np.exp(centre + trust * (logs - centre))
    return tuple(knot.model_copy(update={"factor": float(each)}) for knot, each in zip(knots, drawn, strict=True))


class Blocks:
    """Later answers as arrays: blocks (a learner after a stop), in them groups (a skill), in them answers.

    Answers that have no other to be compared with are left out. Mastery compares answers on one skill. Ability is a
    mean over the K skills practised, each alike, so that its variance is (1 − 1/K) of what two skills share and 1/K of
    what two answers on one skill share; a block counts where both can be seen.

    Args:
        later: LATER_ANSWERS of one band.
        about: What is asked.
    """

    def __init__(self, later: pl.DataFrame, about: About) -> None:
        comparable = _with_company(later, about)
        self._group = _starts(comparable["_group"])
        block = _starts(comparable["_block"])
        self._block = np.searchsorted(self._group, block)  # among the groups
        self._correct = comparable["correct"].to_numpy()
        shrink = 1.0 / np.sqrt(1.0 + np.pi / 8.0 * comparable["item_variance"].to_numpy())
        self._logit = comparable[f"{about}_logit"].to_numpy() * shrink
        self._sd = np.sqrt(comparable[f"{about}_variance"].to_numpy()) * shrink
        self._size = np.diff(self._group, append=comparable.height).astype(np.float64)
        self._skills = comparable["_skills"].to_numpy()[block].astype(np.float64)
        self._about = about
        self.count = len(self._block if about == "ability" else self._group)

    def solve(self) -> tuple[float, float]:
        """The factor at which variance asked and variance seen agree, and the standard error of its logarithm."""
        low, high = np.log(SMALLEST_FACTOR), np.log(LARGEST_FACTOR)
        at = [float(self.excess(np.exp(end)).sum()) for end in (low, high)]
        if at[0] <= 0.0 or at[1] >= 0.0:
            return (SMALLEST_FACTOR if at[0] <= 0.0 else LARGEST_FACTOR), 1.0
        root = float(scipy.optimize.brentq(lambda log: float(self.excess(np.exp(log)).sum()), low, high, xtol=1e-3))
        step = 0.05
        slope = float((self.excess(np.exp(root + step)) - self.excess(np.exp(root - step))).sum()) / (2 * step)
        error = float(np.sqrt((self.excess(np.exp(root)) ** 2).sum())) / abs(slope)
        return float(np.exp(root)), float(np.clip(error, SHARPEST_ERROR, 1.0))

    def excess(self, factor: float) -> Floats:
        """By block, products of residuals beyond those expected if the standard deviation is `factor` times as wide."""
        chances = sigmoid(self._logit[:, None] + factor * self._sd[:, None] * _NODES)
        mean = chances @ _WEIGHTS
        seen = self._shared((self._correct - mean)[:, None])[:, 0]
        expected: Floats = self._shared(chances - mean[:, None]) @ _WEIGHTS
        return seen - expected

    def _shared(self, residual: Floats) -> Floats:
        """Weighted products of a block's residuals [answers, m] with those of its other answers, [blocks, m]."""
        sums = np.add.reduceat(residual, self._group)
        same = sums**2 - np.add.reduceat(residual**2, self._group)  # over ordered pairs of a skill
        by_block: Floats = np.add.reduceat(same, self._block)
        if self._about == "mastery":
            return by_block
        size, whole = self._size[:, None], np.add.reduceat(self._size, self._block)[:, None]
        alike = np.add.reduceat(size * (size - 1.0), self._block)
        unlike = whole**2 - np.add.reduceat(size**2, self._block)
        other = np.add.reduceat(sums, self._block) ** 2 - np.add.reduceat(sums**2, self._block)
        share = 1.0 / self._skills[:, None]
        shared: Floats = whole * (share * by_block / alike + (1.0 - share) * other / np.maximum(unlike, 1.0))
        return shared


def _with_company(later: pl.DataFrame, about: About) -> pl.DataFrame:
    """Answers that can be compared, with codes `_block` and `_group`, and the `_skills` counted."""
    block, group = ["learner", "stop"], ["learner", "stop", "skill_id"]
    sized = later.with_columns(_size=pl.len().over(group))
    if about == "mastery":
        comparable = sized.filter(pl.col("_size") > 1).with_columns(_skills=pl.lit(1))
    else:
        met = pl.col("skill_id").n_unique().over(block)
        several = pl.max_horizontal("skills", met)  # of a new learner: those that they begin with
        both = (pl.col("_size").max().over(block) > 1) & ((met > 1) | (several == 1))
        comparable = sized.with_columns(_skills=several).filter(both)
    return comparable.sort(group, maintain_order=True).with_columns(
        _block=pl.struct(block).rle_id(), _group=pl.struct(group).rle_id()
    )


def _starts(codes: pl.Series) -> npt.NDArray[np.intp]:
    """Where each run of equal codes begins."""
    values = codes.to_numpy()
    return np.flatnonzero(np.diff(values, prepend=-1))
