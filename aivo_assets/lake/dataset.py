"""What a dataset is: its place, its columns and the unit that is replaced as a whole. No reading or writing here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

Unit = Literal["whole", "day", "shard", "batch", "layers"]


@dataclass(frozen=True)
class Dataset:
    """One dataset of the lake.

    Attributes:
        path: Folder below the lake's root, zone first: `anonymised/interactions`.
        schema: Columns and dtypes; a dataset that holds nothing yet reads as an empty frame of these.
        unit: What one write replaces: everything, one day, one shard, or one batch (what one writer brought, under a
            name of its own). Layers are kept and read by `Layers` alone.
        sharded: Whether a unit's rows are split into files by their `shard` column (Int32).
    """

    path: str
    schema: Mapping[str, pl.DataType | type[pl.DataType]]
    unit: Unit = "whole"
    sharded: bool = False

    @property
    def zone(self) -> str:
        """First part of the path; everything but `raw` is free of personal data."""
        return self.path.split("/", 1)[0]

    @property
    def by_shard(self) -> bool:
        """Whether its units depend on how many shards the lake has."""
        return self.sharded or self.unit in ("shard", "layers")

    def folder(self, *, day: date | None = None, shard: int | None = None, batch: str | None = None) -> str:
        """Folder of one unit, relative to the lake's root.

        Raises:
            ValueError: The unit is not fully named, or named too precisely.
        """
        if self.unit == "layers":
            raise ValueError(f"{self.path} is kept in layers: read and write it by `Layers`")
        given = {name for name, value in (("day", day), ("shard", shard), ("batch", batch)) if value is not None}
        if given != {self.unit} - {"whole"}:
            raise ValueError(f"{self.path} is replaced by {self.unit}: got day={day}, shard={shard}, batch={batch}")
        if day is not None:
            return f"{self.path}/day={day.isoformat()}"
        if shard is not None:
            return f"{self.path}/{shard_folder(shard)}"
        return self.path if batch is None else f"{self.path}/batch={batch}"

    def empty(self) -> pl.DataFrame:
        """A frame with the dataset's columns and no row."""
        return pl.DataFrame(schema=dict(self.schema))


def shard_folder(shard: int) -> str:
    """How the folder of a shard is called."""
    return f"shard={shard:04d}"
