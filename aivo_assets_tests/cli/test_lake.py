"""`aivo lake list` and `aivo lake show`: what is seen of every kind of dataset, and what is told of personal data."""

import csv
import io
import json
from datetime import date
from pathlib import Path

import deltalake
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from aivo_assets.adaptive.schema import LEVELS
from aivo_assets.cli.main import app
from aivo_assets.errors import LakeError, SettingsError
from aivo_assets.lake import Dataset, Lake, Layers
from aivo_assets.lake.shards import shard_of
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.tracing.students.state_store import LAYERED, STATES
from aivo_assets_tests.lake import declared

SECRET = "a key of thirty-two characters or more"
PUPILS = ["pupil [/red]", "70677", "Ada"]
FIRST, SECOND = date(2026, 5, 4), date(2026, 5, 6)
RAW = Dataset("raw/interactions", {"learner_id": pl.String, "skills": pl.List(pl.String)}, unit="day")
SET_ASIDE = Dataset("raw/quarantine", {"row": pl.Int64}, unit="batch")
ANSWERS = Dataset(
    "anonymised/answers", {"learner": pl.String, "shard": pl.Int32, "n": pl.Int64}, unit="day", sharded=True
)
BANK = Dataset("item_bank/items", {"item": pl.String}, unit="whole")


@pytest.fixture
def pseudonym() -> list[str]:
    return pseudonyms(pl.Series(PUPILS), "learner", PseudonymKey(SECRET)).to_list()


