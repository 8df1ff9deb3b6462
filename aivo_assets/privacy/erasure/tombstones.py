"""Who was forgotten, kept so that nobody can be named by it. Belongs here: tombstones, and a source without their rows.

A tombstone is a keyed hash of the raw identifier. It says of an identifier that comes back with the next extract that
it is to be left out, and says nothing to whoever lacks the key. It is another hash than the pseudonym, so a row of old
derived data that somebody kept elsewhere cannot be matched with it either.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from aivo_assets.events.sources.base import Extract, Source, Window
from aivo_assets.events.values import identifiers
from aivo_assets.events.values.tidying import MISSING, tidied
from aivo_assets.lake import Dataset, Lake
from aivo_assets.privacy.keys import PseudonymKey, load_key
from aivo_assets.settings import Settings

TOMBSTONES = Dataset("raw/erasure/tombstones", {"tombstone": pl.String, "forgotten_on": pl.Date, "request": pl.String})
_DOMAIN = b"tombstone\x00"


def tombstone(learner: str, key: PseudonymKey) -> str:
    """The keyed hash of one raw identifier, 64 hex characters."""
    keyed: hmac.HMAC = key.keyed_hash()
    keyed.update(_DOMAIN + learner.encode())
    return keyed.hexdigest()


def bury(lake: Lake, learners: list[str], key: PseudonymKey, *, on: date, request: str) -> None:
    """Keep a tombstone of each learner; the same again changes nothing."""
    made = [{"tombstone": tombstone(each, key), "forgotten_on": on, "request": request} for each in learners]
    added = pl.DataFrame(made, schema=dict(TOMBSTONES.schema))

    def change(before: pl.DataFrame) -> pl.DataFrame:
        new = added.join(before, on="tombstone", how="anti").unique("tombstone", keep="first", maintain_order=True)
        return pl.concat([before, new]).sort("tombstone")

    lake.update(TOMBSTONES, change)


def exhume(lake: Lake, learners: list[str], key: PseudonymKey) -> int:
    """Take tombstones away, for a learner who comes back and agrees; returns how many there were."""
    gone = [tombstone(each, key) for each in learners]
    held = lake.scan(TOMBSTONES).filter(pl.col("tombstone").is_in(gone)).collect().height
    lake.update(TOMBSTONES, lambda before: before.filter(~pl.col("tombstone").is_in(gone)))
    return held


class Forgotten:
    """Says of identifiers whether they are to be left out.

    Args:
        lake: Where tombstones are.
        settings: Where the key is; it is read only where there is a tombstone.
    """

    def __init__(self, lake: Lake, settings: Settings) -> None:
        self._known = frozenset(lake.scan(TOMBSTONES).select("tombstone").collect()["tombstone"])
        self._key = load_key(settings, create=False) if self._known else None

    def __bool__(self) -> bool:
        return bool(self._known)

    def among(self, learners: pl.Series) -> pl.Series:
        """Which of some raw identifiers are those of forgotten learners; Boolean, null is nobody."""
        if self._key is None:
            return pl.repeat(value=False, n=len(learners), eager=True)
        key = self._key
        gone = [each for each in learners.drop_nulls().unique() if tombstone(each, key) in self._known]
        return learners.is_in(gone).fill_null(value=False)


def without_forgotten(source: Source, lake: Lake, settings: Settings) -> Source:
    """A source that hands over no row of a forgotten learner, and counts those that it leaves out."""
    forgotten = Forgotten(lake, settings)
    return _Without(source, forgotten) if forgotten else source


def frame_without_forgotten(
    rows: pl.DataFrame, forgotten: Forgotten, missing: tuple[str, ...] = MISSING
) -> tuple[pl.DataFrame, int]:
    """Rows as a source gave them, without those of forgotten learners; and how many were left out."""
    if not forgotten or "learner_id" not in rows.columns:
        return rows, 0
    learners = identifiers.text(tidied(rows.select("learner_id"), missing)["learner_id"])
    left = rows.filter(~forgotten.among(learners))
    return left, rows.height - left.height


@dataclass(frozen=True)
class _Without:
    """A source without the rows of forgotten learners."""

    source: Source
    forgotten: Forgotten

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def window_applies(self) -> bool:
        return self.source.window_applies

    def fingerprint(self) -> str:
        return self.source.fingerprint()

    def how_read(self) -> tuple[str, ...]:
        return self.source.how_read()

    def events(self, window: Window | None, cursor: str | None) -> Iterator[Extract]:
        for extract in self.source.events(window, cursor):
            frame, left_out = frame_without_forgotten(extract.frame, self.forgotten, tuple(extract.missing))
            yield replace(extract, frame=frame, forgotten=extract.forgotten + left_out)

    def learners(self) -> pl.DataFrame | None:
        rows = self.source.learners()
        return rows if rows is None else frame_without_forgotten(rows, self.forgotten)[0]
