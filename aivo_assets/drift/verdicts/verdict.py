"""From scores to a verdict. Belongs here: thresholds, repetition, cool-down and the sentence that says why.

`judge` is pure: the verdict of a day follows from that day's scores and the verdicts of the days before, so judging
a day again gives the same verdict. A model retrains when its score is above `retrain_score` for `breaches` checks in
a row, or once above `alert_score`; a first breach, or data drift alone, is a watch. After a retrain verdict the model
is left to its cool-down; only a first extreme breach in that time is let through.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from aivo_assets.drift.schema import ASKS_FOR_TRAINING, DRIFT_VERDICTS
from aivo_assets.drift.scores.cohorts import SEPARATOR, unit_of
from aivo_assets.drift.scores.scores import MAIN_BRAIN
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


_Row = dict[str, Any]
_REMEMBERED = ["day", "model_id", "model_version", "verdict", "breaches"]


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

    Example:
        A breach is watched first; a second one in a row asks for a training.

        >>> from datetime import date, timedelta
        >>> import polars as pl
        >>> from aivo_assets import judge
        >>> from aivo_assets.drift.schema import DRIFT_SCORES, DRIFT_VERDICTS
        >>> from aivo_assets.settings import DriftSettings
        >>> def check(day: date, score: float) -> dict[str, object]:
        ...     size = {"events": 4000, "learners": 200, "reference_events": 9000, "reference_learners": 300}
        ...     window = {"window_first": day - timedelta(days=6), "window_last": day}
        ...     measured = {"measure": "refit_loss", "role": "decides", "effect": 0.02, "standard_error": 0.004}
        ...     return {"day": day, "model_id": "main_brain", "score": score, **size, **window, **measured}
        >>> scores = pl.DataFrame(
        ...     [check(date(2026, 3, 9), 0.02), check(date(2026, 3, 10), 0.2), check(date(2026, 3, 11), 0.2)],
        ...     schema=DRIFT_SCORES.schema,
        ... )
        >>> judge(scores, DRIFT_VERDICTS.empty(), DriftSettings())["verdict"].to_list()
        ['ok', 'watch', 'retrain']
    """
    remembered = timedelta(days=max(settings.window_days, settings.cooldown_days))
    # Long histories are the rule; no more of them is read than can matter.
    first = scores.select((pl.col("day").min() - remembered).fill_null(date.min)).item()
    history = previous_verdicts.filter(pl.col("day") >= first).select(_REMEMBERED).to_dicts()
    judged: list[dict[str, Any]] = []
    by_day: dict[date, dict[str, list[dict[str, Any]]]] = {}
    for row in scores.to_dicts():
        by_day.setdefault(row["day"], {}).setdefault(row["model_id"], []).append(row)
    for day in sorted(by_day):
        before = [row for row in history if row["day"] < day]
        rows = _one_training([_judge_model(by_day[day][name], before, settings) for name in sorted(by_day[day])])
        judged += rows
        history = before + rows
    return pl.DataFrame(judged, schema=dict(DRIFT_VERDICTS.schema), orient="row")


def readable(measure: str) -> str:
    """A measure's name for people."""
    return READABLE.get(measure, measure.removeprefix("feature_distance:").replace("_", " "))


def _judge_model(scores: list[_Row], before: list[_Row], settings: DriftSettings) -> _Row:
    ordered = sorted(scores, key=lambda row: (row["window_first"], row["measure"]))
    enough = [
        row
        for row in ordered
        if row["events"] >= settings.minimum_events and row["learners"] >= settings.minimum_learners
    ]
    first = ordered[0]
    too_small = _too_small(first, bool(enough), settings)
    worst = None if too_small else _largest(enough, "decides")
    moved = _largest(ordered, "explains")
    decision = too_small or _decide(worst, moved, _past(before, first, settings), first["day"], settings)
    whole = {row["measure"]: row for row in ordered if row["window_first"] == first["window_first"]}
    return {
        **{name: (worst or first)[name] for name in first.keys() & DRIFT_VERDICTS.schema.keys()},
        "verdict": decision.verdict,
        "score": worst["score"] if worst else None,
        "measure": worst["measure"] if worst else None,
        "reason": decision.reason,
        "breaches": decision.breaches,
        "explained_by": moved["measure"] if moved else None,
        "explained_distance": moved["score"] if moved else None,
        **_pair(whole, "log_loss"),
        **_pair(whole, "auc"),
        "retrain_score": settings.retrain_score,
        "alert_score": settings.alert_score,
    }


