"""Which rows of a lake are theirs, by columns of identifiers. Belongs here: finding files and taking rows out of them.

Every dataset that holds a learner has a column that names them; `places.py` lists them all. What names a learner in any
other column or text is found by the search (`search.py`), which looks into all of them, and is masked then.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Final

import polars as pl

from aivo_assets.lake import Lake
from aivo_assets.lake.lake_reader import polars_options
from aivo_assets.lake.shards import shard_of
from aivo_assets.privacy.erasure.wanted import Wanted

NAMES: Final = {
    "learner": ("learner", "learner pseudonym"),
    "learner_id": ("learner", "learner pseudonym"),
    "event": ("event", "event pseudonym"),
    "event_id": ("event", "event pseudonym"),
    "override_id": ("override",),
}
"""By column what it may hold of a learner."""
QUARANTINE: Final = "raw/quarantine/"
_SHARD: Final = re.compile(r"/shard=(\d+)/")


class Theirs:
    """The rows of some learners.

    Args:
        lake: Where they are.
        wanted: By what they are found.
    """

    def __init__(self, lake: Lake, wanted: Wanted) -> None:
        self._lake, self._wanted = lake, wanted
        self._values = {column: wanted.of(*kinds) for column, kinds in NAMES.items()}

    @cached_property
    def shards(self) -> frozenset[int]:
        """Shards in which these learners are."""
        pseudonyms = self._wanted.of("learner pseudonym").to_frame("learner")
        return frozenset(pseudonyms.select(shard_of(pl.col("learner"), self._lake.shards))["shard"])

    def holds(self, paths: Sequence[str]) -> set[str]:
        """Of some files, by their paths below the root, those with a row of theirs."""
        candidates = [path for path in paths if self._may_hold(path)]
        quarantined = [path for path in candidates if path.startswith(QUARANTINE)]
        others = [path for path in candidates if not path.startswith(QUARANTINE)]
        return self._among(others, tuple(NAMES)) | self._among(quarantined, ("value",))

    def stays(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows that are not theirs, in their order."""
        columns = [name for name in NAMES if name in rows.columns]
        columns += ["value"] if not columns and {"value", "reason"} <= set(rows.columns) else []
        return rows.filter(~self._is_theirs(columns)) if columns else rows

    def _among(self, paths: list[str], columns: Sequence[str]) -> set[str]:
        if not paths:
            return set()
        by_location = {self._lake.storage.location(path): path for path in paths}
        rows = pl.scan_parquet(
            list(by_location),
            schema=dict.fromkeys(columns, pl.String),
            missing_columns="insert",
            extra_columns="ignore",
            hive_partitioning=False,
            glob=False,
            include_file_paths="_path",
            storage_options=polars_options(self._lake.storage),
        )
        found = rows.filter(self._is_theirs(columns)).select(pl.col("_path").unique()).collect(engine="streaming")
        return {by_location[location] for location in found["_path"]}

    def _is_theirs(self, columns: Sequence[str]) -> pl.Expr:
        tests = [
            self._value() if name == "value" else pl.col(name).is_in(self._values[name].implode()) for name in columns
        ]
        return pl.any_horizontal(tests).fill_null(value=False)

    def _value(self) -> pl.Expr:
        """Of the quarantine: a value that names them, or a broken line that does."""
        named = pl.col("value").is_in(self._wanted.cells.implode())
        if not self._wanted.texts:
            return named
        return named | pl.col("value").str.contains_any(self._wanted.texts, ascii_case_insensitive=True)

    def _may_hold(self, path: str) -> bool:
        shard = _SHARD.search(path)
        return shard is None or self._lake.layout > 1 or int(shard[1]) in self.shards
