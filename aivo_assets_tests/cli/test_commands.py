"""What people type and what they read: help, errors that say what to do, exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.cli import main
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def aivo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command line as a shell would, in an AIVO_HOME of its own: exit code, output, errors."""
    for name in ("AIVO_SOURCE_KIND", "AIVO_SOURCE_PATH", "AIVO_SOURCE_COLUMNS", "AIVO_PSEUDONYM_KEY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["aivo", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


def answers(path: Path, **columns: list[object]) -> Path:
    given = {
        "learner_id": ["ann", "ann", "bob"],
        "item_id": ["1+1", "2+2", "1+1"],
        "occurred_at": ["2026-03-02T09:00:00Z", "2026-03-02T09:01:00Z", "2026-03-03T10:00:00Z"],
        "correct": [1, 0, 1],
    }
    pl.DataFrame({**given, **columns}).write_csv(path)
    return path


def test_help_names_every_command(aivo: Run) -> None:
    code, out, _ = aivo("--help")
    assert code == 0
    for command in ("demo", "run", "ingest", "up", "train", "settings", "key", "registry", "benchmark"):
        assert command in out


def test_settings_are_shown_with_their_variables_and_secrets_are_not(
    aivo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIVO_PSEUDONYM_KEY", "s" * 40)
    code, out, _ = aivo("settings")
    assert code == 0
    assert "AIVO_PRIVACY_K_ANONYMITY" in out
    assert "s" * 40 not in out


def test_a_setting_that_cannot_be_used_is_named_with_its_value(aivo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIVO_LAKE_SHARDS", "many")
    code, _, err = aivo("settings")
    assert code == 2
    assert "AIVO_LAKE_SHARDS" in err
    assert "many" in err


def test_ingest_says_what_was_kept_and_a_second_time_that_all_was_known(aivo: Run, tmp_path: Path) -> None:
    file = str(answers(tmp_path / "answers.csv"))
    code, out, _ = aivo("ingest", "--source", "csv", "--path", file)
    assert (code, "3 rows in = 3 kept + 0 duplicates + 0 set aside" in out) == (0, True)
    code, out, _ = aivo("ingest", "--source", "csv", "--path", file)
    assert (code, "3 rows in = 0 kept + 3 duplicates + 0 set aside" in out) == (0, True)


def test_ingest_counts_bad_rows_by_reason(aivo: Run, tmp_path: Path) -> None:
    file = str(answers(tmp_path / "answers.csv", correct=["1", "0", "perhaps"]))
    code, out, _ = aivo("ingest", "--source", "csv", "--path", file)
    assert code == 0
    assert "2 kept + 0 duplicates + 1 set aside" in out
    assert "(answers.csv, row 4: 'perhaps')" in out


def test_ingest_takes_only_the_days_asked_for(aivo: Run, tmp_path: Path) -> None:
    file = str(answers(tmp_path / "answers.csv"))
    _, out, _ = aivo("ingest", "--source", "csv", "--path", file, "--from", "2026-03-03", "--to", "2026-03-03")
    assert "1 rows in = 1 kept" in out
    assert "2 outside the days asked for" in out


def test_a_column_mapping_reads_other_names(aivo: Run, tmp_path: Path) -> None:
    file = tmp_path / "answers.parquet"
    pl.read_csv(answers(tmp_path / "a.csv")).rename({"learner_id": "pupil"}).write_parquet(file)
    code, out, _ = aivo("ingest", "--source", "parquet", "--path", str(file), "--map", "learner_id=pupil")
    assert (code, "3 kept" in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ingest", "--source", "csv", "--path", "absent.csv"), 3, "absent.csv"),
        (("ingest", "--source", "teletext"), 2, "AIVO_SOURCE_KIND"),
        (("ingest", "--source", "csv", "--path", "x.csv", "--map", "learner_id"), 2, "ours=theirs"),
        (("run", "--from", "2026-13-01"), 4, "pseudonym key"),
        (("registry", "show", "7"), 6, "7"),
    ],
)
def test_what_cannot_be_done_ends_with_one_clear_error_and_its_code(
    arguments: tuple[str, ...], code: int, said: str, aivo: Run
) -> None:
    ended, _, err = aivo(*arguments)
    assert ended == code
    assert said in err.replace("\n", "")
    assert "→" in err
    assert "Traceback" not in err


def test_a_missing_column_is_named_and_leaves_no_partition(aivo: Run, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    pl.read_csv(answers(tmp_path / "a.csv")).drop("item_id").write_csv(file)
    code, _, err = aivo("ingest", "--source", "csv", "--path", str(file))
    assert code == 3
    assert "item_id" in err
    assert Lake(tmp_path / "home" / "lake", shards=4).days(RAW_INTERACTIONS) == []


def test_a_new_key_is_private_and_an_old_one_is_kept(aivo: Run, tmp_path: Path) -> None:
    aivo("key", "new")
    path = tmp_path / "home" / "secrets" / "pseudonym.key"
    first = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    aivo("key", "new")
    assert path.read_text() == first


def test_the_first_day_of_the_partitions_is_that_of_the_first_event(aivo: Run, tmp_path: Path) -> None:
    aivo("ingest", "--source", "csv", "--path", str(answers(tmp_path / "answers.csv")))
    calendar = json.loads((tmp_path / "home" / "lake" / "calendar.json").read_text())
    assert calendar == {"first_day": "2026-03-02"}