@pytest.fixture(autouse=True)
def held(tmp_path: Path, pseudonym: list[str], monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake with a dataset of every kind."""
    monkeypatch.setenv("AIVO_HOME", str(tmp_path))
    monkeypatch.setenv("AIVO_PSEUDONYM_KEY", SECRET)
    lake = Lake(tmp_path / "lake", shards=3)
    skills = [["a", "b"], None, []]
    for day in (FIRST, SECOND):
        lake.write(RAW, pl.DataFrame({"learner_id": PUPILS, "skills": skills}, schema=dict(RAW.schema)), day=day)
        answers = pl.DataFrame({"learner": pseudonym, "n": [1, 2, 3]}).with_columns(shard_of(pl.col("learner"), 3))
        lake.write(ANSWERS, answers.select("learner", "shard", "n"), day=day)
    lake.write(SET_ASIDE, pl.DataFrame({"row": [7]}), batch="one")
    lake.write(BANK, pl.DataFrame({"item": ["i1", "i2"]}))
    frames = {name: dataset.empty() for name, (dataset, _) in STATES.frames.items()}
    layers = Layers(lake, STATES)
    layers.commit(layers.stage_base(0, [frames], {"parts": {}, "fold_version": "", "champion": "1"}))
    lake.write_bytes("marts/dim_items.parquet", _parquet(pl.DataFrame({"item": ["i1"]})))
    return lake


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def aivo(*words: str) -> Result:
    return CliRunner().invoke(app, ["lake", *words])


def rows(*words: str) -> list[dict[str, str]]:
    told = aivo("show", *words, "--format", "csv")
    assert told.exit_code == 0, told.output
    return list(csv.DictReader(io.StringIO(told.stdout)))


def test_every_kind_of_dataset_is_listed() -> None:
    told = aivo("list", "--format", "csv")
    listed = {row["dataset"]: row for row in csv.DictReader(io.StringIO(told.stdout))}
    assert {name: row["kept by"] for name, row in listed.items()} == {
        "anonymised/answers": "day", "item_bank/items": "whole", "marts/dim_items": "file", "raw/interactions": "day",
        "raw/quarantine": "batch", **{f"states/{name}": "layers" for name in STATES.frames},
    }  # fmt: skip
    answers = listed["anonymised/answers"]
    assert (answers["rows"], answers["units"], answers["first"], answers["last"]) == ("6", "2", str(FIRST), str(SECOND))
    assert {name for name, row in listed.items() if row["personal data"] == "yes"} == {
        "raw/interactions", "raw/quarantine"
    }  # fmt: skip
    assert "raw/interactions" in aivo("list").stdout


def test_all_that_is_kept_in_layers_is_known_to_the_command() -> None:
    assert {one.path for one in declared.layered()} == {one.path for one in LAYERED}


def test_a_day_a_shard_and_every_other_kind_is_shown(pseudonym: list[str]) -> None:
    assert len(rows("anonymised/answers")) == 6
    assert len(rows("anonymised/answers", "--day", str(SECOND))) == 3
    by_shard = [rows("anonymised/answers", "--shard", str(shard)) for shard in range(3)]
    assert sorted(row["learner"] for part in by_shard for row in part) == sorted(pseudonym * 2)
    assert [row["item"] for row in rows("item_bank/items")] == ["i1", "i2"]
    assert rows("marts/dim_items") == [{"item": "i1"}]
    assert rows("raw/quarantine") == [{"row": "7"}]
    assert rows("states/learners") == []


@pytest.mark.parametrize("number", range(3))
def test_a_learner_is_found_by_their_own_name_and_by_pseudonym(number: int, pseudonym: list[str]) -> None:
    for name in (PUPILS[number], pseudonym[number]):
        assert {row["n"] for row in rows("anonymised/answers", "--learner", name)} == {str(number + 1)}
        assert [row["learner_id"] for row in rows("raw/interactions", "--learner", name)] == [PUPILS[number]] * 2


def test_lists_in_csv_are_json_and_nothing_stays_nothing() -> None:
    found = [row["skills"] for row in rows("raw/interactions", "--day", str(FIRST))]
    assert [json.loads(text) if text else None for text in found] == [["a", "b"], None, []]


def test_the_raw_zone_says_that_it_holds_personal_data_and_its_copies_are_not_for_others(tmp_path: Path) -> None:
    shown = aivo("show", "raw/interactions")
    assert "personal data" in shown.stderr
    assert "pupil [/red]" in shown.stdout
    assert "personal data" not in aivo("show", "item_bank/items").stderr
    for form in ("csv", "parquet"):
        copy = tmp_path / f"copy.{form}"
        assert aivo("show", "raw/interactions", "--format", form, "--to", str(copy)).exit_code == 0
        assert copy.stat().st_mode & 0o077 == 0
        read = pl.read_csv(copy) if form == "csv" else pl.read_parquet(copy)
        assert read["learner_id"].to_list() == PUPILS * 2


def test_days_of_other_columns_are_shown_together(held: Lake) -> None:
    more = Dataset(RAW.path, {**RAW.schema, "added": pl.Int64}, unit="day")
    frame = pl.DataFrame({"learner_id": ["new"], "skills": [["c"]], "added": [5]}, schema=dict(more.schema))
    held.write(more, frame, day=date(2026, 5, 9))
    assert [row["added"] for row in rows("raw/interactions")] == [""] * 6 + ["5"]


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        (("anonymised/answer",), LakeError, r"holds no dataset"),
        (("anonymised/answers", "--day", "2026-05-05"), LakeError, r"holds nothing of 2026-05-05"),
        (("item_bank/items", "--day", "2026-05-05"), LakeError, r"not by day"),
        (("item_bank/items", "--learner", "Ada"), LakeError, r"no column of learners"),
        (("item_bank/items", "--shard", "1"), LakeError, r"not kept by shard"),
        (("item_bank/items", "--format", "parquet"), SettingsError, r"Parquet cannot be shown"),
        (("item_bank/items", "--to", "/nowhere/at/all.csv"), SettingsError, r"cannot be written"),
    ],
)
def test_what_cannot_be_shown_says_why(words: tuple[str, ...], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        raise aivo("show", *words).exception or AssertionError("it was shown")


def test_another_number_of_shards_is_refused_and_the_way_out_that_is_named_works(
    monkeypatch: pytest.MonkeyPatch, pseudonym: list[str]
) -> None:
    monkeypatch.setattr("aivo_assets.lake.layout.reshard.CHECK_AGAIN_SECONDS", 0.0)
    monkeypatch.setenv("AIVO_LAKE_SHARDS", "5")
    refused = aivo("list")
    assert isinstance(refused.exception, LakeError)
    assert "made with 3 shards, and AIVO_LAKE_SHARDS asks for 5" in refused.exception.what
    assert "aivo lake reshard 5" in refused.exception.fix
    moved = aivo("reshard", "5")
    assert moved.exit_code == 0, moved.output
    assert "The lake has 5 shards: 2 days of all datasets, 6 rows moved." in moved.stdout
    assert "AIVO_LAKE_SHARDS" not in moved.stdout
    assert sorted(row["learner"] for row in rows("anonymised/answers")) == sorted(pseudonym * 2)
    again = aivo("reshard", "5")
    assert isinstance(again.exception, LakeError)
    assert "5 shards already" in again.exception.what
    assert "unset it: now it says 5" in aivo("reshard", "2").stdout


def test_publish_makes_tables_that_others_read_says_how_they_stand_and_takes_them_away(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", shards=3)
    lake.write(LEVELS, LEVELS.empty(), day=FIRST)
    assert "marts/delta/dim_items" in aivo("publish").output
    table = deltalake.DeltaTable(str(tmp_path / "lake" / "marts" / "delta" / "dim_items")).to_pyarrow_dataset()
    assert table.to_table()["item"].to_pylist() == ["i1"]
    assert "AIVO_LAKE_DELTA" in aivo("publish").output
    assert aivo("publish", "--status").exit_code == 0
    lake.write(LEVELS, LEVELS.empty(), day=SECOND)
    behind = aivo("publish", "--status")
    assert behind.exit_code == 1
    assert "1 files differ" in behind.output
    assert "item_bank/levels" in aivo("publish", "--off").output
    assert not deltalake.DeltaTable.is_deltatable(str(tmp_path / "lake" / "item_bank" / "levels"))
    assert "there were none" in aivo("publish", "--off").output
