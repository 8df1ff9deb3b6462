"""What other programs may read as Delta tables. Belongs here: which datasets, and keeping all of them published."""

from typing import Final

from aivo_assets.adaptive.schema import ITEM_BANK, LEVELS, OUTCOMES, RECOMMENDATIONS
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.lake import Lake
from aivo_assets.lake.delta import DeltaTable, publish, standing, unpublish
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets.tracing.judging.verdicts import VERDICTS
from aivo_assets.warehouse.kept_marts import keep_marts, kept_marts

GOLD: Final = (
    ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS, STUDENT_MODELS, SKILL_MASTERY, RECOMMENDATIONS, OUTCOMES, ITEM_BANK,
    LEVELS, VERDICTS, DRIFT_VERDICTS,
)  # fmt: skip
"""Beside the marts, whatever dbt makes."""


def publish_gold(lake: Lake) -> list[DeltaTable]:
    """Bring every table to what the lake holds; the same again changes nothing."""
    return [publish(lake, dataset) for dataset in (*GOLD, *keep_marts(lake))]


def gold_standing(lake: Lake) -> list[DeltaTable]:
    """What every table names beside what the lake holds; nothing is written."""
    return [standing(lake, dataset) for dataset in (*GOLD, *kept_marts(lake))]


def unpublish_gold(lake: Lake) -> list[str]:
    """Take every table away, and return the datasets that had one; the datasets themselves stay."""
    return [dataset.path for dataset in (*GOLD, *kept_marts(lake)) if unpublish(lake, dataset)]
