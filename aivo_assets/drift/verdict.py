"""From scores to what is done. Belongs here: thresholds, repetition, cool-down and the sentence that says why.

`judge` is pure: the verdict of a day follows from that day's scores and the verdicts of the days before, so judging
a day again gives the same verdict. A model retrains when its score is above `retrain_score` for `breaches` checks in
a row, or once above `alert_score`; a first breach, or data drift alone, is a watch. After a retrain verdict the model
is left to its cool-down; only a first extreme breach in that time is let through.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.settings import DriftSettings

READABLE = {
    "discrimination_loss": "advantage that was promised and not delivered",
    "calibration_loss": "calibration loss",
    "refit_loss": "loss that a re-fit on the explanatory columns would win back",
    "auc_shortfall": "AUC missing from what the probabilities promise",
    "missed_learners": "share of learners' work misjudged beyond chance",
    "prediction_distance": "the predictions",
    "ability_distance": "the learners' abilities",
}
_UNIT = {
    "discrimination_loss": " nats",
    "calibration_loss": " nats",
    "refit_loss": " nats",
    "auc_shortfall": "",
    "missed_learners": "",
}


@dataclass(frozen=True)
class _Past:
    """What the earlier verdicts of a model say."""

    breaches: int
    retrained: date | None
    alerted: date | None


@dataclass(frozen=True)
class _Decision:
    verdict: str
    reason: str
    breaches: int


def judge(scores: pl.DataFrame, previous_verdicts: pl.DataFrame, settings: DriftSettings) -> pl.DataFrame:
    """Decide for every model and day of `scores`.

    Args:
        scores: Rows of `DRIFT_SCORES`; several days are judged in their order, each knowing the one before.
        previous_verdicts: Rows of `DRIFT_VERDICTS`; those of a judged day or later are not looked at.
        settings: Thresholds, minimum sample, repetition and cool-down.

    Returns:
        Rows of `DRIFT_VERDICTS`, one a model and day, ordered by day and model.
    """
    history = previous_verdicts
    judged = DRIFT_VERDICTS.empty()
    for (day,), of_day in scores.sort("day", "model_id", "measure").group_by("day", maintain_order=True):
        assert isinstance(day, date)
        before = history.filter(pl.col("day") < day)
        models = of_day.partition_by("model_id", maintain_order=True)
        rows = [_judge_model(of_model, before, settings) for of_model in models]
        verdicts = pl.DataFrame(rows, schema=dict(DRIFT_VERDICTS.schema), orient="row")
        judged = pl.concat([judged, verdicts])
        history = pl.concat([before, verdicts])
    return judged


def readable(measure: str) -> str:
    """A measure's name for people."""
    return READABLE.get(measure, measure.removeprefix("feature_distance:").replace("_", " "))


def _judge_model(scores: pl.DataFrame, before: pl.DataFrame, settings: DriftSettings) -> dict[str, Any]:
    first = scores.row(0, named=True)
    worst = _largest(scores, "decides")
    moved = _largest(scores, "explains")
    past = _past(before.filter(pl.col("model_id") == first["model_id"]), first, settings)
    too_small = _too_small(first, settings)
    decision = too_small or _decide(worst, moved, past, first["day"], settings)
    shown = None if too_small else worst
    return {
        **{name: first[name] for name in first.keys() & DRIFT_VERDICTS.schema.keys()},
        "verdict": decision.verdict,
        "score": shown["score"] if shown else None,
        "measure": shown["measure"] if shown else None,
        "reason": decision.reason,
        "breaches": decision.breaches,
        "explained_by": moved["measure"] if moved else None,
        "explained_distance": moved["score"] if moved else None,
        **_pair(scores, "log_loss"),
        **_pair(scores, "auc"),
        "retrain_score": settings.retrain_score,
        "alert_score": settings.alert_score,
    }


def _too_small(row: dict[str, Any], settings: DriftSettings) -> _Decision | None:
    if not row["reference_events"]:
        reason = "No verdict: there is no reference yet; one is kept when a champion is promoted."
        return _Decision("no_reference", reason, 0)
    if row["events"] >= settings.minimum_events and row["learners"] >= settings.minimum_learners:
        return None
    reason = (
        f"No verdict: {row['events']:,} events of {row['learners']:,} learners from {row['window_first']} to "
        f"{row['window_last']}; at least {settings.minimum_events:,} of {settings.minimum_learners:,} are needed."
    )
    return _Decision("too_few_events", reason, 0)


