"""What only grows is kept for a while. Belongs here: which datasets and files go after how long; runs are elsewhere.

Answers are never removed, nor what says where they came from. What is removed is made from them again when it is asked
for, and of everything that is read as "the newest" the newest stays, however old it is.
"""

import shutil
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from aivo_assets.adaptive.schema import ITEM_BANK, LEVELS, OUTCOMES, RECOMMENDATIONS, SIGNALS
from aivo_assets.drift.schema import DRIFT_SCORES, DRIFT_VERDICTS, PAST_SCORED_EVENTS, SCORED_EVENTS
from aivo_assets.drift.verdicts.training_need import TRAINING_NEED
from aivo_assets.events.receipts import RECEIPTS_PATH, read_receipts
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Dataset, Lake
from aivo_assets.lake.layout.left_over import remove_left_layouts
from aivo_assets.operations.alerts.interventions import NOTIFIED
from aivo_assets.operations.published import GOLD, unpublish_gold
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.judging.shadow import SHADOW
from aivo_assets.tracing.judging.verdicts import VERDICTS
from aivo_assets.tracing.model.search.hyperparameters import HYPERPARAMETERS
from aivo_assets.tracing.model.search.studies import Studies
from aivo_assets.tracing.students.intervals import INTERVALS
from aivo_assets.tracing.students.model_store import oldest_in_force
from aivo_assets.tracing.students.state_store import LAYERED
from aivo_assets.warehouse import target_dir

DERIVED: Final = (
    ITEM_BANK, LEVELS, OUTCOMES, RECOMMENDATIONS, SIGNALS, DRIFT_SCORES, DRIFT_VERDICTS, TRAINING_NEED, NOTIFIED,
    SHADOW, VERDICTS, HYPERPARAMETERS, INTERVALS,
)  # fmt: skip
MODELS: Final = (STUDENT_MODELS, SKILL_MASTERY)
SCORED: Final = (SCORED_EVENTS, PAST_SCORED_EVENTS)
ANSWERS: Final = (RAW_INTERACTIONS, ANONYMISED_INTERACTIONS)
REPORTS: Final = "drift/reports"


def prune(lake: Lake, settings: Settings, today: date, others: Iterable[Dataset] = ()) -> dict[str, int]:
    """Remove what has been kept for long enough; the same again removes nothing.

    Args:
        lake: Where it lies.
        settings: How long each kind is kept.
        today: The present UTC day.
        others: Datasets besides those known here that are kept as derived ones are.

    Returns:
        What was removed, kind to number.
    """
    keep = settings.retention
    derived = today - timedelta(days=keep.derived_days)
    scored = today - timedelta(days=max(keep.scored_days, 2 * settings.drift.window_days))
    in_force = oldest_in_force(lake, until=today) or derived
    removed = {
        "days of derived datasets": sum(_days(lake, dataset, derived) for dataset in (*DERIVED, *others)),
        "days of student models": sum(_days(lake, dataset, min(derived, in_force)) for dataset in MODELS),
        "days of scored answers": sum(_days(lake, dataset, scored) for dataset in SCORED),
        "drift reports": _reports(lake, derived),
        "receipts": _receipts(lake, today - timedelta(days=keep.receipt_days)),
        "searches for hyper-parameters": Studies(settings.home, settings.models_database).forget(keep.studies),
        "versions of the main brain": Registry(settings.home, settings.models_database).forget(keep.versions),
        "builds of the marts": _builds(target_dir(settings) / "runs", keep.warehouse_runs),
        "manifests of a layout of shards before": remove_left_layouts(lake, LAYERED),
    }
    if not settings.lake.delta:
        removed["Delta tables that are kept up no more"] = len(unpublish_gold(lake))
    kept = {dataset.path: dataset for dataset in (*ANSWERS, *DERIVED, *MODELS, *SCORED, *GOLD, *others)}
    return removed | {"files of versions before": sum(lake.tidy(dataset) for dataset in kept.values())}


def _days(lake: Lake, dataset: Dataset, before: date) -> int:
    newest = lake.newest_days(dataset, 1)
    gone = [day for day in lake.days(dataset) if day < before and day not in newest]
    for day in gone:
        lake.remove(dataset, day=day)
    return len(gone)


def _builds(folder: Path, keep: int) -> int:
    """What dbt compiled and reported of all but the newest builds."""
    builds = sorted((each for each in folder.glob("*") if each.is_dir()), key=lambda each: each.stat().st_mtime)
    for build in builds[:-keep]:
        shutil.rmtree(build, ignore_errors=True)  # a build that begins meanwhile is among the newest
    return len(builds[:-keep])


def _reports(lake: Lake, before: date) -> int:
    names = lake.storage.files(REPORTS, "day=")
    gone = [name for name in names[:-1] if name < f"day={before.isoformat()}"]
    lake.storage.remove(f"{REPORTS}/{name}" for name in gone)
    return len(gone)


def _receipts(lake: Lake, before: date) -> int:
    """Receipts of landings before a day; the last one of each source stays, for it tells when answers last came."""
    receipts = read_receipts(lake)
    last = {receipt.source: receipt.run for receipt in receipts}
    runs = {each.run for each in receipts if each.landed_at.date() < before} - set(last.values())
    names = [name for name in lake.storage.files(RECEIPTS_PATH, "") if name.split(".", 1)[0] in runs]
    lake.storage.remove(f"{RECEIPTS_PATH}/{name}" for name in names)
    return len(names)
