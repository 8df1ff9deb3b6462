"""The marts as datasets that are replaced as a whole. Belongs here: giving files of dbt a second name, without a copy.

dbt writes `marts/NAME.parquet` anew in its place. A Delta table needs files that stay as long as its log names them, so
each mart's file gets a name of its own below `marts/delta/NAME`, as a unit of the lake.
"""

from typing import Final

import polars as pl

from aivo_assets.lake import Dataset, Lake, Staged
from aivo_assets.lake.commits.manifest import content_of, new_path
from aivo_assets.lake.lake_reader import polars_options

MARTS: Final = "marts"
KEPT: Final = "marts/delta"
_ENDING = ".parquet"


def keep_marts(lake: Lake) -> list[Dataset]:
    """Give the present file of each mart a name that stays, and return the marts as datasets.

    A mart that is gone from the folder keeps its dataset as it was.
    """
    for file in lake.storage.files(MARTS, ""):
        if file.endswith(_ENDING) and not file.startswith("."):
            _keep(lake, f"{MARTS}/{file}", file.removesuffix(_ENDING))
    return kept_marts(lake)


def kept_marts(lake: Lake) -> list[Dataset]:
    """The marts that are kept so, with the columns that their files have."""
    found = [Dataset(f"{KEPT}/{name}", {}) for name in lake.storage.folders(KEPT, "")]
    return [Dataset(mart.path, _columns(lake, files[0])) for mart in found if (files := lake.files(mart))]


def _keep(lake: Lake, path: str, name: str) -> None:
    mart, content = Dataset(f"{KEPT}/{name}", {}), lake.storage.content(path)
    if content is None:
        return
    digest, size = content
    present = lake.manifest(mart)
    if present is not None and [content_of(str(entry["path"])) for entry in present["files"]] == [digest]:
        return
    new = new_path("", digest)
    lake.prepare()
    lake.storage.link(path, f"{mart.path}/{new}")
    kept = lake.storage.location(f"{mart.path}/{new}")
    rows = int(_scan(lake, kept).select(pl.len()).collect().item())
    entry = {"path": new, "rows": rows, "bytes": size}
    lake.commit([Staged(mart.path, lake.place(mart, mart.path), None, (entry,), made_by={"mart": path})])


def _columns(lake: Lake, file: str) -> dict[str, pl.DataType]:
    return dict(_scan(lake, file).collect_schema())


def _scan(lake: Lake, file: str) -> pl.LazyFrame:
    return pl.scan_parquet(file, hive_partitioning=False, glob=False, storage_options=polars_options(lake.storage))
