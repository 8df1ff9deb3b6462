"""What a sentence of the catalogue may name. Belongs here: fields, a learner's numbers; notes, said where they hold.

How each is said is here, column by column; the sentences are in the catalogue.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

import polars as pl

from aivo_assets.settings import PolicySettings

if TYPE_CHECKING:
    from aivo_assets.adaptive.advice.wording import Wording

Field = Callable[["Wording"], pl.Expr]

UNITS: Final = (
    "answer",
    "right_answer",
    "wrong_answer",
    "right_row",
    "wrong_row",
    "day",
    "minute",
    "second",
    "exercise",
    "level",
    "point",
)


def _text(column: str) -> Field:
    return lambda _: pl.col(column).cast(pl.String)


def _skill(column: str) -> Field:
    """A skill's name as one says it: without its subject before it, and a slug (`long-division`) with spaces."""
    name = pl.col(column).cast(pl.String)
    prefix = pl.concat_str(pl.col("subject"), pl.lit("."))
    bare = pl.when(name.str.starts_with(prefix)).then(name.str.slice(prefix.str.len_chars())).otherwise(name)
    slug = bare.str.contains(r"^[\p{Ll}\p{N}]+([-_][\p{Ll}\p{N}]+)+$")
    return lambda _: pl.when(slug).then(bare.str.replace_all("[-_]", " ")).otherwise(bare)


def _percent(value: pl.Expr) -> Field:
    def said(wording: "Wording") -> pl.Expr:
        before, after = wording.spoken.percent
        return pl.concat_str(pl.lit(before), (value * 100).round(0).cast(pl.Int64).cast(pl.String), pl.lit(after))

    return said


def _chance(column: str) -> Field:
    """A model's answer, clipped to 1 … 99 %: nobody is certain."""
    return _percent(pl.col(column).clip(0.01, 0.99))


def _count(value: pl.Expr, unit: str) -> Field:
    """A counted noun in its plural form: "1 day", "3 days"."""

    def counted(wording: "Wording") -> pl.Expr:
        *special, usual = wording.spoken.plurals
        forms = wording.texts["units"][unit]
        noun = pl.lit(str(forms[usual]))
        for category in special:
            of_category = value.is_in(wording.spoken.numbers(category))
            noun = pl.when(of_category).then(pl.lit(str(forms[category]))).otherwise(noun)
        return pl.concat_str(value.cast(pl.String), pl.lit(" "), noun)

    return counted


def _duration(column: str) -> Field:
    """Seconds below two minutes, minutes above."""
    short = _count(_whole(pl.col(column)), "second")
    long = _count(_whole(pl.col(column) / 60), "minute")
    return lambda wording: pl.when(pl.col(column) < 120).then(short(wording)).otherwise(long(wording))


def _points(column: str) -> Field:
    return _count(_whole(pl.col(column).abs() * 100), "point")


def _score(wording: "Wording") -> pl.Expr:
    many, one = (wording.render(template) for template in wording.texts["formats"]["score"])
    return pl.when(pl.col("recent_attempts") > 1).then(many).otherwise(one)


def _whole(value: pl.Expr) -> pl.Expr:
    return value.round(0).cast(pl.Int64)


def _label(column: str) -> Field:
    """What the kind of a column is called."""

    def labelled(wording: "Wording") -> pl.Expr:
        labels = {kind: str(entry["label"]) for kind, entry in wording.texts["kinds"].items()}
        return pl.col(column).replace_strict(labels, default=None, return_dtype=pl.String)

    return labelled


def _date(column: str) -> Field:
    def said(wording: "Wording") -> pl.Expr:
        def each(days: pl.Series) -> pl.Series:
            known: list[date] = days.drop_nulls().unique().to_list()
            words = [wording.spoken.date(day) for day in known]
            return days.replace_strict(known, words, default=None, return_dtype=pl.String)

        return pl.col(column).map_batches(each, return_dtype=pl.String)

    return said


FIELDS: Final[Mapping[str, Field]] = {
    "skill": _skill("skill_id"),
    "subject": _text("subject"),
    "level": _text("current_level"),
    "new_level": _text("recommended_level"),
    "steps": _count((pl.col("recommended_level") - pl.col("current_level")).abs(), "level"),
    "content_level": _text("content_level"),
    "score": _score,
    "right": _text("recent_successes"),
    "recent": _count(pl.col("recent_attempts"), "answer"),
    "recent_accuracy": _percent(pl.col("recent_accuracy")),
    "overall_accuracy": _percent(pl.col("overall_accuracy")),
    "attempts_at_level": _count(pl.col("attempts_at_level"), "answer"),
    "gain_easier": _points("gain_easier"),
    "failures": _count(pl.col("failures_at_level"), "wrong_answer"),
    "successes": _count(pl.col("successes_at_level"), "right_answer"),
    "days_at_level": _count(pl.col("days_at_level"), "day"),
    "practice_days": _count(pl.col("practice_days_at_level"), "day"),
    "p_level": _chance("p_level"),
    "p_lower": _chance("p_level_lower"),
    "p_upper": _chance("p_level_upper"),
    "p_above": _chance("p_above"),
    "p_below": _chance("p_below"),
    "p_new": _chance("p_new"),
    "mastery": _chance("mastery"),
    "session_minutes": _count(_whole(pl.col("session_minutes")), "minute"),
    "working_minutes": _count(_whole(pl.col("working_minutes")), "minute"),
    "session_answers": _count(pl.col("session_events"), "answer"),
    "first_half": _percent(pl.col("session_first_half")),
    "second_half": _percent(pl.col("session_second_half")),
    "focus": _percent(pl.col("focus")),
    "hint_rate": _percent(pl.col("hint_rate")),
    "time_per_task": _duration("time_per_task_s"),
    "streak": _count(pl.col("streak_days"), "day"),
    "trend": _points("ability_trend"),
    "cf_right": _count(pl.col("cf_right"), "right_row"),
    "cf_right_kind": _label("cf_right_kind"),
    "cf_wrong": _count(pl.col("cf_wrong"), "wrong_row"),
    "cf_wrong_kind": _label("cf_wrong_kind"),
    "cf_rest_kind": _label("cf_rest_kind"),
    "policy_kind": _label("policy_kind"),
    "policy_level": _text("policy_level"),
    "pinned_until": _date("pinned_until"),
    "prerequisite": _skill("content_skill"),
    "prerequisite_mastery": _chance("prerequisite_mastery"),
    "since_move": _count(pl.col("days_since_move"), "day"),
    "expected": _text("expected_successes"),
    "next": _count(pl.col("expected_attempts"), "exercise"),
    "items": _count(pl.col("content").list.len(), "exercise"),
    "listed": lambda _: pl.col("content").list.join(", "),
    "zone_low": lambda w: _percent(pl.lit(w.settings.success_zone[0]))(w),
    "zone_high": lambda w: _percent(pl.lit(w.settings.success_zone[1]))(w),
    "too_hard": lambda w: _percent(pl.lit(w.settings.too_hard))(w),
    "low_focus": lambda w: _percent(pl.lit(w.settings.low_focus))(w),
    "long_session": lambda w: _count(pl.lit(round(w.settings.long_session_minutes)), "minute")(w),
    "hint_limit": lambda w: _percent(pl.lit(w.settings.hint_share))(w),
}