def _decide(
    worst: dict[str, Any] | None, moved: dict[str, Any] | None, past: _Past, day: date, settings: DriftSettings
) -> _Decision:
    assert worst is not None, "a model with enough events has a deciding measure"
    score, what = worst["score"], _what_moved(worst)
    breaches = past.breaches + 1 if score > settings.retrain_score else 0
    cooling = _cooling(past.retrained, day, settings)
    if score > settings.alert_score and not _cooling(past.alerted, day, settings):
        reason = f"{what} Above {settings.alert_score:.2f}: retrain at once and tell people."
        return _Decision("alert", reason, breaches)
    if breaches and cooling:
        reason = f"{what} A retraining was asked for on {past.retrained}; the model is in its cool-down."
        return _Decision("watch", reason, breaches)
    if breaches >= settings.breaches:
        reason = f"{what} Above {settings.retrain_score:.2f} for {_times(breaches)}: retrain."
        return _Decision("retrain", reason, breaches)
    if breaches:
        reason = f"{what} Above {settings.retrain_score:.2f} for {_times(breaches)}: watch for the next check."
        return _Decision("watch", reason, breaches)
    if moved is not None and moved["score"] > settings.watch_distance:
        data = f"Data moved: {readable(moved['measure'])} by a Jensen-Shannon distance of {moved['score']:.2f}."
        return _Decision("watch", f"{what} {data} The model holds, so watch, do not retrain.", 0)
    return _Decision("ok", f"{what} Not above {settings.retrain_score:.2f}: nothing to do.", 0)


def _what_moved(worst: dict[str, Any]) -> str:
    if worst["score"] <= 0.0:
        return "Score 0.00: nothing was surely lost since the promotion."
    return (
        f"Score {worst['score']:.2f}: {readable(worst['measure'])} rose by {worst['effect']:.4f}"
        f"{_UNIT.get(worst['measure'], '')} ± {worst['standard_error']:.4f} over the reference."
    )


def _times(breaches: int) -> str:
    return "the first check" if breaches == 1 else f"{breaches} checks in a row"


def _cooling(acted: date | None, day: date, settings: DriftSettings) -> bool:
    return acted is not None and day - acted <= timedelta(days=settings.cooldown_days)


def _past(verdicts: pl.DataFrame, row: dict[str, Any], settings: DriftSettings) -> _Past:
    # A check that could not judge says neither yes nor no, so it does not break a row; one older than a window does,
    # and so does another model's.
    recent = verdicts.filter(
        pl.col("model_version") == row["model_version"],
        pl.col("day") >= row["day"] - timedelta(days=settings.window_days),
        pl.col("verdict").cast(pl.String).is_in(["ok", "watch", "retrain", "alert"]),
    )
    latest = recent.sort("day").tail(1)
    acted = {
        name: verdicts.filter(pl.col("verdict").cast(pl.String).is_in(of))["day"].max()
        for name, of in (("retrained", ["retrain", "alert"]), ("alerted", ["alert"]))
    }
    retrained, alerted = acted["retrained"], acted["alerted"]
    return _Past(
        breaches=int(latest["breaches"][0]) if latest.height else 0,
        retrained=retrained if isinstance(retrained, date) else None,
        alerted=alerted if isinstance(alerted, date) else None,
    )


def _largest(scores: pl.DataFrame, role: str) -> dict[str, Any] | None:
    of_role = scores.filter(pl.col("role").cast(pl.String) == role).sort(
        "score", "measure", descending=[True, False], nulls_last=True
    )
    return of_role.row(0, named=True) if of_role.height else None


def _pair(scores: pl.DataFrame, measure: str) -> dict[str, float | None]:
    found = scores.filter(pl.col("measure") == measure)
    window, reference = (found["value"][0], found["reference_value"][0]) if found.height else (None, None)
    return {measure: window, f"reference_{measure}": reference}
