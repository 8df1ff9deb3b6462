"""The anonymised lake as SQL tables. Belongs here: views over current files, and who may write them.

A DuckDB file has one writer. `exclusive` lets one process at a time publish and build; a process that dies lets go.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from aivo_assets.errors import ServiceError
from aivo_assets.lake import Dataset, Lake
from aivo_assets.lake.file_lock import LockHeldError, held
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS

SCHEMA = "lake"
TABLES: dict[str, Dataset] = {"interactions": ANONYMISED_INTERACTIONS, "learners": ANONYMISED_LEARNERS}


def publish(lake: Lake, warehouse_path: Path) -> dict[str, int]:
    """Make the current files of the anonymised lake the views `lake.interactions` and `lake.learners`.

    The lake's manifests say which files count. A dataset that holds nothing is an empty table of its columns. In a
    folder, that of the marts is made, because dbt writes into it and does not make it. Of a lake in an object store
    DuckDB reads through the same client as the lake does.

    Args:
        lake: The lake.
        warehouse_path: The DuckDB file; made where there is none.

    Returns:
        Number of files behind each view.

    Raises:
        ServiceError: Another process holds the DuckDB file open.
    """
    if lake.storage.is_folder:
        (lake.root / "marts").mkdir(parents=True, exist_ok=True)
    warehouse_path.parent.mkdir(parents=True, exist_ok=True)
    files = {table: lake.files(dataset) for table, dataset in TABLES.items()}
    try:
        connection = duckdb.connect(str(warehouse_path))
    except duckdb.IOException as error:
        raise ServiceError(
            f"The warehouse {warehouse_path} cannot be opened: {error}",
            fix="Close whatever has it open (a DuckDB shell?); readers can use the Parquet files of the marts instead.",
        ) from error
    with connection:
        if not lake.storage.is_folder:
            connection.register_filesystem(lake.root.fs)
        connection.execute("begin")
        connection.execute(f"create schema if not exists {SCHEMA}")
        for table, dataset in TABLES.items():
            rows = _parquet(files[table]) if files[table] else _nothing(connection, dataset)
            connection.execute(f"create or replace view {SCHEMA}.{table} as {rows}")
        connection.execute("commit")
    return {table: len(paths) for table, paths in files.items()}


@contextmanager
def exclusive(warehouse_path: Path, *, wait_seconds: float = 600.0) -> Iterator[None]:
    """Keep other processes from publishing to or building in the warehouse meanwhile.

    Args:
        warehouse_path: The DuckDB file.
        wait_seconds: How long to wait for the one before.

    Raises:
        ServiceError: The one before did not finish in time.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(held(warehouse_path.with_suffix(".lock"), wait_seconds=wait_seconds))
        except LockHeldError as error:
            raise ServiceError(
                f"The warehouse {warehouse_path} has been in use for {wait_seconds:.0f} s",
                fix="Wait for the other run to end, or end it; a lock goes with its process.",
            ) from error
        yield


def _parquet(files: list[str]) -> str:
    listed = ", ".join(f"'{_escaped(file)}'" for file in files)
    return f"select * from read_parquet([{listed}], hive_partitioning = false)"  # noqa: S608  no user input


def _nothing(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> str:
    """No row of the dataset's columns; DuckDB itself says which of its types they are."""
    empty = connection.from_arrow(dataset.empty().to_arrow())
    columns = ", ".join(
        f'cast(null as {dtype}) as "{name}"' for name, dtype in zip(empty.columns, empty.types, strict=True)
    )
    return f"select {columns} where false"


def _escaped(path: str) -> str:
    return path.replace("'", "''")
