"""Stage 5, before the main brain: with which hyper-parameters it is fitted, searched for within a budget of the run."""

from datetime import date
from typing import Any

import dagster as dg

from aivo_assets.assets.describe import columns, daily_asset
from aivo_assets.assets.stored import ensure_training, stored_training
from aivo_assets.automation.partitions import as_of
from aivo_assets.lake import Lake
from aivo_assets.operations.jobs.names import WEEKLY_JOB
from aivo_assets.settings import Settings, TrainingSettings, TuningSettings
from aivo_assets.tracing.model.provenance import code_version
from aivo_assets.tracing.model.search.hyperparameters import (
    COLUMN_DESCRIPTIONS,
    HYPERPARAMETERS,
    Answer,
    Budget,
    inputs_of,
    search,
    to_frame,
    tuned,
)
from aivo_assets.tracing.model.training import TRAINING_FEATURES

TUNING_TAG = "aivo/tuning"  # of a run: daily, weekly or off, whatever its job


@daily_asset(
    "main_brain",
    deps=["training_features", "population_statistics"],
    description="What the main brain of this day is fitted with: the best found so far, on learners held out from the "
    "rows that may fit a model, within the run's budget of trials and seconds. The weekly run searches longer. An "
    "answer stands for its day: the same data, settings and code are not searched again with no larger budget.",
    kinds={"optuna", "lightgbm"},
    pool="main_brain",
    metadata=columns(HYPERPARAMETERS, COLUMN_DESCRIPTIONS),
)
def main_brain_hyperparameters(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Search as of the last day of this run, unless the day has an answer."""
    day = as_of(context)
    budget = budget_of(context.job_name, context.run.tags.get(TUNING_TAG), settings.tuning)
    ensure_training(lake, day, settings)
    data, code = lake.version(TRAINING_FEATURES, days=[day]), code_version("model.search.hyperparameters")
    inputs = inputs_of(settings.training, settings.tuning, data=data, code=code)
    rows_in, figures = 0, _standing(lake, day, inputs, budget)
    if figures is None:
        training = stored_training(lake, day, settings)
        answer = search(
            training,
            settings.training,
            settings.tuning,
            budget,
            home=settings.home,
            day=day,
            inputs=inputs,
            database=settings.models_database,
        )
        rows_in, figures = answer.sample.rows, _figures(answer)
        made_by = {"inputs": inputs, "trials": budget.trials, "seconds": budget.seconds, "figures": figures}
        lake.write(HYPERPARAMETERS, to_frame(answer, settings.training, day=day), day=day, made_by=made_by)
    context.log.info(figures["reason"])
    stored = lake.scan(HYPERPARAMETERS, days=[day]).collect()
    return dg.MaterializeResult(
        metadata={
            "rows_in": rows_in,
            "rows_out": stored.height,
            **figures,
            **{row["parameter"]: row["value"] for row in stored.to_dicts()},
        },
        data_version=dg.DataVersion(lake.version(HYPERPARAMETERS, days=[day])),
    )


def training_settings(lake: Lake, day: date, settings: Settings) -> TrainingSettings:
    """The training settings with what was found for a day in place of their own."""
    return tuned(settings.training, lake.scan(HYPERPARAMETERS, days=[day]).collect())


def budget_of(job: str, tag: str | None, settings: TuningSettings) -> Budget:
    """How long a run may search.

    Args:
        job: Its job; the weekly one has more.
        tag: Value of its tag `aivo/tuning`, which overrules the job: daily, weekly, or off.
        settings: Both budgets.
    """
    wanted = tag or ("weekly" if job == WEEKLY_JOB else "daily")
    if wanted == "off":
        return Budget(0, settings.seconds)
    if wanted == "weekly":
        return Budget(settings.weekly_trials, settings.weekly_seconds)
    return Budget(settings.trials, settings.seconds)


def _standing(lake: Lake, day: date, inputs: str, budget: Budget) -> dict[str, Any] | None:
    """Figures of the answer that stands for a day, or None where there is none with as large a budget."""
    manifest = lake.manifest(HYPERPARAMETERS, day=day)
    if manifest is None or manifest["made_by"].get("inputs") != inputs:
        return None
    stored = Budget(manifest["made_by"]["trials"], manifest["made_by"]["seconds"])
    # A budget of 0 skips the search: the settings are used as they are.
    fits = stored.covers(budget) if budget.trials else stored.trials == 0
    figures: dict[str, Any] = manifest["made_by"]["figures"]
    return figures if fits else None


def _figures(answer: Answer) -> dict[str, Any]:
    studied = answer.studied
    figures = {
        "reason": answer.reason,
        "score": answer.score,
        "score of the settings": answer.settings_score,
        "searched on": answer.sample.sentence,
        "trials finished": None if studied is None else len(studied.tried),
        "trials ended early": None if studied is None else studied.pruned,
        "trials failed": None if studied is None else studied.failed,
        "trials known from before": None if studied is None else studied.earlier,
    }
    return {name: value for name, value in figures.items() if value is not None}
