"""The log of one Delta table. Belongs here: what is written to it and read from it by `deltalake`; no manifests.

A log is one commit after another; here each is written with a checkpoint, so that logs of versions before can go.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from aivo_assets.lake.commits.manifest import Entry
from aivo_assets.lake.lake_reader import polars_options
from aivo_assets.lake.storage.storage import Storage

LOG: Final = "_delta_log"
_VERSION = re.compile(r"^(\d{20})\.")


class DeltaLog:
    """The log of the table in one folder of a lake.

    Args:
        storage: The lake's.
        path: Of the dataset.
    """

    def __init__(self, storage: Storage, path: str) -> None:
        self._storage, self._path = storage, path
        self.uri = storage.location(path)

    def files(self) -> tuple[int, dict[str, tuple[int, int]]] | None:
        """The newest version, and the files that it names: path to bytes and rows. None where there is no table."""
        table = self._table()
        if table is None:
            return None
        actions = pl.DataFrame(table.get_add_actions(flatten=True))
        columns = (actions["path"], actions["size_bytes"], actions["num_records"])
        return int(table.version()), {path: (size, rows) for path, size, rows in zip(*columns, strict=True)}

    def write(self, files: Mapping[str, Entry], schema: Mapping[str, Any], name: str) -> int:
        """One more version that names these files and no others, or the first one.

        Args:
            files: Path below the dataset's folder to the entry of its manifest.
            schema: Columns and dtypes; a file that lacks one of them reads as null there.
            name: Of the table.

        Returns:
            The version.
        """
        from deltalake.transaction import create_table_with_add_actions  # noqa: PLC0415 - a second that few need

        table, added, columns = self._table(), _added(files), _schema(schema)
        if table is None:
            create_table_with_add_actions(
                self.uri, columns, added, mode="error", name=name, storage_options=self._options()
            )
        else:
            table.create_write_transaction(added, mode="overwrite", schema=columns)
        written = self._table()
        assert written is not None
        written.create_checkpoint()
        return int(written.version())

    def has_schema(self, schema: Mapping[str, Any]) -> bool:
        """Whether the table has these columns."""
        table = self._table()
        return table is not None and bool(table.schema() == _schema(schema))

    def forget_before(self, version: int) -> bool:
        """Remove the logs of versions before one; returns False where that one needs them, for want of a checkpoint."""
        folder = f"{self._path}/{LOG}"
        names = [name for name in self._storage.files(folder, "") if _VERSION.match(name)]
        if f"{version:020d}.checkpoint.parquet" not in names:
            return False
        self._storage.remove(f"{folder}/{name}" for name in names if int(name[:20]) < version)
        return True

    def remove(self) -> int:
        """Remove the log: there is no table any more; returns the number of its files."""
        folder = f"{self._path}/{LOG}"
        names = sorted(self._storage.files(folder, ""))  # the newest version stays readable until it goes as the last
        for name in names:
            self._storage.remove([f"{folder}/{name}"])
        return len(names)

    def _table(self) -> Any:
        import deltalake  # noqa: PLC0415
        from deltalake.exceptions import TableNotFoundError  # noqa: PLC0415

        if not self._storage.files(f"{self._path}/{LOG}", ""):
            return None
        try:
            return deltalake.DeltaTable(self.uri, storage_options=self._options())
        except TableNotFoundError:
            return None

    def _options(self) -> dict[str, str] | None:
        given = polars_options(self._storage)
        if given is None:
            return None
        return {name: str(value) for name, value in given.items()} | {"aws_conditional_put": "etag"}


def _added(files: Mapping[str, Entry]) -> list[Any]:
    from deltalake.transaction import AddAction  # noqa: PLC0415

    return [
        AddAction(
            path,
            int(entry["bytes"]),
            {},
            modification_time=0,
            data_change=True,
            stats=json.dumps({"numRecords": int(entry["rows"])}),
        )
        for path, entry in files.items()
    ]


def _schema(schema: Mapping[str, Any]) -> Any:
    """Delta's columns; it knows no enumerations, so those are texts, as their bytes in the files are."""
    from deltalake import Schema  # noqa: PLC0415

    texts = {name: pl.String if dtype == pl.Enum else dtype for name, dtype in schema.items()}
    return Schema.from_arrow(pl.DataFrame(schema=texts).to_arrow().schema)
