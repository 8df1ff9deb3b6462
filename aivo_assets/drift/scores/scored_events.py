"""What the champion said of each answer before it saw it. Belongs here: features and probabilities to one frame."""

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.drift.schema import FEATURE_COLUMNS, SCORED_EVENTS
from aivo_assets.tracing.fold.schema import FeatureTable


def scored_events(table: FeatureTable, probability: npt.NDArray[np.float64], *, model_version: str) -> pl.DataFrame:
    """Keys, answers, probabilities and the few features that explain a drift.

    Args:
        table: Features of n events, each as it was before the answer.
        probability: float64 [n], the model's.
        model_version: Version of the model.

    Returns:
        n rows of SCORED_EVENTS, in the order of the table.
    """
    explaining = {name: table.column(name) for name in FEATURE_COLUMNS if name in table.names}
    return table.keys.with_columns(
        pl.Series("probability", probability),
        pl.lit(model_version).alias("model_version"),
        pl.col("response_time_ms").cast(pl.Float32),
        pl.Series("seen_item", table.column("item_opportunities") > 0),
        *(pl.Series(name, values) for name, values in explaining.items()),
    ).select(list(SCORED_EVENTS.schema))
