"""The learner table of the file sources: one CSV or Parquet file. Belongs here: reading it; nothing is judged."""

import polars as pl

from aivo_assets.events.sources.columns import LEARNER_NAMES, mapped
from aivo_assets.events.sources.delimited import Dialect, read_blocks, read_header
from aivo_assets.events.sources.files import find_files, refuse_empty, unreadable
from aivo_assets.events.tidying import tidied
from aivo_assets.settings import SourceSettings

_VARIABLE = "AIVO_SOURCE_LEARNER_COLUMNS"


def read_learners(settings: SourceSettings) -> pl.DataFrame | None:
    """The learner table that the settings name; None where they name none.

    Columns are named as in `Learner`, with `_location`, `_row` and `_given`, the identifier as it stands there. A line
    of which no row can be made is a row without a learner, whose text stands in `_broken` and reason in `_problem`.

    Raises:
        SourceError: The file is absent, empty or unreadable, or has no column for the learner.
        SettingsError: The mapping names a column that is not ours.
    """
    if settings.learner_path is None:
        return None
    files = find_files(settings.learner_path, variable="AIVO_SOURCE_LEARNER_PATH")
    frames = []
    for file in files:
        place = str(file)
        if file.name.endswith(".parquet"):
            try:
                table = pl.scan_parquet(place, row_index_name="_row", row_index_offset=1)
                columns = _mapping(settings, table.collect_schema().names(), place)
                frame = table.select(pl.col("_row").cast(pl.Int64), **_renamed(columns)).collect()
            except (OSError, pl.exceptions.PolarsError) as error:
                raise unreadable(place, error) from error
            frames.append(frame.with_columns(_location=pl.lit(place)))
            continue
        dialect = Dialect(delimiter="\t" if file.name.endswith((".tsv", ".txt")) else ",", encoding=settings.encoding)
        columns = _mapping(settings, read_header(file, dialect), place)
        for block in read_blocks(file, dialect, sorted(set(columns.values()))):
            broken = pl.DataFrame(
                block.broken, schema={"_row": pl.Int64, "_broken": pl.String, "_problem": pl.String}, orient="row"
            )
            rows = block.frame.select("_row", **_renamed(columns))
            frames.append(pl.concat([rows, broken], how="diagonal").with_columns(_location=pl.lit(place)))
    if not sum(frame.height for frame in frames):
        raise refuse_empty(files)
    read = pl.concat(frames, how="diagonal_relaxed")
    return tidied(read.with_columns(_given=pl.col("learner_id").cast(pl.String)), settings.missing_values)


def _mapping(settings: SourceSettings, available: list[str], place: str) -> dict[str, str]:
    # What is mapped for events holds for the learner table too, where the table has such a column.
    shared = {
        ours: theirs for ours, theirs in settings.columns.items() if ours in LEARNER_NAMES and theirs in available
    }
    chosen = {**shared, **settings.learner_columns}
    return mapped(LEARNER_NAMES, chosen, available, place=place, required=("learner_id",), variable=_VARIABLE)


def _renamed(columns: dict[str, str]) -> dict[str, pl.Expr]:
    return {ours: pl.col(theirs) for ours, theirs in columns.items()}
