"""Any file of answers as anonymised interactions. Belongs here: reading and shaping benchmark files; no measuring.

Learners of public research data are numbers already; they stay as they are.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from aivo_assets.errors import SourceError
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS

_NAMES = {
    "learner": ("user_id", "learner_id", "learner"),
    "item_id": ("item_id",),
    "skill": ("skill_id",),
    "skills": ("skill_ids",),
    "correct": ("correct",),
    "occurred_at": ("ts", "occurred_at", "timestamp"),
    "response_time_ms": ("response_time_ms",),
    "hint_count": ("hint_count",),
    "subject": ("subject",),
}
_REQUIRED = ("learner", "item_id", "correct")
_START = datetime(2000, 1, 1, tzinfo=UTC)  # of files that hold only an order, or seconds since their first event


def read_interactions(path: Path, *, q_matrix: Path | None = None) -> pl.DataFrame:
    """Read a benchmark file as ANONYMISED_INTERACTIONS.

    Args:
        path: Parquet or CSV with `user_id`/`learner_id`, `item_id`, `correct` (0/1), optionally `skill_id` or
            `skill_ids` (a list), a time (`ts`, `occurred_at` or `timestamp`; numbers are seconds) or, without one, row
            order within the learner; other columns are ignored.
        q_matrix: Sparse item x skill matrix (scipy `.npz`); where given it names the skills of the integer item ids.

    Raises:
        SourceError: The file is absent or a column is missing.
    """
    lazy = _scan(path)
    present = lazy.collect_schema().names()
    columns = {ours: next((name for name in names if name in present), None) for ours, names in _NAMES.items()}
    missing = [" or ".join(_NAMES[ours]) for ours in _REQUIRED if columns[ours] is None]
    if missing:
        raise SourceError(f"{path} has no column {', '.join(missing)}", fix=f"It has {', '.join(present)}; rename one.")
    raw = lazy.select(pl.col(name).alias(ours) for ours, name in columns.items() if name is not None).collect()
    return _shaped(_with_time(_with_skills(raw, q_matrix)))


def _scan(path: Path) -> pl.LazyFrame:
    if not path.is_file():
        raise SourceError(f"There is no file {path}", fix="Check the path.")
    return pl.scan_parquet(path) if path.suffix == ".parquet" else pl.scan_csv(path, infer_schema_length=None)


def _with_skills(raw: pl.DataFrame, q_matrix: Path | None) -> pl.DataFrame:
    if q_matrix is not None:
        from scipy import sparse  # noqa: PLC0415 - a second to import, rarely needed

        matrix = sparse.csr_matrix(sparse.load_npz(q_matrix))
        item, skill = matrix.nonzero()
        table = pl.DataFrame({"item_id": item, "skill_ids": skill}).cast({"item_id": raw["item_id"].dtype})
        table = table.group_by("item_id").agg(pl.col("skill_ids").cast(pl.String).sort())
        raw = raw.join(table, on="item_id", how="left", maintain_order="left")
    elif "skills" in raw.columns:
        raw = raw.with_columns(skill_ids=pl.col("skills").cast(pl.List(pl.String)))
    elif "skill" in raw.columns:
        raw = raw.with_columns(
            skill_ids=pl.when(pl.col("skill").is_not_null()).then(pl.concat_list(pl.col("skill").cast(pl.String)))
        )
    else:
        raw = raw.with_columns(skill_ids=pl.lit(None, pl.List(pl.String)))
    itself = pl.concat_list("item " + pl.col("item_id").cast(pl.String))
    return raw.with_columns(pl.when(pl.col("skill_ids").list.len() > 0).then("skill_ids").otherwise(itself))


def _with_time(raw: pl.DataFrame) -> pl.DataFrame:
    """Times to the second in UTC; a file without a time gets a second per row of the learner."""
    if "occurred_at" not in raw.columns:
        second = pl.int_range(pl.len()).over("learner")
    elif raw["occurred_at"].dtype.is_numeric():
        second = pl.col("occurred_at").cast(pl.Int64)
    else:
        return raw.with_columns(exact=_in_utc(raw["occurred_at"]))
    return raw.with_columns(exact=pl.lit(_START).dt.cast_time_unit("us") + pl.duration(seconds=second))


def _in_utc(given: pl.Series) -> pl.Series:
    """Instants to the second; what names no zone is taken for UTC."""
    if given.dtype == pl.String:
        given = given.str.to_datetime(time_unit="us")
    zone = given.dtype.time_zone if isinstance(given.dtype, pl.Datetime) else None
    moved = given.dt.convert_time_zone("UTC") if zone else given.dt.replace_time_zone("UTC")
    return moved.dt.cast_time_unit("us").dt.truncate("1s")


def _shaped(raw: pl.DataFrame) -> pl.DataFrame:
    """The columns of ANONYMISED_INTERACTIONS: coarse times, exact gaps, order within the day."""
    raw = (
        raw.with_row_index("row")
        .with_columns(pl.col("learner", "item_id").cast(pl.String))
        .sort("learner", "exact", "row")
    )
    same_day = (pl.col("learner") == pl.col("learner").shift()) & (
        pl.col("exact").dt.date() == pl.col("exact").dt.date().shift()
    )
    raw = raw.with_columns(begins=~same_day.fill_null(value=False)).with_columns(
        first=pl.int_range(pl.len()).filter(pl.col("begins")).get(pl.col("begins").cum_sum() - 1)
    )
    optional: Sequence[str] = [name for name in ("response_time_ms", "hint_count", "subject") if name in raw.columns]
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
        *optional,
    )
    absent = {name: dtype for name, dtype in ANONYMISED_INTERACTIONS.schema.items() if name not in known.columns}
    filled = {"subject": pl.lit("general")}
    known = known.with_columns(filled.get(name, pl.lit(None)).alias(name) for name in absent)
    return known.select(pl.col(name).cast(dtype) for name, dtype in ANONYMISED_INTERACTIONS.schema.items())
