"""Any file of answers as anonymised interactions. Belongs here: reading and shaping benchmark files; no measuring.

A file is read as the platform reads it: the same names of columns, the same look at times and labels, the same rules by
which a row is set aside, the same settings (AIVO_SOURCE_…) where something has to be said. Learners of public research
data are numbers already; they stay as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from aivo_assets.errors import SourceError
from aivo_assets.events.intake import Validated, validate
from aivo_assets.events.landing.account import advice, examples, outcome, reasons, refuse_nothing_kept
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.sources import first_event_at
from aivo_assets.events.sources.base import Extract
from aivo_assets.events.sources.tabular import TabularSource
from aivo_assets.events.values.conversion import is_missing
from aivo_assets.events.values.tidying import tidied
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import SourceSettings

_START = datetime(2000, 1, 1, tzinfo=UTC)  # of files that hold only an order
_KEPT = ("learner_id", "item_id", "skill_ids", "subject", "correct", "occurred_at", "response_time_ms", "hint_count")

Say = Callable[[str], None]


def read_interactions(
    path: Path,
    *,
    q_matrix: Path | None = None,
    settings: SourceSettings | None = None,
    now: datetime | None = None,
    say: Say = lambda _: None,
    most_set_aside: float = 1.0,
) -> pl.DataFrame:
    """Read a benchmark file as ANONYMISED_INTERACTIONS.

    Args:
        path: Parquet or text with a line an answer: learner, item, right or wrong, and what else is known. Without a
            time the order of the rows counts, within the learner.
        q_matrix: Sparse item x skill matrix (scipy `.npz`); where given it names the skills of the integer item ids.
        settings: How columns, times and labels are read; its kind and path do not count. None: what needs no setting.
        now: The present instant; later answers are set aside. None: by the machine's clock.
        say: Told how the file is read, and what became of its rows.
        most_set_aside: Share of the rows that may be set aside before the file is refused.

    Raises:
        SourceError: The file cannot be read, can be read in several ways, or none of its rows can be kept.
    """
    if not path.is_file():
        raise SourceError(f"There is no file {path}", fix="Check the path.")
    asked = _of_this_file(path, settings or SourceSettings())
    present = now or datetime.now(UTC)
    source = TabularSource(asked, first_event_at(asked), present)
    for sentence in source.how_read():
        say(sentence)
    events, receipt = _accounted([_judged(extract, present) for extract in source.events(None, None)], path.name)
    for sentence in (outcome(receipt), *reasons(receipt)) if receipt.set_aside or receipt.duplicates else ():
        say(sentence)
    refuse_nothing_kept(receipt, None)
    _refuse_too_little(receipt, most_set_aside)
    raw = events.select(*_KEPT).rename({"learner_id": "learner"})
    return _shaped(_with_matrix(_with_time(raw, known=source.has_times), q_matrix))


def refuse_unfit(events: pl.DataFrame, path: Path) -> None:
    """Refuse answers on which nothing could be measured.

    Raises:
        SourceError: There is one outcome only, or no learner has a past to predict from.
    """
    outcomes = events["correct"].unique().to_list()
    if len(outcomes) < 2:
        which = {1: "right", 0: "wrong"}.get(next(iter(outcomes), 1))
        raise SourceError(
            f"{path}: all of {events.height:,} answers are {which}, so there is nothing to predict",
            fix="Check which column is taken for correct (--map correct=COLUMN), and what its values mean.",
        )
    if events["learner"].n_unique() == events.height:
        raise SourceError(
            f"{path}: each of {events.height:,} learners has one answer, so none has a past to predict from",
            fix="Check which column is taken for the learner: --map learner_id=COLUMN.",
        )


def _refuse_too_little(receipt: Receipt, most: float) -> None:
    """Refuse a file of which so much is missing that a figure on the rest would not be the file's."""
    if receipt.set_aside <= most * receipt.rows_in:
        return
    details = "".join(f"\n  {line}" for line in reasons(receipt))
    frequent = max(receipt.by_reason, key=lambda reason: receipt.by_reason[reason])
    raise SourceError(
        f"{receipt.source}: {receipt.set_aside:,} of {receipt.rows_in:,} rows would be set aside, and a figure on the"
        f" rest would not be one of the file{details}",
        fix=f"For the most frequent reason: {advice(frequent)}. Or take these rows out of the file, or allow it:"
        " --most-set-aside 1.",
    )


def _of_this_file(path: Path, settings: SourceSettings) -> SourceSettings:
    """The settings with this file, and with an order of rows for a file that has no time."""
    return settings.model_copy(
        update={
            "kind": "parquet" if path.suffix in (".parquet", ".pq") else "csv",
            "path": str(path),
            "first_event_at": settings.first_event_at or _START.isoformat(),
        }
    )


