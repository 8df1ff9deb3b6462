"""What became of teachers' words. Belongs here: each override beside the newest recommendations; nothing is decided.

A word that changes nothing is worse than none, for its teacher counts on it. So each is shown with what came of it:
obeyed, on record, waiting for the next check, replaced, over, taken back, or come to nothing, and why.
"""

import re
from datetime import date, timedelta
from typing import Any, Final, Literal

import polars as pl

from aivo_assets.adaptive.schema import RECOMMENDATIONS, SKILL_KEYS
from aivo_assets.events.landing.overrides import raw_overrides
from aivo_assets.lake import Lake
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.overrides import OVERRIDES
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.settings import PolicySettings

State = Literal["obeyed", "on record", "waiting", "came to nothing", "replaced", "over", "taken back"]
IN_FORCE: Final[frozenset[State]] = frozenset({"obeyed", "on record", "waiting", "came to nothing"})
_MADE_OF: Final = re.compile(r"overrides ([0-9a-f]+)")


def words_given(lake: Lake, key: PseudonymKey, *, today: date, settings: PolicySettings) -> list[dict[str, Any]]:
    """Every word of a teacher, the newest first, with what came of it.

    Args:
        lake: Where overrides and recommendations are.
        key: The secret of the pseudonyms.
        today: The present day, UTC.
        settings: How long a rejection holds.

    Returns:
        For each: what `raw_overrides` holds of it, learner (the pseudonym), state (see `State`), and outcome: a
        sentence on what came of it.
    """
    held = raw_overrides(lake)
    held = held.with_columns(learner=pseudonyms(held["learner_id"], "learner", key)).reverse()
    if held.is_empty():
        return []
    newest = lake.newest_days(RECOMMENDATIONS, 1)
    made = lake.scan(RECOMMENDATIONS, days=newest)
    named = held["learner"].unique().implode()
    columns = [*SKILL_KEYS, "kind", "policy_kind", "recommended_level", "override"]
    rows = made.filter(pl.col("learner").is_in(named)).select(columns).collect()
    by_key = {tuple(row[name] for name in SKILL_KEYS): row for row in rows.iter_rows(named=True)}
    seen = _seen(lake, made)
    last_pin = _last_pins(held, today)
    given_rows = []
    for row in held.iter_rows(named=True):  # words of teachers: as many as people write
        place = tuple(row[name] for name in SKILL_KEYS)
        state, outcome = _over(row, today, settings, last_pin.get(place))
        if state is None:
            known = bool(newest) and row["given_at"].date() <= newest[0] and _identity(row) in seen
            state, outcome = _of_recommendation(row, by_key.get(place), newest[0] if newest else None, known=known)
        given_rows.append({**row, "state": state, "outcome": outcome})
    return given_rows


def _over(row: dict[str, Any], today: date, settings: PolicySettings, last_pin: str | None) -> tuple[State | None, str]:
    """State of a word that does not hold any more; None of one that does."""
    given = row["given_at"].date()
    if row["removed_at"] is not None:
        return "taken back", f"Taken back on {row['removed_at']:%Y-%m-%d}."
    if row["action"] == "pin":
        if row["until"] < today:
            return "over", f"It held until {row['until']}."
        return ("replaced", "A later pin holds in its place.") if last_pin != row["override_id"] else (None, "")
    ends = given + timedelta(days=settings.reject_days)
    return ("over", f"It held until {ends - timedelta(days=1)}.") if ends <= today else (None, "")


def _of_recommendation(
    row: dict[str, Any], made: dict[str, Any] | None, day: date | None, *, known: bool
) -> tuple[State, str]:
    """State of a word that holds, by the newest recommendation for its learner and skill."""
    obeyed = made is not None and made["override"] == row["action"]
    if made is not None and obeyed and (known or made["recommended_level"] == row["level"]):
        return _obeyed(row, made, day)
    if not known:
        return "waiting", "The next check obeys it; one runs every two hours."
    if made is None:
        return (
            "came to nothing",
            f"There is no recommendation in this skill as of {day}: the learner has not practised it lately. "
            "It holds as soon as there is one.",
        )
    if row["action"] == "reject":
        return "on record", f"Nothing had to be changed: as of {day} the policy says {_spoken(made['policy_kind'])}."
    return "on record", f"Another word of a teacher decides as of {day}."


def _obeyed(row: dict[str, Any], made: dict[str, Any], day: date | None) -> tuple[State, str]:
    if row["action"] == "accept":
        return "on record", f"It is on record with the recommendation of {day}."
    if row["action"] == "reject":
        return "obeyed", f"As of {day} something else than {_spoken(row['kind'])} is recommended."
    if made["recommended_level"] == row["level"]:
        return "obeyed", f"Level {row['level']} is recommended as of {day}."
    return "obeyed", f"As of {day} the recommendation is {_spoken(made['kind'])}; the level stays pinned."


def _spoken(kind: str) -> str:
    return kind.replace("_", " ")


def _last_pins(held: pl.DataFrame, today: date) -> dict[tuple[str, ...], str]:
    """Of each learner and skill the pin that holds; `held` has the newest first."""
    pins = held.filter(pl.col("action") == "pin", pl.col("removed_at").is_null(), pl.col("until") >= today)
    last = pins.unique(SKILL_KEYS, keep="first", maintain_order=True)
    return {tuple(row[name] for name in SKILL_KEYS): row["override_id"] for row in last.iter_rows(named=True)}


def _seen(lake: Lake, made: pl.LazyFrame) -> frozenset[tuple[Any, ...]]:
    """Identities of the words that the newest recommendations were made with; none where they knew others."""
    by = made.select("made_by").unique().collect()["made_by"].drop_nulls()
    versions = {match[1] for text in by if (match := _MADE_OF.search(text))}
    if not any(lake.version(OVERRIDES).startswith(version) for version in versions):
        return frozenset()
    return frozenset(map(_identity_of_kept, lake.scan(OVERRIDES).collect().iter_rows(named=True)))


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    return _identity_of_kept({**row, "given_on": row["given_at"].date()})


def _identity_of_kept(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in (*SKILL_KEYS, "action", "kind", "level", "until", "given_on"))