def _elsewhere() -> pl.Expr:
    """Whether the content practises another skill than the one that the recommendation is about."""
    return pl.col("content_skill") != pl.col("skill_id")


def _between(low: float, high: float) -> pl.Expr:
    return pl.col("p_level").is_between(low, high, closed="left")


# Sentences that are there only where they hold. Whatever a rule's sentence says of a threshold is one: a recommendation
# stands for some days, while what the model says of it drifts.
NOTES: Final[Mapping[str, Callable[[PolicySettings], pl.Expr]]] = {
    "up": lambda _: pl.col("recommended_level") > pl.col("current_level"),
    "down": lambda _: pl.col("recommended_level") < pl.col("current_level"),
    "basics_down": lambda _: pl.col("recommended_level") < pl.col("current_level"),
    "basics_stay": lambda _: pl.col("recommended_level") >= pl.col("current_level"),
    "easier_learner": lambda _: pl.col("recommended_level") < pl.col("current_level"),
    "easier_parent": lambda _: pl.col("recommended_level") < pl.col("current_level"),
    "level_stays": lambda _: pl.col("recommended_level") == pl.col("current_level"),
    "rising": lambda s: pl.col("ability_trend") >= s.growth,
    "falling": lambda s: pl.col("ability_trend") <= -s.growth,
    "streak": lambda _: pl.col("streak_days") >= 3,
    "hints": lambda s: pl.col("hint_rate") > s.hint_share,
    "time": lambda _: pl.col("time_source") == "response",
    "model": lambda _: pl.col("p_level").is_not_null(),
    "model_new": lambda _: pl.col("p_level").is_not_null() & (pl.col("recommended_level") != pl.col("current_level")),
    "few_at_level": lambda s: pl.col("attempts_at_level") < s.minimum_attempts,
    "below_too": lambda s: pl.col("p_below") < s.too_hard,
    "surely_hard": lambda s: pl.col("p_level_upper") < s.too_hard,
    "surely_easy": lambda s: pl.col("p_level_lower") >= s.success_zone[1],
    "in_zone": lambda s: _between(*s.success_zone),
    "below_zone": lambda s: _between(s.too_hard, s.success_zone[0]),
    "looks_hard": lambda s: pl.col("p_level") < s.too_hard,
    "looks_right": lambda s: _between(s.too_hard, s.success_zone[1]),
    "looks_easy": lambda s: pl.col("p_level") >= s.success_zone[1],
    "looks_unknown": lambda _: pl.col("p_level").is_null(),
    "halves": lambda _: pl.col("session_second_half") < pl.col("session_first_half"),
    "items": lambda _: pl.col("content").list.len() > 0,
    "no_items": lambda _: pl.col("content").list.len() == 0,
    "other_level": lambda _: (pl.col("content_level") != pl.col("content_wanted")) & ~_elsewhere(),
    "prerequisite": lambda _: _elsewhere() & pl.col("prerequisite_mastery").is_not_null(),
    "prerequisite_unseen": lambda _: _elsewhere() & pl.col("prerequisite_mastery").is_null(),
    "prerequisite_items": lambda _: _elsewhere() & (pl.col("content").list.len() > 0),
    "richer": lambda _: pl.col("content_level") > pl.col("recommended_level"),
    "cf_rest": lambda _: pl.col("cf_rest").is_not_null(),
    "cf_right": lambda _: pl.col("cf_right").is_not_null(),
    "cf_wrong": lambda _: pl.col("cf_wrong").is_not_null() & pl.col("cf_right").is_not_null(),
    "cf_wrong_alone": lambda _: pl.col("cf_wrong").is_not_null() & pl.col("cf_right").is_null(),
    "cf_pinned": lambda _: pl.col("override") == "pin",
    "cf_rejected": lambda _: pl.col("override") == "reject",
    "cf_none": lambda _: pl.col("counterfactual_kind").is_null() & pl.col("override").fill_null("accept").eq("accept"),
}