def _one_training(rows: list[_Row]) -> list[_Row]:
    """Let one row ask for a training where several would ask for the same one.

    A cohort is retrained with its model, and training the main brain rebuilds all student models. The row that asks
    is of the main brain where there is one, and takes the gravest verdict of all; the others watch.
    """
    asking = [row for row in rows if row["verdict"] in ASKS_FOR_TRAINING]
    if len(asking) < 2:
        return rows
    grave = any(row["verdict"] == "alert" for row in asking)
    leader = min(asking, key=lambda row: (unit_of(row["model_id"]) != MAIN_BRAIN, SEPARATOR in row["model_id"],
                                          row["verdict"] != "alert", -row["score"], row["model_id"]))  # fmt: skip
    others = ", ".join(row["model_id"] for row in asking if row is not leader)
    for row in asking:
        if row is leader:
            row["reason"] += f" Also lost: {others}."
            row["verdict"] = "alert" if grave else "retrain"
        else:
            row["reason"] += f" The training of {leader['model_id']} covers it."
            row["verdict"] = "watch"
    return rows


def _too_small(row: _Row, enough: bool, settings: DriftSettings) -> _Decision | None:
    if not row["reference_events"]:
        reason = "No verdict: there is no reference yet; one is kept when a champion is promoted."
        return _Decision("no_reference", reason, 0)
    if enough:
        return None
    reason = (
        f"No verdict: {row['events']:,} events of {row['learners']:,} learners from {row['window_first']} to "
        f"{row['window_last']}; at least {settings.minimum_events:,} of {settings.minimum_learners:,} are needed."
    )
    return _Decision("too_few_events", reason, 0)


def _decide(worst: _Row | None, moved: _Row | None, past: _Past, day: date, settings: DriftSettings) -> _Decision:
    assert worst is not None, "a model with enough events has a deciding measure"
    score, what = worst["score"], _what_moved(worst, settings)
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


def _what_moved(worst: _Row, settings: DriftSettings) -> str:
    if worst["score"] <= 0.0:
        return "Score 0.00: no significant loss since the promotion."
    days = (worst["window_last"] - worst["window_first"]).days + 1
    quick = "" if days == settings.window_days else " on the last day" if days == 1 else f" in the last {days} days"
    return (
        f"Score {worst['score']:.2f}: {readable(worst['measure'])} rose by {worst['effect']:.4f}"
        f"{_UNIT.get(worst['measure'], '')} ± {worst['standard_error']:.4f} over the reference{quick}."
    )


def _times(breaches: int) -> str:
    return "the first check" if breaches == 1 else f"{breaches} checks in a row"


def _cooling(acted: date | None, day: date, settings: DriftSettings) -> bool:
    return acted is not None and day - acted <= timedelta(days=settings.cooldown_days)


def _past(verdicts: list[_Row], row: _Row, settings: DriftSettings) -> _Past:
    # A check that could not judge says neither yes nor no, so it does not break a row; one older than a window does,
    # and so does another model's.
    recent = [
        past
        for past in verdicts
        if (past["model_id"], past["model_version"]) == (row["model_id"], row["model_version"])
        and past["day"] >= row["day"] - timedelta(days=settings.window_days)
        and past["verdict"] in ("ok", "watch", "retrain", "alert")
    ]
    # Training the main brain rebuilds every student model, and a cohort is trained with its model.
    units = {MAIN_BRAIN, unit_of(row["model_id"])}
    trained = [past for past in verdicts if unit_of(past["model_id"]) in units]
    return _Past(
        breaches=max(recent, key=lambda past: past["day"])["breaches"] if recent else 0,
        retrained=max((past["day"] for past in trained if past["verdict"] in ASKS_FOR_TRAINING), default=None),
        alerted=max((past["day"] for past in trained if past["verdict"] == "alert"), default=None),
    )


def _largest(scores: list[_Row], role: str) -> _Row | None:
    of_role = [row for row in scores if row["role"] == role and row["score"] is not None]
    return min(of_role, key=lambda row: (-row["score"], row["measure"], row["window_first"]), default=None)


def _pair(whole: dict[str, _Row], measure: str) -> dict[str, float | None]:
    scored = whole.get(measure, {"value": None, "reference_value": None})
    return {measure: scored["value"], f"reference_{measure}": scored["reference_value"]}
