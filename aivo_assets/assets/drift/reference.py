"""What a champion promised, for drift to hold it against: its hold-out, found again among the stored answers."""

import polars as pl

from aivo_assets.assets.brain.features import training_days
from aivo_assets.drift.schema import DRIFT_REFERENCE
from aivo_assets.drift.scores.hold_out import HoldOutTask, score_hold_out
from aivo_assets.engine import Engine, InProcess
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.catalogue import feature_schema
from aivo_assets.tracing.judging.evaluation import Evaluation
from aivo_assets.tracing.judging.registry import Registry, Serving


def restore_reference(lake: Lake, registry: Registry, settings: Settings, engine: Engine | None = None) -> None:
    """Write the drift reference of the champion that serves, after a move that no training made.

    Where its hold-out is not in the lake any more, the present reference stays; drift does not compare other versions.
    """
    serving = registry.champion(feature_schema(settings.features))
    if serving is None:
        return
    promised = reference_of(lake, serving, registry.evaluation(serving.version.number), settings, engine)
    if promised.height:
        lake.write(DRIFT_REFERENCE, promised)


def reference_of(
    lake: Lake, serving: Serving, evaluation: Evaluation, settings: Settings, engine: Engine | None = None
) -> pl.DataFrame:
    """What a model said of its own hold-out: rows of DRIFT_REFERENCE, in the order in which its training wrote them."""
    task = HoldOutTask(
        lake,
        serving.brain,
        str(serving.version.number),
        tuple(training_days(lake, serving.version.as_of, settings)),
        (evaluation.since, evaluation.until),
        settings.features,
    )
    parts = (engine or InProcess()).map(score_hold_out, task, range(lake.shards))
    return pl.concat([DRIFT_REFERENCE.empty(), *parts]).sort("learner", maintain_order=True)
