"""Does the main brain need training now? Belongs here: the two-hourly question and its numbers; drift is in verdict.py.

The drift monitor asks whether the model got worse than it promised. This asks sooner and more simply: is there so much
that the champion has not seen, or is it so wrong today, that the nightly training should not be waited for?
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from aivo_assets.drift.scores.inference import clustered_means
from aivo_assets.lake import Dataset, Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import AdaptiveSettings, TrainingSettings

TRAINING_NEED = Dataset(
    "drift/training_need",
    {
        "day": pl.Date,
        "model_id": pl.String,
        "needed": pl.Boolean,
        "reason": pl.String,
        "events": pl.Int64,
        "new_events": pl.Int64,
        "fitted_events": pl.Int64,
        "unseen_item_share": pl.Float64,
        "excess_log_loss": pl.Float64,
        "calibration_gap": pl.Float64,
    },
    unit="day",
)

COLUMN_DESCRIPTIONS = {
    "day": "UTC day as of which was asked.",
    "model_id": "Which model.",
    "needed": "Whether it should be trained without waiting for the night.",
    "reason": "The answer in a sentence with its numbers.",
    "events": "Events of this day that the champion predicted before it saw the answers.",
    "new_events": "Events since the champion's last training event.",
    "fitted_events": "Events that the champion was fitted on.",
    "unseen_item_share": "Share of this day's events on items that the champion never saw.",
    "excess_log_loss": "Log loss beyond what the probabilities promised, nats; lower 95 % bound over learners.",
    "calibration_gap": "Mean answer minus mean probability on this day.",
}

_ONE_SIDED_95 = 1.645
"""Normal quantile of the bounds: what the limits are held against is sure, not met by chance in a class or two."""


@dataclass(frozen=True)
class Champion:
    """What is asked about.

    Attributes:
        known_items: Items that its statistics hold.
        fitted_events: Events that it was fitted on.
        new_events: Events in the lake since the last one that it was fitted, calibrated or evaluated on.
    """

    known_items: pl.Series
    fitted_events: int
    new_events: int


def missing_events(lake: Lake, day: date, settings: TrainingSettings) -> int:
    """Events that are missing in the training window until there are enough to train on; not above 0 where none are.

    Args:
        lake: What is known.
        day: Last day of the window.
        settings: The window, and how many are enough.
    """
    first = day - timedelta(days=settings.window_days - 1)
    days = [each for each in lake.days(ANONYMISED_INTERACTIONS) if first <= each <= day]
    events: int = lake.scan(ANONYMISED_INTERACTIONS, days=days).select(pl.len()).collect().item()
    return settings.minimum_events - events


def ask(
    scored: pl.DataFrame, champion: Champion | None, *, day: date, settings: AdaptiveSettings, missing: int = 0
) -> pl.DataFrame:
    """Ask whether the main brain needs training now.

    Args:
        scored: SCORED_EVENTS columns, this day's events only.
        champion: The model in use, or None where there is none yet.
        day: The UTC day as of which is asked.
        settings: Limits.
        missing: Events that are missing until a training can fit anything at all.

    Returns:
        One row of `TRAINING_NEED`.
    """
    if champion is None and missing > 0:
        return _answer(day, False, f"There is no champion yet; {missing:,} more answers are needed to train one.", {})
    if champion is None:
        return _answer(day, True, "There is no champion yet.", {})
    numbers: dict[str, int | float | None] = {
        "events": scored.height,
        "new_events": champion.new_events,
        "fitted_events": champion.fitted_events,
        "unseen_item_share": None,
        "excess_log_loss": None,
        "calibration_gap": None,
    }
    reasons = []
    if champion.new_events > settings.new_event_share * champion.fitted_events:
        reasons.append(
            f"{champion.new_events:,} events are new, against {champion.fitted_events:,} that it was fitted on"
        )
    if scored.height >= settings.minimum_events:
        unseen = (
            scored.join(champion.known_items.alias("item_id").to_frame(), on="item_id", how="anti").height
            / scored.height
        )
        excess = _excess_log_loss(scored)
        gap, gap_error = _calibration_gap(scored)
        numbers |= {"unseen_item_share": unseen, "excess_log_loss": excess, "calibration_gap": gap}
        if unseen > settings.unseen_item_share:
            reasons.append(f"{unseen:.0%} of today's answers are to items that it never saw")
        if excess > settings.excess_log_loss:
            reasons.append(f"its log loss today is at least {excess:.3f} nats above what it promised")
        if abs(gap) - _ONE_SIDED_95 * gap_error > settings.calibration_gap:
            reasons.append(f"answers are right {gap:+.1%} ± {gap_error:.1%} from what it predicts")
    if reasons:
        return _answer(day, True, f"Training is needed: {'; '.join(reasons)}.", numbers)
    return _answer(day, False, "Nothing asks for training before the night.", numbers)


def _excess_log_loss(scored: pl.DataFrame) -> float:
    """Lower 95 % bound, clustered by learner, of observed minus expected log loss.

    Under well calibrated probabilities the expected loss of an answer is the entropy of its probability, so easy and
    hard days compare (the mix of items cancels).
    """
    p = pl.col("probability").clip(1e-6, 1 - 1e-6)
    y = pl.col("correct").cast(pl.Float64)
    excess = (p - y) * (p.log() - (1 - p).log())  # = observed loss - entropy
    mean, error = _clustered_mean(scored, excess)
    return mean - _ONE_SIDED_95 * error


def _calibration_gap(scored: pl.DataFrame) -> tuple[float, float]:
    """Mean answer minus mean probability, and its standard error."""
    return _clustered_mean(scored, pl.col("correct").cast(pl.Float64) - pl.col("probability"))


def _clustered_mean(scored: pl.DataFrame, value: pl.Expr) -> tuple[float, float]:
    """Mean over events, and its standard error with learners as the units."""
    columns = scored.select(value.cast(pl.Float64).alias("value"), pl.col("learner").rank("dense").cast(pl.Int64) - 1)
    estimate = clustered_means(columns["value"].to_numpy()[:, None], columns["learner"].to_numpy())
    return float(estimate.mean[0]), float(np.sqrt(estimate.covariance[0, 0]))


def _answer(day: date, needed: bool, reason: str, numbers: dict[str, int | float | None]) -> pl.DataFrame:
    row = {"day": day, "model_id": "main_brain", "needed": needed, "reason": reason, **numbers}
    return pl.DataFrame([row], schema=dict(TRAINING_NEED.schema))
