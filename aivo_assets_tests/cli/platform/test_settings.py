"""`aivo settings` and its check: what is shown of secrets, and what the check finds that no single value tells."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from aivo_assets.cli.main import app, main
from aivo_assets.errors import SettingsError

HUSH = "hush-2718-hush-2718-hush-2718-hush"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a current folder of this test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    return tmp_path


def test_secrets_are_masked_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIVO_PSEUDONYM_KEY", HUSH)
    monkeypatch.setenv("AIVO_ALERTS_URLS", f"json://me:{HUSH}@pager.example")
    monkeypatch.setenv("AIVO_ALERTS_WEBHOOK_URL", f"https://hooks.example/{HUSH}")
    monkeypatch.setenv("AIVO_LAKE_URL", f"s3://key:{HUSH}@bucket/lake")
    shown = CliRunner().invoke(app, ["settings"], terminal_width=200, env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert HUSH not in shown.output
    assert "1 set, not shown" in shown.output
    assert "AIVO_LAKE_URL" in shown.output


def test_the_check_passes_and_says_what_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIVO_SIMULATOR_LEARNERS", "40")
    told = CliRunner().invoke(app, ["settings", "check"]).output
    assert "Every setting can be used; 2 groups differ" in told  # the home and the school
    assert "no pseudonym key yet" in told
    assert "No alert channel is set" in told


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AIVO_SOURCE_KIND": "csv"}, "no path is given"),
        ({"AIVO_SOURCE_KIND": "csv", "AIVO_SOURCE_PATH": "answers_2027.csv"}, "answers_2027.csv is not there"),
        ({"AIVO_SOURCE_OVERRIDE_PATH": "teachers.csv"}, "AIVO_SOURCE_OVERRIDE_PATH: there is no file teachers.csv"),
        ({"AIVO_POLICY_PREREQUISITES": "graph.csv"}, "AIVO_POLICY_PREREQUISITES: there is no file graph.csv"),
        ({"AIVO_PSEUDONYM_KEY": "short"}, "5 characters"),
        ({"AIVO_API_HOST": "0.0.0.0"}, "beyond this machine"),
    ],
)
def test_the_check_names_what_cannot_be_used(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    refused = CliRunner().invoke(app, ["settings", "check"]).exception
    assert isinstance(refused, SettingsError)
    assert said in refused.what


@pytest.mark.parametrize(
    "command",
    [["registry", "list"], ["alerts", "test"], ["override", "list"], ["key", "new"], ["student", "show", "abcdef"]],
)
def test_a_misspelt_variable_ends_every_command_before_it_begins(
    command: list[str], home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIVO_SCHEDULE_TIMZONE", "Europe/Rome")
    monkeypatch.setattr("sys.argv", ["aivo", *command])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "AIVO_SCHEDULE_TIMZONE is no setting; did you mean AIVO_SCHEDULE_TIMEZONE?" in capsys.readouterr().err
    assert not (home / "home").exists()


def test_help_is_given_whatever_the_settings_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIVO_SCHEDULE_TIMZONE", "Europe/Rome")
    monkeypatch.setattr("sys.argv", ["aivo", "registry", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
