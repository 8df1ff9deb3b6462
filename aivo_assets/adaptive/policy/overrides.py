"""Teachers' overrides. Belongs here: which are in force on a day, and applying them; no reading, no wording.

- A pin wins over the policy until its last day: the pinned level is recommended, breaks stay.
- A kind that was rejected is not repeated for some days: in its place the learner carries on as before.
- An acceptance changes nothing; it is recorded with the recommendation, and its outcome joins the evaluation.
"""

from datetime import date, timedelta
from typing import Final

import polars as pl

from aivo_assets.adaptive.policy.evidence import entry
from aivo_assets.adaptive.policy.rules import Kind
from aivo_assets.adaptive.schema import SKILL_KEYS
from aivo_assets.settings import PolicySettings

PIN_RULE: Final = "override_pin"
REJECT_RULE: Final = "override_reject"
_WAYS: Final = ("rest", "right", "wrong")


def in_force(overrides: pl.DataFrame | None, *, as_of: date, settings: PolicySettings) -> pl.DataFrame:
    """The overrides that hold on a day, one row a learner x skill.

    Args:
        overrides: `OVERRIDES`; None: there are none.
        as_of: The day; what was given or taken back later is not known yet.
        settings: How long a rejection holds.

    Returns:
        learner, subject, skill_id, pinned_level (Int8), pinned_until (Date), rejected (List[String]: kinds),
        rejected_days and accepted_days (Int32: since the last one); null where there is no such word.
    """
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        **dict.fromkeys(SKILL_KEYS, pl.String),
        "pinned_level": pl.Int8,
    }
    schema |= {"pinned_until": pl.Date, "rejected": pl.List(pl.String)}
    schema |= {"rejected_days": pl.Int32, "accepted_days": pl.Int32}
    if overrides is None or overrides.is_empty():
        return pl.DataFrame(schema=schema)
    since = (pl.lit(as_of) - pl.col("given_on")).dt.total_days().cast(pl.Int32)
    fresh = pl.col("given_on") > as_of - timedelta(days=settings.reject_days)
    pinned = (pl.col("action") == "pin") & (pl.col("until") >= as_of)
    rejected, accepted = ((pl.col("action") == action) & fresh for action in ("reject", "accept"))
    taken_back = (pl.col("removed_on") <= as_of).fill_null(value=False)
    return (
        overrides.filter((pl.col("given_on") <= as_of) & ~taken_back & (pinned | rejected | accepted))
        .sort("given_on", maintain_order=True)
        .group_by(SKILL_KEYS)
        .agg(
            pinned_level=pl.col("level").filter(pinned).last(),
            pinned_until=pl.col("until").filter(pinned).last(),
            rejected=pl.col("kind").filter(rejected).unique().sort(),
            rejected_days=since.filter(rejected).min(),
            accepted_days=since.filter(accepted).min(),
        )
        .with_columns(rejected=pl.when(pl.col("rejected").list.len() > 0).then("rejected"))
        .select(pl.col(name).cast(dtype) for name, dtype in schema.items())
        .sort(SKILL_KEYS)
    )


def obey(
    decided: pl.DataFrame, overrides: pl.DataFrame, *, moves: tuple[Kind, Kind, Kind], settings: PolicySettings
) -> pl.DataFrame:
    """Put the teacher's word in the place of the policy's.

    Args:
        decided: What `Policy.decide` and `add_counterfactual` return.
        overrides: What `in_force` returns.
        moves: The kinds that move a level up, leave it, and move it down.
        settings: The success zone, days of a rejection.

    Returns:
        The same rows in the same order with rule, kind, plan, recommended_level and priority as they now are; and
        override (`pin`, `reject`, `accept` or null: which word is in force and, for a rejection, has decided),
        policy_rule, policy_kind, policy_level, policy_priority and the columns of `in_force`. A counterfactual that a
        word would not let come true is taken away.
    """
    up, stay, down = moves
    rows = decided.join(overrides, on=SKILL_KEYS, how="left", maintain_order="left")
    pin, level = pl.col("pinned_level"), pl.col("recommended_level")
    moved = pin.is_not_null() & ~pl.col("passes") & (pin != level)
    refused = pin.is_null() & pl.col("rejected").list.contains(pl.col("kind")).fill_null(value=False)
    by_pin = (
        pl.when(pin > pl.col("current_level"))
        .then(pl.lit(up.name))
        .when(pin < pl.col("current_level"))
        .then(pl.lit(down.name))
        .otherwise(pl.lit(stay.name))
    )
    carried_on = pl.coalesce("previous_plan", pl.lit(stay.plan))
    rows = rows.with_columns(
        policy_rule="rule",
        policy_kind="kind",
        policy_level="recommended_level",
        policy_priority="priority",
        _moved=moved,
        _refused=refused,
    )
    rows = rows.with_columns(
        rule=_replaced("rule", pl.lit(PIN_RULE), pl.lit(REJECT_RULE)),
        kind=_replaced("kind", by_pin, pl.lit(stay.name)),
        plan=_replaced("plan", pl.lit(stay.plan), carried_on),
        priority=_replaced(
            "priority",
            pl.when(pin == pl.col("current_level")).then(pl.lit("low")).otherwise(pl.lit("medium")),
            pl.lit("low"),
        ),
        at_least=_replaced("at_least", pl.lit(settings.success_zone[0]), pl.lit(settings.success_zone[0])),
        passes=pl.col("passes") & ~pl.col("_refused"),
        recommended_level=pl.coalesce(pin, pl.when("_refused").then("current_level").otherwise("recommended_level")),
        override=pl.when(pin.is_not_null())
        .then(pl.lit("pin"))
        .when("_refused")
        .then(pl.lit("reject"))
        .when(pl.col("accepted_days").is_not_null())
        .then(pl.lit("accept")),
    )
    return _without_false_counterfactuals(rows).drop("_moved", "_refused")


def words_as_evidence(settings: PolicySettings) -> list[pl.Expr]:
    """Every word in force with the number that it stands against, structs of `EVIDENCE` over what `obey` returns."""
    days, instead, less = pl.lit(settings.reject_days), pl.lit("instead of"), pl.lit("<")
    return [
        entry("override_pinned_level", pl.col("pinned_level"), pl.col("policy_level"), instead),
        entry("override_rejected_days", pl.col("rejected_days"), days, less),
        entry("override_accepted_days", pl.col("accepted_days"), days, less),
    ]


def _replaced(name: str, by_pin: pl.Expr, by_rejection: pl.Expr) -> pl.Expr:
    return pl.when("_moved").then(by_pin).when("_refused").then(by_rejection).otherwise(pl.col(name))


def _without_false_counterfactuals(rows: pl.DataFrame) -> pl.DataFrame:
    """Nothing moves what is pinned, and what was rejected does not come."""
    parts = ("", "_kind", "_changes")
    cleared: dict[str, pl.Expr] = {}
    for way in _WAYS:
        barred = pl.col("rejected").list.contains(pl.col(f"cf_{way}_kind")).fill_null(value=False)
        keep = ~barred & ~pl.col("_refused") & (pl.col("pinned_level").is_null() | pl.lit(way == "rest"))
        cleared |= {f"cf_{way}{part}": pl.when(keep).then(f"cf_{way}{part}") for part in parts}
    return rows.with_columns(**cleared)
