"""Landing the learner table: the latest word on a learner wins. Belongs here: reading, judging and merging learners.

Unlike an event, a learner with one bad value is kept without that value: it is the value that is set aside. Only a row
that names no learner is set aside as a whole.
"""

from datetime import datetime

import polars as pl

from aivo_assets.events.quarantine import set_aside
from aivo_assets.events.receipts import LANDING, Receipt, write_receipt
from aivo_assets.events.schema import RAW_LEARNERS, Learner
from aivo_assets.events.sources.base import BROKEN_COLUMNS, Source
from aivo_assets.events.values import conversion, identifiers
from aivo_assets.events.values.hashes import digest
from aivo_assets.lake import Lake

_NO_DATE = "birth_date is not a date"
_OLD = "birth_date is before 1900"
_UNBORN = "birth_date is in the future"
_NOBODY = "learner_id is missing"
_ROUNDED = f"learner_id {identifiers.ROUNDED}"
_OLDEST = datetime(1900, 1, 1).date()  # noqa: DTZ001 - a calendar date, the schema's


def land_learners(lake: Lake, source: Source, *, now: datetime, run: str) -> Receipt:
    """Merge a source's learner table into the lake; learners that the source does not name stay as they are.

    Of several rows of one learner the last one counts. A row replaces what was known of its learner as a whole.

    Args:
        lake: Where learners are kept.
        source: What is read.
        now: The present instant; a later birth date is set aside.
        run: Which run lands, for the receipt.

    Returns:
        The account: `kept` are new or changed learners, `duplicates` rows that say nothing new or were overtaken.

    Raises:
        SourceError: The table is named but cannot be read; nothing was touched.
        LakeError: Another landing did not end in time.
    """
    raw = source.learners()
    if raw is None:
        raw = pl.DataFrame(schema={"learner_id": pl.String, "_location": pl.String, "_row": pl.Int64})
    typed, problems = _judged(raw.with_row_index("_index"), now)
    named = typed.filter(pl.col("learner_id").is_not_null())
    latest = named.unique("learner_id", keep="last", maintain_order=True).select(Learner.column_names())
    batch_id = digest([source.name, "learners", run])
    nobody = raw.height - named.height
    with lake.exclusive(LANDING, run):
        changed = _merge(lake, latest, run=run, source=source.name)
        set_aside(lake, problems, batch_id=batch_id, run=run)
        receipt = Receipt(
            run=run,
            source=source.name,
            batch_id=batch_id,
            landed_at=now,
            rows_read=raw.height,
            rows_in=raw.height,
            kept=changed,
            duplicates=named.height - changed,
            set_aside=nobody,
            by_reason=dict(problems.group_by("reason").len().sort("reason").iter_rows()),
            values_set_aside=problems.height - nobody,
        )
        write_receipt(lake, receipt, what="learners")
    return receipt


def _merge(lake: Lake, latest: pl.DataFrame, *, run: str, source: str) -> int:
    """Put these learners in the place of what was known of them; returns how many are new or changed."""
    held = lake.scan(RAW_LEARNERS).collect()
    changed = latest.join(held, on=Learner.column_names(), how="anti", nulls_equal=True)
    # Nothing is written where nothing is known, so that a source without learners leaves no empty table behind.
    if not changed.is_empty():

        def merged(present: pl.DataFrame) -> pl.DataFrame:
            untouched = present.join(changed, on="learner_id", how="anti")
            return Learner.validate(pl.concat([untouched, changed]).sort("learner_id"))

        lake.update(RAW_LEARNERS, merged, made_by={"run": run, "source": source})
    return changed.height


def _judged(raw: pl.DataFrame, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Columns of `Learner` with its types, bad values empty; and a problem for each of them."""
    columns = {"_index": raw["_index"]}
    for name, dtype in Learner.create_empty().schema.items():
        if name not in raw.columns:
            columns[name] = pl.Series(name, [None], dtype=dtype).new_from_index(0, raw.height)
        elif name == "birth_date":
            columns[name] = conversion.date_only(raw[name])
        else:
            columns[name] = identifiers.text(raw[name])
    typed = pl.DataFrame(columns)
    problems = [_rows_without_learner(raw, typed)]
    if "birth_date" in raw.columns:
        born = typed["birth_date"]
        given = ~conversion.is_missing(raw["birth_date"]) & typed["learner_id"].is_not_null()
        for bad, reason in (
            (given & born.is_null(), _NO_DATE),
            (given & (born < _OLDEST).fill_null(value=False), _OLD),
            (given & (born > now.date()).fill_null(value=False), _UNBORN),
        ):
            problems.append(_problems(raw.filter(bad), "birth_date", reason))
        sound = pl.col("birth_date").is_between(_OLDEST, now.date())
        typed = typed.with_columns(birth_date=pl.when(sound).then(pl.col("birth_date")))
    return typed, pl.concat(problems)


def _rows_without_learner(raw: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
    unnamed = typed["learner_id"].is_null()
    broken = raw["_problem"].is_not_null() if "_problem" in raw.columns else pl.repeat(False, raw.height, eager=True)
    given = ~conversion.is_missing(raw["learner_id"])
    lines = raw.filter(unnamed & broken)
    if not lines.is_empty():
        lines = lines.select(
            location="_location", row="_row", column=pl.lit(None), value="_broken", reason="_problem"
        ).cast(pl.Schema(BROKEN_COLUMNS))
    as_given = raw.with_columns(learner_id="_given") if "_given" in raw.columns else raw
    return pl.concat(
        [
            lines if not lines.is_empty() else pl.DataFrame(schema=BROKEN_COLUMNS),
            _problems(as_given.filter(unnamed & ~broken & ~given), "learner_id", _NOBODY),
            _problems(as_given.filter(unnamed & ~broken & given), "learner_id", _ROUNDED),
        ]
    )


def _problems(rows: pl.DataFrame, column: str, reason: str) -> pl.DataFrame:
    return rows.select(
        location="_location",
        row="_row",
        column=pl.lit(column),
        value=pl.col(column).cast(pl.String, strict=False),
        reason=pl.lit(reason),
    ).cast(pl.Schema(BROKEN_COLUMNS))
