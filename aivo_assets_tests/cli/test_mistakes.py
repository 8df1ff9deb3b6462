"""Mistakes of people: each is told in words with an exit code, before anything is run or computed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aivo_assets.cli.main import app
from aivo_assets.cli.unexpected import KEPT, as_ours
from aivo_assets.errors import AivoError, RunError, ServiceError, SettingsError, SourceError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home with a key, and a folder to stand in with a file and a folder."""
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIVO_PSEUDONYM_KEY", "d0" * 32)
    here = tmp_path / "here"
    (here / "exports").mkdir(parents=True)
    (here / "march.csv").write_text("learner_id,item_id,correct,occurred_at\np1,q1,1,2025-03-01T10:00:00Z\n")
    monkeypatch.chdir(here)
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("line", "kind", "says"),
    [
        ("run --source csv --path marhc.csv", SourceError, r"marhc.csv is not there; did you mean march.csv\?"),
        ("run --source csv --path exports", SourceError, "a folder, not a file"),
        ("run --source csv --path march.csv --map learner_id=pupil", SourceError, "pupil"),
        ("run --source march.csv --path csv", SettingsError, "AIVO_SOURCE_KIND='march.csv'"),
        ("run --job main_brain_trainig", SettingsError, r"no job 'main_brain_trainig'; did you mean main_brain_train"),
        ("run --source csv --path march.csv --to 2999-01-01", SettingsError, "in the future"),
        ("run --source csv --path march.csv --every fortnight", SettingsError, "neither day nor week"),
        (
            "student show ann --html nowhere/ann.html",
            SettingsError,
            "ann.html cannot be written: there is no folder",
        ),
        ("student show ann --html exports", SettingsError, "exports cannot be written: it is a folder"),
        ("lake show ../here", AivoError, "holds no dataset"),
        ("lake show raw/interactions --to nowhere/x.csv", SettingsError, "no folder"),
        ("benchmark accuracy mrach.csv", SourceError, "mrach.csv does not exist"),
        ("benchmark accuracy march.csv --json nowhere/x.json", SettingsError, "no folder"),
        ("replay --from 2025-03-01 --to 2025-03-02 --out march.csv", SettingsError, "march.csv is a file"),
        (
            "run --source csv --path march.csv --from 0205-03-01 --to 2025-03-02",
            SettingsError,
            "0205-03-01 lies before",
        ),
        ("ingest --source csv --path march.csv --from 1020-03-01", SettingsError, "1020-03-01 lies before 1990"),
        ("run --source csv --path march.csv --to 2025-03-02", SettingsError, "Add --from"),
        ("registry rollback --reason=", SettingsError, "needs a reason"),
    ],
)
def test_a_mistake_is_told_before_anything_is_made(line: str, kind: type[AivoError], says: str, home: Path) -> None:
    with pytest.raises(kind, match=says) as found:
        CliRunner().invoke(app, line.split(), catch_exceptions=False)
    assert found.value.exit_code > 0
    assert not (home / "dagster").exists()  # no run is recorded, so no asset is red and nobody is alerted


@pytest.mark.parametrize(
    "variable", ["AIVO_SOURCE_LEARNER_PATH", "AIVO_SOURCE_OVERRIDE_PATH", "AIVO_POLICY_PREREQUISITES"]
)
def test_files_beside_the_source_are_looked_at_too(variable: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "absent.csv")
    with pytest.raises(SourceError, match=f"(?s)absent.csv is not there.*Set {variable}"):
        CliRunner().invoke(app, ["run", "--source", "csv", "--path", "march.csv"], catch_exceptions=False)
    assert not (home / "dagster").exists()


@pytest.mark.parametrize("line", ["up --port 70000", "up --port 0", "up --port -1", "up --port http"])
def test_a_port_that_is_none_is_refused(line: str) -> None:
    assert CliRunner().invoke(app, line.split(), catch_exceptions=False).exit_code == 2


def test_an_address_that_is_none_is_told(home: Path) -> None:
    with pytest.raises(ServiceError, match="is no address of this machine"):
        CliRunner().invoke(app, ["up", "--host", "999.1.1.1"], catch_exceptions=False)


def test_what_nobody_foresaw_is_one_line_and_its_traceback_is_in_a_file(home: Path) -> None:
    try:
        {}["absent"]
    except KeyError as error:
        told = as_ours(error)
    assert isinstance(told, RunError)
    assert "KeyError: 'absent'" in told.what
    kept = home / "logs" / KEPT
    assert str(kept) in told.fix
    assert "Traceback (most recent call last)" in kept.read_text()


def test_a_home_that_cannot_be_made_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    environment = {**os.environ, "AIVO_HOME": str(tmp_path / "taken")}
    command = [
        sys.executable,
        "-c",
        "from aivo_assets.cli import main; main()",
        "ingest",
        "--source",
        "csv",
        "--path",
        "march.csv",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=Path.cwd())
    assert done.returncode > 0
    assert "Traceback" not in done.stdout + done.stderr
    assert "taken" in done.stderr
