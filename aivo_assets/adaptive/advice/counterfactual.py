"""Counterfactuals: the smallest change that leads to another kind. Belongs here: trying changed signals; no words.

A counterfactual is true because the policy said it: the signals are changed as so many answers (or a rest) would change
them, and the policy decides again. So a rule that is changed or added needs nothing here. Time alone changes nothing,
for a decision stands until practice speaks.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import polars as pl

from aivo_assets.adaptive.policy.rules import Policy
from aivo_assets.adaptive.schema import CHANGE
from aivo_assets.adaptive.signals.standing import expit, logit
from aivo_assets.kinds import CHANGE_APPROACH, ENRICHMENT, LEVEL_DOWN, LEVEL_UP, MAINTAIN, REMEDIATION
from aivo_assets.settings import PolicySettings

WAYS: Final = ("rest", "right", "wrong")
# From what is asked of who struggles to what is asked of who finds it easy. Answers are only told where they lead along
# it, right ones up and wrong ones down: "one right answer and the approach changes" would be true and no use.
ORDER: Final = (REMEDIATION, LEVEL_DOWN, MAINTAIN, ENRICHMENT, LEVEL_UP)
_BETWEEN: Final = {CHANGE_APPROACH: 1.5}  # what is stuck lies between what is too hard and what goes on
ROWS_AT_ONCE: Final = 20_000
RIGHT: Final = (1, 2, 3, 4, 5, 6, 8, 10)  # right answers in a row that are tried; nobody would believe a longer row
WRONG: Final = (1, 2, 3, 4, 5)  # wrong ones: after so many somebody has looked in
# Of a one-parameter step, the share that the main brain's answer follows at least in three cases of four. It was
# measured on 495 cases of assistments2012 in which learners were given such answers; `aivo benchmark validity`
# puts it to the proof again.
FOLLOWS: Final = {1: 0.3, 0: 0.2}
_ROW: Final = "_row"
_SIGNALS: Final = (  # signals that answers or a rest change
    "attempts",
    "answers_since",
    "answers_new",
    "recent_attempts",
    "recent_successes",
    "recent_accuracy",
    "attempts_since_move",
    "attempts_at_level",
    "successes_at_level",
    "failures_at_level",
    "hint_rate",
    "p_level",
    "p_level_lower",
    "p_level_upper",
    "p_above",
    "p_below",
    "gain_easier",
    "session_current",
)


def add_counterfactual(decided: pl.DataFrame, policy: Policy, settings: PolicySettings) -> pl.DataFrame:
    """Add the nearest changes that would make each decision another kind.

    Args:
        decided: What `Policy.decide` returns for the day's signals.
        policy: The policy that decided.
        settings: Recent events.

    Returns:
        The same rows with, for each way ("right" and "wrong" answers in a row, "rest"),
        cf_<way> (Int32, how many; null where none of those tried makes another kind), cf_<way>_kind and
        cf_<way>_changes (List of `CHANGE`: these, put into the signals, make the policy say that kind).
    """
    rows = decided.with_row_index(_ROW)
    read = {_ROW, *_SIGNALS, "success_sd", *policy.kinds().meta.root_names()}
    asked = rows.select(name for name in rows.columns if name in read)  # each row is asked some twenty times
    changes = [
        _nearest(part, rows[start : start + ROWS_AT_ONCE], policy, settings)
        for start in range(0, max(rows.height, 1), ROWS_AT_ONCE)
        for part in [asked[start : start + ROWS_AT_ONCE]]
    ]
    for way in WAYS:
        columns = {"number": f"cf_{way}", "other": f"cf_{way}_kind", "changes": f"cf_{way}_changes"}
        of_way = pl.concat(changes).filter(pl.col("way") == way).drop("way").rename(columns)
        rows = rows.join(of_way, on=_ROW, how="left", maintain_order="left")
    return rows.drop(_ROW)


def with_nearest(rows: pl.DataFrame) -> pl.DataFrame:
    """Add counterfactual_kind and counterfactual_changes (List of `CHANGE`), those of the nearest way.

    A rest comes first, then the shorter row of answers.
    """
    right, wrong = pl.col("cf_right"), pl.col("cf_wrong")
    sooner = right.is_not_null() & (wrong.is_null() | (right <= wrong)).fill_null(value=True)

    def of(part: str) -> pl.Expr:
        answers = pl.when(sooner).then(f"cf_right_{part}").otherwise(f"cf_wrong_{part}")
        return pl.coalesce(f"cf_rest_{part}", answers)

    return rows.with_columns(counterfactual_kind=of("kind"), counterfactual_changes=of("changes").fill_null([]))


def _nearest(asked: pl.DataFrame, rows: pl.DataFrame, policy: Policy, settings: PolicySettings) -> pl.DataFrame:
    """The least number of each way at which the kind is another: _row, way, number, other (kind), changes."""
    numbers = {"rest": (1,), "right": RIGHT, "wrong": WRONG}
    parts = []
    for way in WAYS:
        for number in numbers[way]:
            # What asks for something stands for some answers, so fewer than those would not be looked at.
            speaks = ~pl.col("passes") & (pl.col("stands") | ~policy.asking() | pl.lit(number >= policy.stands_for))
            concerned = asked.filter(rows.select(pl.col("passes") if way == "rest" else speaks).to_series())
            changed = _CHANGES[way](concerned, number, settings)
            parts.append(changed.with_columns(_way=pl.lit(way), _number=pl.lit(number, dtype=pl.Int32)))
    verdicts = (
        pl.concat(parts)
        .with_columns(kind=policy.kinds())
        .join(rows.select(_ROW, _kind="kind", **{f"{name}_now": name for name in _SIGNALS}), on=_ROW, how="left")
    )
    nearest = (
        verdicts.filter((pl.col("kind") != pl.col("_kind")) & _sensible())
        .sort(_ROW, "_way", "_number")
        .unique([_ROW, "_way"], keep="first", maintain_order=True)
    )
    return (
        nearest.join(_differences(nearest), on=[_ROW, "_way"], how="left", maintain_order="left")
        .with_columns(pl.col("changes").fill_null([]))
        .select(_ROW, "changes", way="_way", number="_number", other="kind")
    )


def _sensible() -> pl.Expr:
    """Whether answers lead to a kind of the order, in their direction."""
    order = {name: float(number) for number, name in enumerate(ORDER)}
    now = pl.col("_kind").replace_strict({**order, **_BETWEEN}, default=None, return_dtype=pl.Float64)
    then = pl.col("kind").replace_strict(order, default=None, return_dtype=pl.Float64)
    along = pl.when(pl.col("_way") == "right").then(then > now).otherwise(then < now)
    return ~pl.col("_way").is_in(["right", "wrong"]) | along.fill_null(value=False)


def _differences(nearest: pl.DataFrame) -> pl.DataFrame:
    """_row, _way and `changes`, a list of `CHANGE`: the signals that differ from those of now, where any does."""
    each = [
        nearest.lazy()
        .select(
            _ROW,
            "_way",
            signal=pl.lit(name),
            value=pl.col(f"{name}_now").cast(pl.Float64),
            instead=pl.col(name).cast(pl.Float64),
        )
        .filter(pl.col("value").ne_missing(pl.col("instead")))
        for name in _SIGNALS
    ]
    changes = pl.struct("signal", "value", "instead").cast(CHANGE)
    return pl.concat(each).group_by(_ROW, "_way", maintain_order=True).agg(changes=changes).collect()


def _rested(asked: pl.DataFrame, _: int, __: PolicySettings) -> pl.DataFrame:
    """The session that calls for a break is over: no gate of a break holds any more."""
    return asked.with_columns(session_current=pl.lit(value=False))


def _answers(asked: pl.DataFrame, number: int, settings: PolicySettings, *, outcome: int) -> pl.DataFrame:
    """So many answers in a row at the current level, all right (1) or all wrong (0), without hints.

    Which of the recent answers they push out of the window is not known, so the ones that make the change harder are
    taken: it holds whichever they are. Success moves by a share of the one-parameter model's step (Laplace step of its
    Bayesian update, variance x (outcome − p) in logits), the same at each level.
    """
    attempts, old = pl.col("recent_attempts"), pl.col("recent_successes")
    gone = (attempts + number - settings.recent_events).clip(lower_bound=0)
    staying = attempts - gone  # of the recent answers, those that stay in the window
    successes = (old - gone).clip(lower_bound=0) + number if outcome else pl.min_horizontal(old, staying)
    total = staying + number
    counted = asked.with_columns(
        recent_attempts=total,
        recent_successes=successes,
        recent_accuracy=successes / total,
        hint_rate=pl.when(pl.col("hint_rate").is_not_null()).then(
            pl.min_horizontal(pl.col("hint_rate") * attempts, staying.cast(pl.Float64)) / total
        ),
        attempts=pl.col("attempts") + number,
        answers_since=pl.col("answers_since") + number,
        answers_new=pl.col("answers_new") + number,
        attempts_since_move=pl.col("attempts_since_move") + number,
        attempts_at_level=pl.col("attempts_at_level") + number,
        successes_at_level=pl.col("successes_at_level") + outcome * number,
        failures_at_level=pl.col("failures_at_level") + (1 - outcome) * number,
    )
    return _moved(counted, number, outcome).select(pl.col(name).cast(dtype) for name, dtype in asked.schema.items())


def _moved(asked: pl.DataFrame, number: int, outcome: int) -> pl.DataFrame:
    """Probabilities after so many like answers; their uncertainty stays, for the filter's hardly shrinks by so few."""
    variance = pl.col("success_sd").clip(lower_bound=0.05) ** 2
    rows = asked.with_columns(_at=logit(pl.col("p_level")))
    for _ in range(number):
        rows = rows.with_columns(_at=pl.col("_at") + FOLLOWS[outcome] * variance * (outcome - expit(pl.col("_at"))))
    shift = pl.col("_at") - logit(pl.col("p_level"))
    moved = {
        name: expit(logit(pl.col(name)) + shift) for name in ("p_above", "p_below", "p_level_lower", "p_level_upper")
    }
    easier = expit(logit(pl.col("p_level") + pl.col("gain_easier")) + shift) - expit(pl.col("_at"))
    return rows.with_columns(p_level=expit(pl.col("_at")), gain_easier=easier, **moved).drop("_at")


_CHANGES: Final[dict[str, Callable[[pl.DataFrame, int, PolicySettings], pl.DataFrame]]] = {
    "rest": _rested,
    "right": partial(_answers, outcome=1),
    "wrong": partial(_answers, outcome=0),
}
