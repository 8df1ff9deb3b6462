"""Stage 6, intervals: how wide the bands of a student model must be to be honest. No student model is made here."""

import dagster as dg

from aivo_assets.assets.brain.features import training_events
from aivo_assets.assets.describe import columns, daily_asset, step_log
from aivo_assets.automation.partitions import as_of
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings
from aivo_assets.tracing.students.intervals import INTERVALS, fit_intervals
from aivo_assets.tracing.students.later_answers import later_answers


@daily_asset(
    "student_models",
    deps=["anonymised_interactions"],
    description="Factors of the bands' widths, by number of events, fitted to what held-out learners answered next. "
    "Made weekly: another width remakes every student model.",
    kinds={"numba", "parquet"},
    metadata=columns(INTERVALS),
)
def student_intervals(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Stop held-out learners, look at what they answered next, and fit the widths that would have held it."""
    day = as_of(context)
    events, sample = training_events(lake, day, settings)
    step_log(context)(f"stopping learners among {sample.sentence}")
    later = later_answers(events, settings.features, settings.students)
    made = fit_intervals(later).to_frame(day)
    written = lake.write(INTERVALS, made, day=day)
    metadata = {"rows_in": sample.rows, "rows_out": made.height, "later answers": later.height}
    for row in made.to_dicts():
        metadata[f"{row['about']}, {row['band']} events"] = round(row["factor"], 3)
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(written.version))