def _judged(extract: Extract, now: datetime) -> Validated:
    """The rows of an extract as the platform judges them; an item without a skill is its own skill, called `item …`."""
    validated = validate(extract, now=now, subject=extract.subject)
    own = ["item " + pl.col("item_id")]
    if "skill_ids" not in extract.frame.columns:
        return replace(validated, events=validated.events.with_columns(skill_ids=pl.concat_list(own)))
    given = tidied(extract.frame.select("skill_ids"), extract.missing)["skill_ids"]
    without = extract.frame.filter(is_missing(given)).select("_location", "_row", _own=pl.lit(value=True))
    marked = validated.events.join(without, on=["_location", "_row"], how="left", maintain_order="left")
    skills = pl.when("_own").then(pl.concat_list(own)).otherwise("skill_ids")
    return replace(validated, events=marked.with_columns(skill_ids=skills).drop("_own"))


def _accounted(parts: Sequence[Validated], name: str) -> tuple[pl.DataFrame, Receipt]:
    """All events of a file in its order, each id once, and the account of its rows."""
    events = pl.concat([part.events for part in parts])
    problems = pl.concat([part.quarantined for part in parts])
    again = events["event_id"].is_not_null() & ~events["event_id"].is_first_distinct()
    rows, aside = sum(part.rows_read for part in parts), sum(part.set_aside for part in parts)
    receipt = Receipt(
        run="benchmark",
        source=name,
        batch_id="none",
        landed_at=_START,
        rows_read=rows,
        rows_in=rows,
        kept=events.height - int(again.sum()),
        duplicates=int(again.sum()),
        set_aside=aside,
        by_reason=dict(problems.group_by("reason").len().iter_rows()),
        examples=examples(problems),
    )
    return events.filter(~again), receipt


def _with_matrix(raw: pl.DataFrame, q_matrix: Path | None) -> pl.DataFrame:
    """Skills by the matrix, where one is given."""
    if q_matrix is None:
        return raw
    from scipy import sparse  # noqa: PLC0415 - a second to import, rarely needed

    matrix = sparse.csr_matrix(sparse.load_npz(q_matrix))
    item, skill = matrix.nonzero()
    table = pl.DataFrame({"item_id": item, "skill_ids": skill}).cast(pl.String)
    named = table.group_by("item_id").agg(pl.col("skill_ids").sort())
    joined = raw.drop("skill_ids").join(named, on="item_id", how="left", maintain_order="left")
    itself = pl.concat_list("item " + pl.col("item_id"))
    return joined.with_columns(pl.when(pl.col("skill_ids").list.len() > 0).then("skill_ids").otherwise(itself))


def _with_time(raw: pl.DataFrame, *, known: bool) -> pl.DataFrame:
    """Times to the second; a file without a time gets a second per row of the learner."""
    if known:
        return raw.with_columns(exact=pl.col("occurred_at").dt.truncate("1s"))
    second = pl.int_range(pl.len()).over("learner")
    return raw.with_columns(exact=pl.lit(_START).dt.cast_time_unit("us") + pl.duration(seconds=second))


def _shaped(raw: pl.DataFrame) -> pl.DataFrame:
    """The columns of ANONYMISED_INTERACTIONS: coarse times, exact gaps, order within the day."""
    raw = raw.with_row_index("row").sort("learner", "exact", "row")
    same_day = (pl.col("learner") == pl.col("learner").shift()) & (
        pl.col("exact").dt.date() == pl.col("exact").dt.date().shift()
    )
    raw = raw.with_columns(begins=~same_day.fill_null(value=False)).with_columns(
        first=pl.int_range(pl.len()).filter(pl.col("begins")).get(pl.col("begins").cum_sum() - 1)
    )
    known = raw.select(
        pl.col("row").cast(pl.String).alias("event"),
        "learner",
        pl.lit(0).alias("shard"),
        pl.col("exact").dt.date().alias("day"),
        pl.col("exact").dt.truncate("1m").alias("occurred_at"),
        (pl.int_range(pl.len()) - pl.col("first")).alias("sequence"),
        pl.when(~pl.col("begins")).then(pl.col("exact").diff().dt.total_seconds()).alias("gap_s"),
        "item_id",
        "skill_ids",
        "correct",
        "response_time_ms",
        "hint_count",
        "subject",
    )
    absent = {name: dtype for name, dtype in ANONYMISED_INTERACTIONS.schema.items() if name not in known.columns}
    known = known.with_columns(pl.lit(None).alias(name) for name in absent)
    return known.select(pl.col(name).cast(dtype) for name, dtype in ANONYMISED_INTERACTIONS.schema.items())
