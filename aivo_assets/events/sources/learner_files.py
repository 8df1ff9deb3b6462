"""The learner table of the file sources: one CSV or Parquet file. Belongs here: reading it; nothing is judged."""

from functools import partial

import polars as pl
from upath import UPath

from aivo_assets.events.sources.columns import LEARNER_NAMES, mapped
from aivo_assets.events.sources.reading.files import find_files, refuse_empty
from aivo_assets.events.sources.reading.table_files import dialect_of, read_table, refuse_twins
from aivo_assets.events.values.tidying import tidied
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
        for block in read_table(file, dialect_of(settings), partial(_mapping, settings, place)):
            broken = pl.DataFrame(
                block.broken, schema={"_row": pl.Int64, "_broken": pl.String, "_problem": pl.String}, orient="row"
            )
            frames.append(pl.concat([block.frame, broken], how="diagonal").with_columns(_location=pl.lit(place)))
    if not sum(frame.height for frame in frames):
        raise refuse_empty(files)
    read = pl.concat(frames, how="diagonal_relaxed")
    return tidied(read.with_columns(_given=pl.col("learner_id").cast(pl.String)), settings.missing_values)


def _mapping(settings: SourceSettings, place: str, available: list[str]) -> dict[str, str]:
    # What is mapped for events holds for the learner table too, where the table has such a column.
    shared = {
        ours: theirs for ours, theirs in settings.columns.items() if ours in LEARNER_NAMES and theirs in available
    }
    chosen = {**shared, **settings.learner_columns}
    mapping = mapped(LEARNER_NAMES, chosen, available, place=place, required=("learner_id",), variable=_VARIABLE)
    refuse_twins(UPath(place), mapping, chosen, available)
    return mapping
