"""A past day again: what was pruned is made when it is asked for, and nothing of a past day knows later answers."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import pytest

from aivo_assets.assets.brain.features import fold_training_events
from aivo_assets.assets.brain.main_brain import CANDIDATES, main_brain_candidate
from aivo_assets.errors import LakeError
from aivo_assets.lake import Lake
from aivo_assets.resources.clock import FixedClock
from aivo_assets.resources.platform import open_lake
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.model.training import ITEM_STATISTICS, TRAINING_FEATURES
from aivo_assets_tests.tracing.small_lake import FIRST, events, filled, settings

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
WEEKS = [FIRST + timedelta(days=days) for days in (8, 11, 14, 17)]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = open_lake(settings(tmp_path))
    filled(lake, events(learners=40, days=18))
    return lake


def materialise(given: Settings, day: date, assets: list[dg.AssetsDefinition]) -> None:
    now = datetime.combine(day + timedelta(days=1), time(2), tzinfo=UTC)
    dg.materialize(
        assets,
        resources={
            "settings": given, "lake": open_lake(given), "registry": Registry(given.home),
            "clock": dg.ResourceDefinition.hardcoded_resource(FixedClock(now)),
        },
        partition_key=day.isoformat(),
    )  # fmt: skip


def test_a_training_as_of_any_past_day_keeps_its_features_and_no_more_sets_than_the_setting_says(
    tmp_path: Path, lake: Lake
) -> None:
    given = settings(tmp_path, retention={"feature_sets": 3})
    for day in WEEKS:
        materialise(given, day, [fold_training_events])
    assert lake.days(TRAINING_FEATURES) == lake.days(ITEM_STATISTICS) == WEEKS[1:]
    materialise(given, WEEKS[0], [fold_training_events])
    assert lake.days(TRAINING_FEATURES) == [WEEKS[0], *WEEKS[2:]]


def test_a_model_of_a_past_day_folds_again_what_was_pruned_and_is_the_same_model(tmp_path: Path, lake: Lake) -> None:
    given = settings(tmp_path, retention={"feature_sets": 1}, tuning={"trials": 0})
    materialise(given, WEEKS[0], [fold_training_events, main_brain_candidate])
    materialise(given, WEEKS[1], [fold_training_events])
    assert lake.days(TRAINING_FEATURES) == [WEEKS[1]]
    materialise(given, WEEKS[0], [main_brain_candidate])
    assert lake.days(TRAINING_FEATURES) == [WEEKS[0]]
    assert [version.number for version in Registry(tmp_path).versions()] == [1]
    assert lake.scan(CANDIDATES, days=[WEEKS[0]]).collect()["version"].to_list() == [1]


def test_features_folded_with_other_settings_are_folded_again_before_a_model_reads_them(
    tmp_path: Path, lake: Lake
) -> None:
    materialise(settings(tmp_path), WEEKS[1], [fold_training_events])
    before = lake.version(TRAINING_FEATURES, days=[WEEKS[1]])
    materialise(settings(tmp_path, features={"ability_sd": 2.0}), WEEKS[1], [main_brain_candidate])
    assert lake.version(TRAINING_FEATURES, days=[WEEKS[1]]) != before


def test_a_day_before_every_answer_says_what_to_materialise_first(tmp_path: Path, lake: Lake) -> None:
    with pytest.raises(LakeError, match="no anonymised_interactions of 2026-01-03") as refused:
        materialise(settings(tmp_path), FIRST - timedelta(days=2), [main_brain_candidate])
    assert "2026-01-22" in refused.value.what
    assert lake.days(CANDIDATES) == []
