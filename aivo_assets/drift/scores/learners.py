"""Student models as a population. Belongs here: for how many learners the predictions were wrong beyond chance.

A learner's events are cut into blocks of equal length, so that window and reference have the same power to find a
misjudged learner. A block is missed when the number of correct answers lies in a tail of probability 2.5 % under the
model's own probabilities; how often that happens by chance is known exactly (Poisson-binomial) and taken off.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from aivo_assets.arrays import Floats
from aivo_assets.drift.scores.inference import Codes, Effect, clustered_means, increase
from aivo_assets.drift.scores.sample import Sample

TAIL = 0.025


@dataclass(frozen=True)
class Blocks:
    """Complete blocks of learners' consecutive events.

    Attributes:
        learner: int64 [blocks], 0 … learners - 1.
        overestimated: 1.0 where fewer answers were correct than chance allows, float64 [blocks].
        underestimated: 1.0 where more were, float64 [blocks].
        chance_over: Probability that a rightly judged learner is called overestimated, float64 [blocks].
        chance_under: The same for underestimated, float64 [blocks].
        size: Events a block.
    """

    learner: Codes
    overestimated: Floats
    underestimated: Floats
    chance_over: Floats
    chance_under: Floats
    size: int

    @property
    def events(self) -> int:
        """Events in complete blocks."""
        return len(self.learner) * self.size

    @property
    def learners(self) -> int:
        """Learners with at least one complete block."""
        return int(self.learner.max()) + 1 if len(self.learner) else 0

    @property
    def surprise(self) -> Floats:
        """Missed or not, minus the chance of it: zero on average for student models that hold, float64 [blocks]."""
        return self.overestimated + self.underestimated - self.chance_over - self.chance_under


def read_blocks(sample: Sample, size: int) -> Blocks:
    """Cut each learner's events, in their order, into blocks of `size`; what is left over is not judged."""
    # A reference is met in every look and check: cut once.
    if (name := f"blocks of {size}") not in sample.memory:
        sample.memory[name] = _cut(sample, size)
    blocks: Blocks = sample.memory[name]
    return blocks


def _cut(sample: Sample, size: int) -> Blocks:
    order = np.lexsort(
        (sample.frame["sequence"].to_numpy(), sample.frame["day"].to_physical().to_numpy(), sample.learner)
    )
    events = np.bincount(sample.learner)
    position = np.arange(sample.events) - np.repeat(np.cumsum(events) - events, events)
    chosen = order[position < np.repeat(events // size * size, events)]
    probability = sample.probability[chosen].reshape(-1, size)
    wins = sample.correct[chosen].reshape(-1, size).sum(axis=1).astype(np.int64)
    learner = np.unique(sample.learner[chosen], return_inverse=True)[1].astype(np.int64)[::size]
    mass = poisson_binomial(probability)
    at_most = np.cumsum(mass, axis=1)
    at_least = np.cumsum(mass[:, ::-1], axis=1)[:, ::-1]
    low, high = at_most <= TAIL, at_least <= TAIL
    row = np.arange(len(wins))
    return Blocks(
        learner=learner,
        overestimated=low[row, wins].astype(np.float64),
        underestimated=high[row, wins].astype(np.float64),
        chance_over=(mass * low).sum(axis=1),
        chance_under=(mass * high).sum(axis=1),
        size=size,
    )


def poisson_binomial(probability: Floats) -> Floats:
    """Distribution of the number of successes of independent trials.

    Args:
        probability: float64 [rows, trials].

    Returns:
        float64 [rows, trials + 1]; entry k is the probability of k successes.
    """
    rows, trials = probability.shape
    mass = np.zeros((rows, trials + 1))
    mass[:, 0] = 1.0
    for trial in range(trials):
        p = probability[:, trial, None]
        mass[:, 1:] = mass[:, 1:] * (1.0 - p) + mass[:, :-1] * p
        mass[:, :1] *= 1.0 - p
    return mass


def missed_learners(window: Blocks, reference: Blocks, confidence: float) -> tuple[float, float, Effect]:
    """Share of blocks whose student model was wrong beyond chance, of those that chance would not have flagged.

    Returns:
        The share in the window, in the reference, and the increase as a share in [-1, 1].
    """
    now, then = (clustered_means(blocks.surprise[:, None], blocks.learner) for blocks in (window, reference))
    room = 1.0 - float(np.mean(window.chance_over + window.chance_under))
    effect = increase(now, then, confidence)
    scaled = Effect(effect.size / room, effect.standard_error / room, effect.lower / room, effect.chance)
    return float(now.mean[0]) / room, float(then.mean[0]) / room, scaled


def last_of_learner(sample: Sample, column: str) -> pl.Series:
    """Each learner's last known value of a column, ordered by learner."""
    return (
        sample.frame.sort("learner", "day", "sequence")
        .group_by("learner", maintain_order=True)
        .agg(pl.col(column).drop_nulls().last())[column]
    )
