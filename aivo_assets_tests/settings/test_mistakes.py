"""Mistakes that people make in settings: each is named at once, with what was probably meant, and no secret."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.errors import SettingsError
from aivo_assets.settings import Settings, load_settings
from aivo_assets.settings.environment import variables

SECRET = "hush-0815-hush"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder of this test's own, for the file `.env`."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    """What somebody is told who sets these variables, `AIVO_` left out."""
    for name, value in values.items():
        monkeypatch.setenv(f"AIVO_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert SECRET not in str(caught.value)
    return caught.value.what


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("SOURCE_KNID", "AIVO_SOURCE_KIND"),
        ("DRIFT_RETRAIN", "AIVO_DRIFT_RETRAIN_SCORE"),
        ("POSTGRESURL", "AIVO_POSTGRES_URL"),
        ("SCHEDULE_DRIFT_MONITER", "AIVO_SCHEDULE_DRIFT_MONITOR"),
        ("PSEUDONYM_KEYS", "AIVO_PSEUDONYM_KEY"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_one_that_was_meant(
    typed: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"AIVO_{typed} is no setting; did you mean {meant}?" in refusal(monkeypatch, **{typed: SECRET})


@given(st.data())
def test_every_variable_that_lost_a_letter_is_refused(data: st.DataObject) -> None:
    known = list(variables(Settings))
    name = data.draw(st.sampled_from(known))
    at = data.draw(st.integers(len("AIVO_") + 1, len(name) - 1))
    typed = name[:at] + name[at + 1 :]
    groups = {f"AIVO_{group}".upper() for group in Settings.model_fields}
    if typed in (*known, *groups):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(typed, "1")
        with pytest.raises(SettingsError, match=typed):
            load_settings()


@pytest.mark.parametrize("name", ["WAREHOUSE_HOST", "DAGSTER_STORAGE_URL", "REAL_DATA", "MARTS_PATH"])
def test_what_dbt_dagster_and_the_tests_read_is_no_mistake(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"AIVO_{name}", "x")
    load_settings()


def test_a_typo_in_the_env_file_of_the_folder_is_named_with_the_file(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIVO_LAKE_SHRADS", raising=False)
    (elsewhere / ".env").write_text(f"OTHER=1\nAIVO_LAKE_SHRADS={SECRET}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIVO_LAKE_SHRADS", SECRET)  # so that what the file sets is taken back afterwards
        with pytest.raises(SettingsError, match=r"AIVO_LAKE_SHRADS in .*\.env is no setting; .*AIVO_LAKE_SHARDS\?"):
            load_settings()


def test_the_env_file_sets_what_the_environment_leaves_open(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / ".env").write_text("AIVO_LAKE_SHARDS=9\nAIVO_SIMULATOR_SEED=33\n")
    monkeypatch.setenv("AIVO_LAKE_SHARDS", "7")
    monkeypatch.setenv("AIVO_SIMULATOR_SEED", "0")
    monkeypatch.delenv("AIVO_SIMULATOR_SEED")  # registered, and so taken back afterwards
    settings = load_settings()
    assert (settings.lake.shards, settings.simulator.seed) == (7, 33)


@pytest.mark.parametrize(
    ("name", "value", "parts"),
    [
        ("SCHEDULE_TIMEZONE", "Europe/Viena", ("no time zone of this name", "Europe/Vienna")),
        ("SOURCE_TIMEZONE", "Mars/Olympus", ("no time zone of this name",)),
        ("SCHEDULE_ADAPTIVE_TRAINING", "61 * * * *", ("AIVO_SCHEDULE_ADAPTIVE_TRAINING", "not a cron")),
        ("SCHEDULE_MAIN_BRAIN_DAILY", "0 2 31 4,6 *", ("not a cron",)),
        ("SCHEDULE_DRIFT_MONITOR", "0 0 * * * *", ("this has 6",)),
        ("SCHEDULE_WEEKLY_FULL_RETRAINING", "sundays", ("not a cron",)),
        ("SCHEDULE_SENSOR_SECONDS", "soon", ("AIVO_SCHEDULE_SENSOR_SECONDS='soon'",)),
        ("POSTGRES_URL", f"mysql://me:{SECRET}@host/db", ("AIVO_POSTGRES_URL", "is not PostgreSQL")),
        ("POSTGRES_URL", f"{SECRET}@host/db", ("is no URL",)),
        ("SOURCE_URL", f"postgresql://me:{SECRET}@host:port/db", ("AIVO_SOURCE_URL", "port")),
        ("ALERTS_WEBHOOK_URL", f"hooks.example/{SECRET}", ("AIVO_ALERTS_WEBHOOK_URL", "expected http")),
        ("ALERTS_WEBHOOK_URL", f"https:///{SECRET}", ("expected http",)),
        ("ALERTS_URLS", f"slak://{SECRET}", ("AIVO_ALERTS_URLS no. 1", "no service 'slak'", "slack")),
        ("ALERTS_URLS", f"json://fine.example {SECRET}", ("AIVO_ALERTS_URLS no. 2", "no Apprise URL")),
        ("ALERTS_URLS", "mailto://", ("not a complete address",)),
        ("API_DAGSTER_URL", "127.0.0.1:3000", ("AIVO_API_DAGSTER_URL",)),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_the_reason(
    name: str, value: str, parts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refusal(monkeypatch, **{name: value})
    assert all(part in told for part in parts), told


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ({"DRIFT_RETRAIN_SCORE": "0.3"}, "AIVO_DRIFT_RETRAIN_SCORE (0.3)", "AIVO_DRIFT_ALERT_SCORE (0.25)"),
        ({"DRIFT_ALERT_SCORE": "0.1"}, "AIVO_DRIFT_RETRAIN_SCORE (0.15)", "AIVO_DRIFT_ALERT_SCORE (0.1)"),
        ({"POLICY_TOO_HARD": "0.75"}, "AIVO_POLICY_TOO_HARD (0.75)", "AIVO_POLICY_SUCCESS_ZONE (0.7)"),
        ({"POLICY_SUCCESS_ZONE": "[0.9, 0.8]"}, "SUCCESS_ZONE (0.9)", "upper edge (0.8)"),
        ({"POLICY_TREND_LATE_DAYS": "9"}, "TREND_LATE_DAYS (9)", "TREND_DAYS (7)"),
        ({"ALERTS_STALE_CHAMPION_DAYS": "20"}, "STALE_DAYS (30)", "STALE_CHAMPION_DAYS (20)"),
    ],
)
def test_thresholds_that_contradict_each_other_are_named_both(
    values: dict[str, str], low: str, high: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refusal(monkeypatch, **values)
    assert low in told
    assert high in told


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = refusal(monkeypatch, LAKE_SHARD="2", SCHEDULE_TIMEZONE="Nowhere", DRIFT_BREACHES="0")
    assert all(name in told for name in ("AIVO_LAKE_SHARD", "AIVO_SCHEDULE_TIMEZONE", "AIVO_DRIFT_BREACHES"))


@pytest.mark.parametrize("name", ["HOME", "LAKE_URL"])
def test_a_place_below_a_file_is_refused(name: str, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "file").write_text("")
    assert "is no folder" in refusal(monkeypatch, **{name: str(elsewhere / "file" / "below")})


def test_the_defaults_and_the_story_of_a_quarter_of_an_hour_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    load_settings()
    monkeypatch.setenv("AIVO_SCHEDULE_MAIN_BRAIN_DAILY", "* * * * *")
    monkeypatch.setenv("AIVO_DRIFT_QUICK_DAYS", "[]")
    monkeypatch.setenv("AIVO_DRIFT_WINDOW_DAYS", "1")
    assert load_settings().drift.window_days == 1
