"""Advice in the reader's language. Belongs here: saying a decided row again with another catalogue; nothing is decided.

Recommendations are kept in one language. Their sentences are made of numbers that stand beside them, in the row itself
and in the signals of the same day, so that they can be said in every language of the recommendations' catalogue.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, Final

import polars as pl

from aivo_assets.adaptive.advice.wording import READERS, Wording, load_wording
from aivo_assets.adaptive.schema import RECOMMENDATIONS, SIGNALS
from aivo_assets.settings import PolicySettings

TEXTS: Final = ("headline", "expectation", "counterfactual", "suggested_actions", *READERS.values())
Row = dict[str, Any]


def in_language(
    rows: Sequence[Row],
    language: str,
    settings: PolicySettings,
    pins: Mapping[tuple[str, str, str], date] | None = None,
) -> list[Row]:
    """The rows with their sentences in a language.

    A row whose numbers are not all known keeps the language that it was written in; `said_in` tells which.

    Args:
        rows: Of `RECOMMENDATIONS`, with the columns of `SIGNALS` beside them.
        language: Which.
        settings: Of the policy: the language that rows are kept in, and thresholds that sentences name.
        pins: Last day of a pin by learner, subject and skill.
    """
    kept = settings.language
    if language == kept or not rows:
        return [{**row, "said_in": kept} for row in rows]
    wording = _wording(language, settings.model_dump_json())
    alike: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(rows):
        if row.get("recent_attempts") is not None and row["rule"] in wording.texts["rules"]:
            alike.setdefault((row["rule"], row["kind"]), []).append(place)
    said = [{**row, "said_in": kept} for row in rows]
    for (rule, kind), places in alike.items():
        whole = [{**rows[place], **_derived(rows[place], pins or {})} for place in places]
        for place, texts in zip(places, _said(whole, rule, kind, wording), strict=True):
            if all(texts[name] is not None for name in TEXTS):
                said[place] = {**rows[place], **texts, "said_in": language}
    return said


@cache
def _wording(language: str, settings: str) -> Wording:
    return load_wording(PolicySettings.model_validate_json(settings), language)


_DERIVED: Final[Mapping[str, Any]] = {
    "p_new": pl.Float64, "pinned_until": pl.Date, "content_wanted": pl.Int8,
    "cf_right": pl.Int64, "cf_right_kind": pl.String, "cf_wrong": pl.Int64, "cf_wrong_kind": pl.String,
    "cf_rest": pl.Boolean, "cf_rest_kind": pl.String,
}  # fmt: skip
_SCHEMA: Final = {**SIGNALS.schema, **RECOMMENDATIONS.schema, **_DERIVED}


def _said(rows: Sequence[Row], rule: str, kind: str, wording: Wording) -> list[Row]:
    """The sentences of rows of one rule and kind."""
    frame = pl.DataFrame([{name: row.get(name) for name in _SCHEMA} for row in rows], schema=_SCHEMA)
    said = frame.select(**wording.rule(rule, kind)).to_dicts()
    return [{**row, "suggested_actions": [action for action in row["suggested_actions"] if action]} for row in said]


def _derived(row: Row, pins: Mapping[tuple[str, str, str], date]) -> Row:
    """What sentences name and the row tells only by way of something else."""
    chances = row.get("level_probabilities") or []
    level = row["recommended_level"]
    key = (row["learner"], row["subject"], row["skill_id"])
    return {
        "p_new": chances[level - 1] if 0 < level <= len(chances) else None,
        "pinned_until": pins.get(key),
        "content_wanted": row["recommended_level"],
        **_nearest(row),
    }


def _nearest(row: Row) -> Row:
    """The answers in a row that would change the advice, from the signals as they would then be."""
    kind = row["counterfactual_kind"]
    if kind is None:
        return {}
    changes = {change["signal"]: change for change in row["counterfactual_changes"] or ()}
    if "attempts" not in changes:
        return {"cf_rest": True, "cf_rest_kind": kind}
    number = round(changes["attempts"]["instead"] - changes["attempts"]["value"])
    side = "wrong" if "failures_at_level" in changes else "right"
    return {f"cf_{side}": number, f"cf_{side}_kind": kind}
