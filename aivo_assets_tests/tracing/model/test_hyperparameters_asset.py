"""A day's search is made once: run again, the asset gives the stored answer and changes nothing."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from aivo_assets.assets.brain.hyperparameters import (
    TUNING_TAG,
    budget_of,
    main_brain_hyperparameters,
    training_settings,
)
from aivo_assets.lake import Lake, open_lake
from aivo_assets.settings import Settings, TuningSettings
from aivo_assets.tracing.model.search.hyperparameters import HYPERPARAMETERS, Budget, values_of
from aivo_assets_tests.tracing.small_lake import FIRST, events, filled, settings, trained_on

DAY = FIRST + timedelta(days=19)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Lake]:
    made = settings(tmp_path_factory.mktemp("home"))
    lake = open_lake(made)
    filled(lake, events(days=20))
    trained_on(lake, DAY, made)
    return made, lake


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        yield instance


def materialise(
    stored: tuple[Settings, Lake], instance: dg.DagsterInstance, day: date = DAY, **tags: str
) -> dict[str, object]:
    result = dg.materialize(
        [main_brain_hyperparameters],
        resources={"settings": stored[0], "lake": stored[1]},
        partition_key=day.isoformat(),
        instance=instance,
        tags={TUNING_TAG: tags["tuning"]} if "tuning" in tags else None,
    )
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_a_second_run_of_the_day_gives_the_stored_answer_and_a_longer_search_replaces_it(
    stored: tuple[Settings, Lake], instance: dg.DagsterInstance
) -> None:
    given, lake = stored
    first = materialise(stored, instance)
    version = lake.version(HYPERPARAMETERS, days=[DAY])
    studies = given.home / "optuna" / "studies.db"
    before = studies.read_bytes()
    second = materialise(stored, instance)
    assert lake.version(HYPERPARAMETERS, days=[DAY]) == version
    assert studies.read_bytes() == before
    assert {**second, "rows_in": first["rows_in"]} == first
    assert first["trials finished"] == 2
    assert values_of(training_settings(lake, DAY, given)) == {name: first[name] for name in values_of(given.training)}

    longer = Settings.model_validate(
        {**given.model_dump(), "tuning": {**given.tuning.model_dump(), "weekly_trials": 4}}
    )
    weekly = materialise((longer, lake), instance, tuning="weekly")
    assert weekly["trials known from before"] == 2
    assert weekly["score"] <= first["score"]  # type: ignore[operator]
    after = lake.version(HYPERPARAMETERS, days=[DAY])
    materialise((longer, lake), instance)
    assert lake.version(HYPERPARAMETERS, days=[DAY]) == after

    off = materialise(stored, instance, tuning="off")
    assert off["reason"] == "The search is switched off: the settings are taken."
    assert training_settings(lake, DAY, given) == given.training


def test_a_day_without_an_answer_is_trained_with_the_settings(stored: tuple[Settings, Lake]) -> None:
    assert training_settings(stored[1], DAY - timedelta(days=1), stored[0]) == stored[0].training


def test_the_weekly_run_has_more_and_a_tag_overrules_the_job() -> None:
    both = TuningSettings()
    daily, weekly = Budget(both.trials, both.seconds), Budget(both.weekly_trials, both.weekly_seconds)
    assert budget_of("main_brain_training", None, both) == daily
    assert budget_of("weekly_full_retraining", None, both) == weekly
    assert budget_of("main_brain_training", "weekly", both) == weekly
    assert budget_of("weekly_full_retraining", "daily", both) == daily
    assert budget_of("weekly_full_retraining", "off", both).trials == 0
