"""What a champion promised, for drift to hold it against: its hold-out, found again among the stored answers."""

import polars as pl

from aivo_assets.assets.brain.features import training_days
from aivo_assets.drift.schema import DRIFT_REFERENCE
from aivo_assets.drift.scores.scored_events import scored_events
from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.catalogue import feature_schema
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.judging.evaluation import Evaluation
from aivo_assets.tracing.judging.registry import Registry, Serving


def restore_reference(lake: Lake, registry: Registry, settings: Settings) -> None:
    """Write the drift reference of the champion that serves, after a move that no training made.

    Where its hold-out is not in the lake any more, the present reference stays; drift does not compare other versions.
    """
    serving = registry.champion(feature_schema(settings.features))
    if serving is None:
        return
    promised = reference_of(lake, serving, registry.evaluation(serving.version.number), settings)
    if promised.height:
        lake.write(DRIFT_REFERENCE, promised)


def reference_of(lake: Lake, serving: Serving, evaluation: Evaluation, settings: Settings) -> pl.DataFrame:
    """What a model said of its own hold-out: rows of DRIFT_REFERENCE, in the order in which its training wrote them."""
    days = training_days(lake, serving.version.as_of, settings)
    parts = []
    for shard in range(lake.shards):
        events = lake.scan(ANONYMISED_INTERACTIONS, days=days, shards=[shard]).collect()
        if events.is_empty():
            continue
        table = fold(events, serving.brain.statistics, None, settings.features).features
        held_out = table.take(table.keys["occurred_at"].is_between(evaluation.since, evaluation.until).to_numpy())
        said = serving.brain.predict(held_out)
        parts.append(scored_events(held_out, said, model_version=str(serving.version.number)))
    return pl.concat([DRIFT_REFERENCE.empty(), *parts]).sort("learner", maintain_order=True)
