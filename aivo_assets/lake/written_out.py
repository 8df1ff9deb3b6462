"""Rows of the lake written out for other programs. Belongs here: csv and Parquet, streamed; no choosing of rows."""

import os
import sys
from pathlib import Path

import polars as pl

from aivo_assets.errors import SettingsError


def write_parquet(frame: pl.LazyFrame, to: Path | None, *, personal: bool) -> int:
    """Write Parquet, to a file alone; returns the rows.

    Raises:
        SettingsError: No file is named, or it cannot be written.
    """
    if to is None:
        raise SettingsError("Parquet cannot be shown on a terminal", fix="Name a file: --to rows.parquet.")
    _prepare(to, personal)
    frame.sink_parquet(to)
    return int(pl.scan_parquet(to).select(pl.len()).collect().item())


def write_csv(frame: pl.LazyFrame, to: Path | None, *, personal: bool) -> int:
    """Write csv, to a file or to where a program's output goes; lists and structs become JSON. Returns the rows.

    Raises:
        SettingsError: The file cannot be written.
    """
    schema = frame.collect_schema()
    if not schema.names():
        return 0
    flat = frame.select(_as_json(name) if dtype.is_nested() else pl.col(name) for name, dtype in schema.items())
    if to is None:
        sys.stdout.write(flat.collect(engine="streaming").write_csv())
        return 0
    _prepare(to, personal)
    flat.sink_csv(to)
    return int(flat.select(pl.len()).collect().item())


def _as_json(name: str) -> pl.Expr:
    """A nested column as JSON text; null stays null."""
    text = pl.struct(pl.col(name).alias("v")).struct.json_encode().str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(pl.col(name).is_not_null()).then(text).alias(name)


def _prepare(to: Path, personal: bool) -> None:
    """Make the file, unreadable for others where it is to hold personal data."""
    try:
        descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if personal else 0o644)
    except OSError as error:
        raise SettingsError(
            f"--to {to} cannot be written: {error.strerror}", fix="Name a file in a folder that exists."
        ) from error
    os.close(descriptor)
