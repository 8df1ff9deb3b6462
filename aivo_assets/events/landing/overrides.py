"""Landing what teachers say of recommendations. Belongs here: reading, judging and keeping it, in the raw zone.

A row is kept or set aside as a whole, for half an order to a school is none. The same row twice is one override. One
that was taken back stays, with the time at which it was, so that a day before that is made again as it was. What a
teacher writes freely (`note`) may name anybody and is never read past the raw zone.
"""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Final

import dataframely as dy
import polars as pl

from aivo_assets.errors import SourceError
from aivo_assets.events.landing.override_targets import target_problems, with_subjects
from aivo_assets.events.quarantine import set_aside
from aivo_assets.events.receipts import LANDING, Receipt, write_receipt
from aivo_assets.events.sources.base import BROKEN_COLUMNS
from aivo_assets.events.times.counted import EPOCH, Counted
from aivo_assets.events.times.reading import TimeReading, moments
from aivo_assets.events.values import conversion, identifiers
from aivo_assets.events.values.hashes import digest, identity_hash
from aivo_assets.events.values.tidying import MISSING, tidied
from aivo_assets.kinds import KINDS
from aivo_assets.lake import Dataset, Lake

ACTIONS: Final = ("accept", "reject", "pin")
REASONS: Final = ("too_easy", "too_hard", "wrong_skill", "not_now", "content", "other")


class Override(dy.Schema):
    """One word of a teacher on one learner's skill. Times are UTC."""

    override_id = dy.String(primary_key=True)
    learner_id = dy.String(min_length=1)
    teacher_id = dy.String(nullable=True)
    subject = dy.String(min_length=1)
    skill_id = dy.String(min_length=1)
    action = dy.String()
    kind = dy.String(nullable=True)
    level = dy.Int8(nullable=True, min=1, max=10)
    until = dy.Date(nullable=True)
    reason = dy.String(nullable=True)
    note = dy.String(nullable=True)
    given_at = dy.Datetime(time_unit="us", time_zone="UTC")


_SCHEMA: Final = Override.create_empty().schema
COLUMNS: Final = tuple(name for name in Override.column_names() if name != "override_id")

# Each landing has a batch of its own, so that teachers may speak at the same time.
OVERRIDES_GIVEN: Final = Dataset("raw/overrides", _SCHEMA, unit="batch")
OVERRIDES_REMOVED: Final = Dataset(
    "raw/overrides_removed", {"override_id": pl.String, "removed_at": pl.Datetime("us", "UTC")}
)


def raw_overrides(lake: Lake) -> pl.DataFrame:
    """All overrides that were kept, in the order in which they were given.

    Returns:
        Columns of `Override`, and removed_at (UTC; null where it was not taken back).
    """
    held = lake.scan(OVERRIDES_GIVEN).collect()
    rows = held.sort("given_at", "override_id").unique("override_id", keep="first", maintain_order=True)
    removed = lake.scan(OVERRIDES_REMOVED).collect().group_by("override_id").agg(pl.col("removed_at").min())
    return rows.join(removed, on="override_id", how="left", maintain_order="left")


def said_so_far(lake: Lake) -> list[str]:
    """Every override by its id, with the time at which it was taken back; another list, another word of a teacher."""
    removed = pl.col("removed_at").cast(pl.String).fill_null("")
    return raw_overrides(lake).select(pl.concat_str("override_id", removed)).to_series().to_list()


def remove_overrides(lake: Lake, override_ids: Collection[str], *, now: datetime, run: str) -> int:
    """Take overrides back from now on; returns how many were in the lake and not taken back before.

    Args:
        lake: Where they are kept.
        override_ids: Which.
        now: The present instant, UTC.
        run: Who asks, for the lock and the account.

    Raises:
        LakeError: A landing did not end in time.
    """
    with lake.exclusive(LANDING, run):
        held = raw_overrides(lake).filter(
            pl.col("override_id").is_in(list(override_ids)), pl.col("removed_at").is_null()
        )
        if held.is_empty():
            return 0
        gone = held.select("override_id", removed_at=pl.lit(now).cast(pl.Datetime("us", "UTC")))
        lake.update(OVERRIDES_REMOVED, lambda before: pl.concat([before, gone]), made_by={"run": run})
        return held.height


