"""A table of requests to forget, as a school's system keeps it. Belongs here: reading it, and asking for its rows.

A CSV or Parquet file with `learner_id` and `reason`. Each row is one request, asked once: who was forgotten already is
passed over, so the table may grow and be read again and again.
"""

from datetime import datetime
from pathlib import Path

import polars as pl

from aivo_assets.errors import SourceError
from aivo_assets.lake import Lake
from aivo_assets.privacy.erasure.requests import ask, open_requests
from aivo_assets.privacy.erasure.tombstones import Forgotten
from aivo_assets.privacy.erasure.wanted import resolve
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.settings import Settings


def ask_for_rows(lake: Lake, settings: Settings, key: PseudonymKey, *, now: datetime) -> int:
    """A request for each row of the table of the settings whose learner was not forgotten yet; returns how many.

    Somebody of whom nothing is held is asked for as well: they are left out should they ever come.

    Raises:
        SourceError: The table cannot be read, or a row names no learner or no reason.
    """
    if settings.forget.path is None:
        return 0
    path = Path(settings.forget.path)
    if path.resolve().is_relative_to(settings.home.resolve()):
        raise SourceError(
            f"The table of requests {path} lies below AIVO_HOME, where the names of the forgotten are covered",
            fix="Keep it elsewhere, where your own system writes it (AIVO_FORGET_PATH).",
        )
    rows = read_table(path)
    gone = Forgotten(lake, settings).among(pl.Series([learner for learner, _ in rows], dtype=pl.String))
    new = [row for row, is_gone in zip(rows, gone, strict=True) if not is_gone]
    for learner, reason in new:
        known = resolve(lake, [learner], key, strangers=True)
        ask(lake, known, reason, asked_by=f"table {path.name}", now=now)
    return len(new)


def reason_to_forget(lake: Lake, settings: Settings) -> str | None:
    """Why a run of the erasure is needed, in a sentence; None where nobody is to be forgotten.

    A table that cannot be read is a reason: the run says what is wrong with it.
    """
    waiting = open_requests(lake)
    if waiting:
        return f"{len(waiting)} requests to forget are under way."
    if settings.forget.path is None:
        return None
    try:
        rows = read_table(Path(settings.forget.path))
    except SourceError as error:
        return str(error)
    gone = Forgotten(lake, settings).among(pl.Series([learner for learner, _ in rows], dtype=pl.String))
    new = len(rows) - int(gone.sum())
    return f"{new} rows of the table of requests are new." if new else None


def read_table(path: Path) -> list[tuple[str, str]]:
    """Learner and reason of each row of a table of requests.

    Raises:
        SourceError: It cannot be read, or has no such columns.
    """
    fix = "Give a CSV or Parquet file with the columns learner_id and reason (AIVO_FORGET_PATH)."
    try:
        table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SourceError(f"The table of requests {path} cannot be read: {error}", fix=fix) from error
    missing = {"learner_id", "reason"} - set(table.columns)
    if missing:
        raise SourceError(f"The table of requests {path} has no column {', '.join(sorted(missing))}", fix=fix)
    rows = table.select(pl.col("learner_id", "reason").cast(pl.String).str.strip_chars()).unique(maintain_order=True)
    bad = rows.filter(pl.any_horizontal(pl.all().fill_null("") == ""))
    if bad.height:
        raise SourceError(f"{bad.height} rows of {path} name no learner or no reason", fix="Fill both columns.")
    return list(rows.iter_rows())
