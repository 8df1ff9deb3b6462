"""A school whose truth is known: answers are drawn from probabilities that the model knows, unless a fault is made."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aivo_assets.drift.schema import SCORED_EVENTS

DAY = date(2024, 3, 10)


@dataclass(frozen=True)
class School:
    """Scored events of a model that is right.

    Attributes:
        learners: How many answer.
        events: How many events each learner has.
        clustering: Standard deviation, in logits, of what the model does not know about a learner's week.
        harder: How much harder the items became without the model's knowledge, logits.
        flipped: Share of events that arrive with the wrong label.
        guessing: Share of learners who guess with a chance of 0.25.
        difficulty: Mean difficulty of the items, which the model knows, logits.
        newcomers: Share of learners without history, whom the model knows only on average.
        subject_harder: How much harder the subject `geometry` became without the model's knowledge, logits.
    """

    learners: int = 200
    events: int = 40
    clustering: float = 0.15
    harder: float = 0.0
    flipped: float = 0.0
    guessing: float = 0.0
    difficulty: float = -0.6
    newcomers: float = 0.0
    subject_harder: float = 0.0

    def week(self, seed: int, *, day: date = DAY, version: str = "v1") -> pl.DataFrame:
        """Seven days of scored events that end on `day`."""
        rng = np.random.default_rng(seed)
        n = self.learners * self.events
        learner = np.repeat(np.arange(self.learners), self.events)
        position = np.tile(np.arange(self.events), self.learners)
        ability = rng.normal(0.0, 0.9, self.learners)[learner]
        difficulty = rng.normal(self.difficulty, 0.9, n)
        geometry = rng.random(n) < 0.15
        new = (rng.random(self.learners) < self.newcomers)[learner]
        known = np.where(new, 0.0, ability)
        # What is unknown about a newcomer flattens the right probability (logistic-normal, MacKay 1992).
        flat = np.where(new, 1.0 / np.sqrt(1.0 + np.pi * 0.9**2 / 8.0), 1.0)
        probability = _sigmoid(flat * (known - difficulty))
        week = rng.normal(0.0, self.clustering, self.learners)[learner]
        truth = _sigmoid(ability - difficulty + week - self.harder - self.subject_harder * geometry)
        guesses = (rng.random(self.learners) < self.guessing)[learner]
        correct = rng.random(n) < np.where(guesses, 0.25, truth)
        correct ^= rng.random(n) < self.flipped
        days = position * 7 // self.events
        first = datetime.combine(day - timedelta(days=6), datetime.min.time(), tzinfo=UTC)
        n = len(learner)
        minutes = pl.Series(days * 1440 + 540 + position)
        return (
            pl.DataFrame(
                {
                    "learner": pl.Series(learner).cast(pl.String).str.zfill(32),
                    "shard": learner % 4,
                    "sequence": position,
                    "item_id": pl.Series(rng.integers(0, 500, n)).cast(pl.String),
                    "subject": np.where(geometry, "geometry", "algebra").tolist(),
                    "correct": correct.astype(np.int8),
                    "probability": probability,
                    "model_version": [version] * n,
                    "ability": known,
                    "item_difficulty": difficulty,
                    "skill_opportunities": rng.poisson(12, n),
                    "learner_opportunities": rng.exponential(200.0, self.learners)[learner]
                    + position * 40 / self.events,
                    "log_gap": rng.exponential(4.0, n),
                    "response_time_ms": rng.lognormal(9.5, 0.8, n),
                    "seen_item": rng.random(n) < 0.1,
                }
            )
            .with_columns(occurred_at=pl.lit(first) + pl.duration(minutes=pl.lit(minutes)))
            .with_columns(day=pl.col("occurred_at").dt.date())
            .select(pl.col(name).cast(dtype) for name, dtype in SCORED_EVENTS.schema.items())
        )


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-x))