def read_override_file(path: Path) -> pl.DataFrame:
    """A CSV or Parquet file of overrides as it is, with `_location` and `_row` (line of a CSV, row of a Parquet).

    Raises:
        SourceError: It is absent, unreadable, or has no column for learner, skill or action.
    """
    fix = f"Give a CSV or Parquet file with columns of {', '.join(COLUMNS)}."
    if not path.is_file():
        raise SourceError(f"There is no file of overrides {path}", fix="Check AIVO_SOURCE_OVERRIDE_PATH.")
    parquet = path.suffix == ".parquet"
    try:
        table = pl.read_parquet(path) if parquet else pl.read_csv(path, infer_schema=False, truncate_ragged_lines=True)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SourceError(f"{path} cannot be read: {error}", fix=fix) from error
    missing = [name for name in ("learner_id", "skill_id", "action") if name not in table.columns]
    if missing:
        raise SourceError(f"{path} has no column {', '.join(missing)}", fix=fix)
    first = 1 if parquet else 2
    return table.select(name for name in COLUMNS if name in table.columns).with_columns(
        _location=pl.lit(str(path)), _row=pl.int_range(first, pl.len() + first, dtype=pl.Int64)
    )


def land_overrides(
    lake: Lake,
    given: pl.DataFrame,
    *,
    now: datetime,
    run: str,
    source: str,
    missing: Collection[str] = MISSING,
) -> Receipt:
    """Judge overrides and add the good ones to those that are kept.

    Args:
        lake: Where they are kept.
        given: Some of `COLUMNS`, with values as they were given, and `_location`, `_row`. Learners and skills are
            those of answers or the learner table; a subject that is left out follows from the skill.
        now: The present instant; what names no time was given now, and a later time is set aside.
        run: Which run lands, for receipt and quarantine.
        source: What a person calls the source.
        missing: Words that stand for no value.

    Returns:
        The account: kept are new ones, duplicates are known ones.

    Raises:
        LakeError: Another landing did not end in time.
    """
    given = tidied(given, missing)
    with lake.exclusive(LANDING, run):
        return _land_overrides(lake, given, now=now, run=run, source=source)


def _land_overrides(lake: Lake, given: pl.DataFrame, *, now: datetime, run: str, source: str) -> Receipt:
    typed = with_subjects(_typed(given, now), lake)
    problems = _problems(typed)
    good = typed.join(problems.select("_location", "_row").unique(), on=["_location", "_row"], how="anti")
    rows = good.with_columns(override_id=_identity(good)).select(Override.column_names())
    rows = rows.unique("override_id", keep="first", maintain_order=True)
    new = rows.join(raw_overrides(lake), on="override_id", how="anti")
    batch_id = digest([source, "overrides", run])
    if not new.is_empty():
        added = Override.validate(new)
        lake.update(
            OVERRIDES_GIVEN,
            lambda held: pl.concat([held, added.join(held, on="override_id", how="anti")]),
            batch=batch_id,
            made_by={"run": run, "source": source},
        )
    set_aside(lake, problems.select(*BROKEN_COLUMNS), batch_id=batch_id, run=run)
    bad = typed.height - good.height
    receipt = Receipt(
        run=run,
        source=source,
        batch_id=batch_id,
        landed_at=now,
        rows_read=given.height,
        rows_in=given.height,
        kept=new.height,
        duplicates=good.height - new.height,
        set_aside=bad,
        by_reason=dict(problems.group_by("reason").len().sort("reason").iter_rows()),
    )
    write_receipt(lake, receipt, what="overrides")
    return receipt


