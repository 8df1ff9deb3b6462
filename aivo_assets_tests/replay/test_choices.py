"""The settings of a replay: what a person may change, and what a replay keeps to itself."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.errors import SettingsError
from aivo_assets.replay.choices import as_text, own_settings, with_values
from aivo_assets.replay.feed import Feed, Gathered
from aivo_assets.settings import Settings

SECRET = "a secret of thirty-two characters"


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    events = pl.DataFrame({"learner_id": ["ann"], "occurred_at": [datetime(2026, 3, 2, tzinfo=UTC)]})
    return Feed(Gathered(events, None, 1, 0, 1), tmp_path / "feed")


def test_values_are_read_as_the_settings_read_them() -> None:
    made = with_values(
        Settings(), ["drift.retrain_score=0.2", "schedule.drift_monitor=0 */3 * * *", "features.half_lives=[1,2,3,4]"]
    )
    assert made.drift.retrain_score == 0.2
    assert made.schedule.drift_monitor == "0 */3 * * *"
    assert made.features.half_lives == (1.0, 2.0, 3.0, 4.0)
    assert made.drift.alert_score == Settings().drift.alert_score


@pytest.mark.parametrize(
    "wrong", ["drift.retrain=0.2", "drift=0.2", "nothing.at_all=1", "drift.retrain_score", "home=x"]
)
def test_a_setting_that_does_not_exist_is_an_error(wrong: str) -> None:
    with pytest.raises(SettingsError, match="names no setting"):
        with_values(Settings(), [wrong])


def test_a_value_that_cannot_be_used_says_why() -> None:
    with pytest.raises(SettingsError, match="less than or equal to 1"):
        with_values(Settings(), ["drift.retrain_score=1.2"])


def test_a_replay_reaches_nothing_outside_of_its_folder(feed: Feed, tmp_path: Path) -> None:
    real = Settings.model_validate(
        {
            "postgres_url": "postgresql://somebody@somewhere/db",
            "lake": {"url": "s3://school/lake"},
            "source": {"kind": "postgres", "url": "postgresql://somebody@somewhere/school"},
            "alerts": {"webhook_url": "https://example.com/hook", "urls": "mailto://a:b@example.com"},
        }
    )
    own = own_settings(real, tmp_path / "home", feed, learners=3000)
    assert own.lake_url == str(tmp_path / "home" / "lake")
    assert own.source.path == feed.events_path
    assert (own.postgres_url, own.source.url, own.alerts.webhook_url) == (None, None, None)
    assert own.alerts.urls == ()


@pytest.mark.parametrize(("learners", "shards"), [(1, 1), (250_000, 1), (250_001, 2), (10_000_000, 4)])
def test_a_replay_has_no_more_shards_than_its_learners_need(
    learners: int, shards: int, feed: Feed, tmp_path: Path
) -> None:
    assert own_settings(Settings(), tmp_path, feed, learners).lake.shards == shards


def test_no_search_ends_by_the_machines_clock(feed: Feed, tmp_path: Path) -> None:
    own = own_settings(Settings(), tmp_path, feed, learners=1)
    assert own.tuning.trials == Settings().tuning.trials
    assert own.tuning.seconds > 1e6


def test_the_settings_as_text_hold_no_secret() -> None:
    texts = as_text(Settings.model_validate({"pseudonym_key": SECRET, "api": {"token": SECRET}}))
    assert SECRET not in str(texts)
    assert texts["drift.retrain_score"] == "0.15"
