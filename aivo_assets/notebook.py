"""What notebooks and scripts ask the platform: the champion, its predictions, the recommendations. See docs/python.md.

Belongs here: a question that people ask from Python, answered from the lake and the registry in a few lines. Nothing
is written, and no asset uses it.
"""

from datetime import UTC, date, datetime

import polars as pl

from aivo_assets.adaptive.schema import ITEM_BANK, RECOMMENDATIONS
from aivo_assets.errors import LakeError, ModelError
from aivo_assets.lake import Dataset, Lake
from aivo_assets.lake.shards import shard_of
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.catalogue import feature_schema
from aivo_assets.tracing.fold.features import query
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.students.state_store import StateStore


def load_champion(settings: Settings) -> MainBrain:
    """The main brain that serves.

    Args:
        settings: `load_settings()`; AIVO_HOME says which registry, the feature settings what the model has to read.

    Raises:
        ModelError: No model serves with these features, because none was promoted yet or its files are damaged.
    """
    serving = Registry(settings.home, settings.models_database).champion(feature_schema(settings.features))
    if serving is None:
        raise ModelError(
            f"No main brain serves below {settings.home}",
            fix="Train one (`aivo run`, or `make demo` for a simulated school), or set AIVO_HOME to where one is.",
        )
    return serving.brain


def predict_answers(
    lake: Lake, brain: MainBrain, questions: pl.DataFrame, settings: Settings, *, at: datetime | None = None
) -> pl.DataFrame:
    """Probability that learners answer items correctly, were they asked now.

    Args:
        lake: `open_lake(settings)`, with the learners' states and the item bank.
        brain: The champion: the states are made with its statistics.
        questions: learner (pseudonym) and item_id, one row a question, in any order.
        settings: `load_settings()`.
        at: When the items would be asked, UTC; default now, by the machine's clock.

    Returns:
        The questions with `subject`, `skill_ids` and `probability` (Float64), in the order given.

    Raises:
        LakeError: An item is not in the item bank.
        ModelError: The states were made with another model than this one.
    """
    bank = _newest(lake, ITEM_BANK)
    if bank.is_empty():
        raise LakeError("There is no item bank", fix="Run `aivo run` over days with answers first.")
    content = bank.select("item_id", "subject", "skill_ids")
    unknown = questions.join(content, on="item_id", how="anti")["item_id"].unique().sort()
    if len(unknown):
        raise LakeError(
            f"{len(unknown)} items are not in the item bank, the first is {unknown[0]!r}",
            fix="Ask about items that somebody has answered; `lake.scan(ITEM_BANK)` lists them.",
        )
    asked = questions.join(content, on="item_id", how="left", maintain_order="left").with_columns(
        at=pl.lit(at or datetime.now(UTC)).cast(pl.Datetime("us", "UTC")),
        _shard=shard_of(pl.col("learner"), lake.shards),
        _row=pl.int_range(pl.len()),
    )
    answered = []
    for (shard,), part in asked.partition_by("_shard", as_dict=True).items():
        states = StateStore(lake).read(int(shard), part["learner"].unique())
        table = query(part.drop("_shard", "_row"), brain.statistics, states, settings.features)
        answered.append(part.with_columns(probability=pl.Series(brain.predict(table))))
    return pl.concat(answered).sort("_row").drop("_shard", "_row", "at") if answered else asked.drop("_shard", "_row")


def read_recommendations(lake: Lake, *, day: date | None = None) -> pl.DataFrame:
    """Recommendations of one day; rank 1 is what a learner should do next.

    Args:
        lake: `open_lake(settings)`.
        day: UTC day as of which they were made; default the newest that has any.

    Returns:
        Columns of `RECOMMENDATIONS` (described in docs/recommendations.md), ascending by learner and rank; no row where
        nothing was recommended.
    """
    frame = _newest(lake, RECOMMENDATIONS) if day is None else lake.scan(RECOMMENDATIONS, days=[day]).collect()
    return frame.sort("learner", "rank")


def _newest(lake: Lake, dataset: Dataset) -> pl.DataFrame:
    """Rows of the newest day that has any."""
    frames = (lake.scan(dataset, days=[day]).collect() for day in reversed(lake.days(dataset)))
    return next((frame for frame in frames if frame.height), dataset.empty())