def _typed(given: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Columns of `Override` but the id, with its types; what was given stays beside it as `<name>_given`."""
    reading = TimeReading(counted=Counted("s", EPOCH))
    columns: dict[str, pl.Series] = {}
    for name, dtype in _SCHEMA.items():
        if name == "override_id":
            continue
        raw = given[name] if name in given.columns else pl.Series(name, [None] * given.height, dtype=pl.String)
        columns[f"{name}_given"] = raw.cast(pl.String).str.strip_chars().replace("", None).alias(f"{name}_given")
        if name == "until":
            columns[name] = conversion.date_only(raw)
        elif name == "given_at":
            columns[name] = _instant(raw, reading)
        elif name == "level":
            columns[name] = conversion.whole_number(pl.Int8)(raw)
        else:
            columns[name] = identifiers.text(raw).cast(dtype)
    typed = pl.DataFrame({**columns, "_location": given["_location"], "_row": given["_row"]})
    lowered = [pl.col(name).str.to_lowercase() for name in ("action", "kind", "reason")]
    # Without a time of its own the row was given now; the same row again is then known by its day.
    dated = pl.when(pl.col("given_at_given").is_null()).then(pl.lit(now).dt.cast_time_unit("us")).otherwise("given_at")
    return typed.with_columns(*lowered, given_at=dated, _now=pl.lit(now))


def _instant(raw: pl.Series, reading: TimeReading) -> pl.Series:
    if isinstance(raw.dtype, pl.Datetime):
        moved = raw.dt.convert_time_zone("UTC") if raw.dtype.time_zone else raw.dt.replace_time_zone("UTC")
        return moved.dt.cast_time_unit("us")
    return moments(raw, None, reading)


def _problems(typed: pl.DataFrame) -> pl.DataFrame:
    """Why rows cannot be kept: columns of the quarantine, and `_location`, `_row`."""
    action, kind = pl.col("action"), pl.col("kind")
    pin, reject, accept = (action == name for name in ("pin", "reject", "accept"))
    rules: tuple[tuple[str, pl.Expr, str], ...] = (
        ("learner_id", pl.col("learner_id").is_null(), "learner_id is missing"),
        ("skill_id", pl.col("skill_id").is_null(), "skill_id is missing"),
        ("action", ~action.is_in(ACTIONS).fill_null(value=False), f"action is none of {', '.join(ACTIONS)}"),
        ("level", pin & ~pl.col("level").is_between(1, 10).fill_null(value=False), "a pin needs a level from 1 to 10"),
        ("until", pin & pl.col("until").is_null(), "a pin needs a last day, YYYY-MM-DD"),
        ("until", pin & (pl.col("until") < pl.col("given_at").dt.date()), "the pin ended before it was given"),
        ("kind", reject & (kind == "maintain"), "maintain cannot be rejected: pin a level instead"),
        (
            "kind",
            (reject | accept) & ~kind.is_in(KINDS).fill_null(value=False),
            f"accept and reject need a kind: one of {', '.join(KINDS)}",
        ),
        (
            "reason",
            reject & ~pl.col("reason").is_in(REASONS).fill_null(value=False),
            f"a rejection needs a reason: one of {', '.join(REASONS)}",
        ),
        (
            "reason",
            ~reject & ~pl.col("reason").is_in(REASONS).fill_null(value=True),
            f"reason is none of {', '.join(REASONS)}",
        ),
        ("given_at", pl.col("given_at").is_null(), "given_at is not a time"),
        ("given_at", pl.col("given_at") > pl.col("_now"), "given_at is in the future"),
        *target_problems(),
    )
    return pl.concat(
        typed.filter(wrong.fill_null(value=False)).select(
            "_location",
            "_row",
            location="_location",
            row="_row",
            column=pl.lit(column),
            value=f"{column}_given",
            reason=pl.lit(reason),
        )
        for column, wrong, reason in rules
    )


def _identity(good: pl.DataFrame) -> pl.Series:
    """Hash of all that an override says but its note; what named no time is the same all day."""
    identifying = [name for name in COLUMNS if name not in ("note", "given_at")]
    moment = pl.coalesce("given_at_given", pl.col("given_at").dt.date().cast(pl.String))
    texts = good.select(
        pl.concat_str([*(pl.col(name).cast(pl.String).fill_null("") for name in identifying), moment], separator="\x1f")
    )
    return identity_hash(texts.to_series())
