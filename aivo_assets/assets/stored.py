"""What several assets read back from the lake. Belongs here: reading, no computation."""

import logging
from datetime import date

import polars as pl

from aivo_assets.assets.brain.features import fold_settings, make_training, stored_statistics
from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_LEARNERS
from aivo_assets.settings import Settings
from aivo_assets.tracing.model.training import TRAINING_FEATURES, TrainingSet, from_frames

_log = logging.getLogger(__name__)


def stored_training(lake: Lake, day: date, settings: Settings) -> TrainingSet:
    """Features, split and statistics of the training as of a day; folded again where they are kept no longer.

    Raises:
        LakeError: There are no answers to fold.
        ModelError: There are too few.
    """
    ensure_training(lake, day, settings)
    table = lake.scan(TRAINING_FEATURES, days=[day]).collect()
    return from_frames(table, stored_statistics(lake, day), settings.features, settings.training)


def ensure_training(lake: Lake, day: date, settings: Settings) -> None:
    """Fold the training as of a day where it is not kept, or was folded with other settings.

    Raises:
        LakeError: There are no answers to fold.
        ModelError: There are too few.
    """
    manifest = lake.manifest(TRAINING_FEATURES, day=day)
    folded_with = None if manifest is None else manifest["made_by"].get("settings")
    if manifest is None or folded_with not in (None, fold_settings(settings)):
        make_training(lake, day, settings, _log.info)


def stored_sampling(lake: Lake, day: date) -> str:
    """Which learners the training as of a day was folded from, in a sentence; empty where they are all."""
    manifest = lake.manifest(TRAINING_FEATURES, day=day)
    return "" if manifest is None else str(manifest["made_by"].get("sampling", ""))


def answers_of_training(lake: Lake, day: date) -> str:
    """Version of all the answers up to a day as they were when the training as of it read them."""
    manifest = lake.manifest(TRAINING_FEATURES, day=day)
    return "" if manifest is None else str(manifest["made_by"].get("answers", ""))


def published_attributes(lake: Lake) -> pl.DataFrame | None:
    """Published attributes of learners, to slice by; None where the school gave none."""
    learners = lake.scan(ANONYMISED_LEARNERS).drop("shard").collect()
    return learners if learners.height else None
