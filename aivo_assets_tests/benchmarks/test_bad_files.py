"""Files that a benchmark cannot mean anything on are refused with one clear error, before anything is fitted."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from aivo_assets.benchmarks.interactions import read_interactions
from aivo_assets.cli.benchmark import commands as benchmarks
from aivo_assets.errors import SourceError
from aivo_assets_tests.benchmarks.practice import practice

app = typer.Typer()
benchmarks.add_to(app)


@app.callback()
def _root() -> None:
    """A command of several."""


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home of a test, and what its command sets is taken back."""
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    for variable in ("AIVO_SOURCE_COLUMNS", "AIVO_SOURCE_CORRECT_THRESHOLD"):
        monkeypatch.setenv(variable, "0")
        monkeypatch.delenv(variable)


ROWS = 24 * 12


def answers() -> pl.DataFrame:
    """Sound rows: pupil, exercise, right, at."""
    return practice(24, 12).select(
        learner_id="learner", item_id="item_id", correct="correct", at=pl.col("occurred_at").dt.to_string("%F %T")
    )


def each(*values: object) -> pl.Series:
    return pl.Series([values[row % len(values)] for row in range(ROWS)])


BAD: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "minus one for wrong": (lambda d: d.with_columns(correct=each(-1, 1, 1)), "only right answers would be left"),
    "two for wrong": (lambda d: d.with_columns(correct=each(1, 2)), "'2' 144 times"),
    "a third of it half right": (lambda d: d.with_columns(correct=each(0.0, 0.5, 1.0)), "96 of 288 rows"),
    "points": (lambda d: d.with_columns(correct=each(0, 1, 3, 5)), "points or percent"),
    "words of its own": (lambda d: d.with_columns(correct=each("bestanden", "durchgefallen")), "288 of 288"),
    "right without exception": (lambda d: d.with_columns(correct=each(1)), "all of 288 answers are right"),
    "no label": (lambda d: d.drop("correct"), "no column for correct"),
    "labels all missing": (lambda d: d.with_columns(correct=each("NULL")), "none of 288 rows could be kept"),
    "durations for times": (lambda d: d.with_columns(at=each(8123, 20411, 1750)), "what they count is not clear"),
    "row numbers for times": (lambda d: d.with_columns(at=pl.int_range(ROWS) + 1), "what they count is not clear"),
    "days of a spreadsheet": (lambda d: d.with_columns(at=each(45100.25, 45100.5)), "what they count is not clear"),
    "seconds and milliseconds": (
        lambda d: d.with_columns(at=each(1_700_000_000, 1_700_000_000_000)),
        "what they count is not clear",
    ),
    "day or month first": (lambda d: d.with_columns(at=each("03/04/2024 9:05", "05/04/2024 9:10")), "day or month"),
    "day and month first": (lambda d: d.with_columns(at=each("25/04/2024", "04/25/2024")), "with the month first"),
    "years to come": (lambda d: d.with_columns(at=each("2120-01-01 10:00")), "in the future"),
    "a fifth without a time": (lambda d: d.with_columns(at=each("", *["2024-05-06 10:00"] * 4)), "58 of 288 rows"),
    "learners of lost digits": (
        lambda d: d.with_columns(learner_id=each("1.23457E+14", "1.23457E+14")),
        "last digits are lost",
    ),
    "a learner a row": (lambda d: d.with_columns(learner_id=pl.int_range(ROWS)), "each of 288 learners has one answer"),
    "one learner": (lambda d: d.with_columns(learner_id=each("p")), "1 learners, and 3 folds"),
    "no row": (lambda d: d.clear(), "holds no row"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_measured_is_refused(name: str, tmp_path: Path) -> None:
    spoil, said = BAD[name]
    spoil(answers()).write_csv(tmp_path / "answers.csv")
    command = ["benchmark", "accuracy", str(tmp_path / "answers.csv"), "--folds", "3", "--map", "occurred_at=at"]
    with pytest.raises(SourceError, match=said):
        CliRunner().invoke(app, command, catch_exceptions=False)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xff\x80\x00\x01 no table\n\x00", "cannot be read"),
        (b"7,q1,1\n8,q2,0\n", "looks like values and not like names"),
        (b"learner_id,item_id,correct,correct\na,q,1,0\na,r,0,1\n", "'correct' twice"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "answers.csv").write_bytes(content)
    with pytest.raises(SourceError, match=said):
        read_interactions(tmp_path / "answers.csv")


@pytest.mark.parametrize(
    "columns",
    [
        {"learner_id": each(1.7e17, 1.7e17 + 64).cast(pl.Float64)},
        {"at": each(timedelta(seconds=4), timedelta(seconds=9))},
        {"correct": each([1], [0])},
    ],
    ids=["identifiers beyond 2**53", "durations", "lists of labels"],
)
def test_types_that_cannot_be_meant_are_refused(columns: dict[str, pl.Series], tmp_path: Path) -> None:
    answers().with_columns(**columns).rename({"at": "ts"}).write_parquet(tmp_path / "answers.parquet")
    with pytest.raises(SourceError, match=r"digits are lost|does not look like|values of the type"):
        read_interactions(tmp_path / "answers.parquet")


def test_labels_are_judged_as_an_ingest_judges_them_and_counted_in_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some points in between are counted; with a threshold each counts as right or wrong."""
    monkeypatch.setenv("AIVO_TRAINING_MAX_ITERATIONS", "3")
    partial = answers().rename({"at": "ts"}).with_row_index()
    partial = partial.with_columns(correct=pl.when(pl.col("index") % 40 == 3).then(0.75).otherwise("correct"))
    partial.drop("index").write_csv(tmp_path / "answers.csv")
    aside = partial.filter(pl.col("correct") == 0.75).height
    command = ["benchmark", "accuracy", str(tmp_path / "answers.csv"), "--folds", "2", "--fold", "0", "--no-best-lr"]
    told = CliRunner().invoke(app, [*command, "--json", str(tmp_path / "out.json")], catch_exceptions=False)
    assert f"288 rows in = {288 - aside} kept + 0 duplicates + {aside} set aside" in told.stdout
    (part,) = json.loads((tmp_path / "out.json").read_text())["report"]["parts"]
    assert part["train_events"] + part["test_events"] == 288 - aside
    told = CliRunner().invoke(app, [*command, "--correct-threshold", "0.5"], catch_exceptions=False)
    assert "right from 0.5 on" in told.stdout
    assert "set aside" not in told.stdout


def test_milliseconds_are_read_as_such_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    counted = answers().with_columns(ts=pl.lit(1_600_000_000_000) + pl.int_range(ROWS) * 30_000).drop("at")
    counted.write_csv(tmp_path / "answers.csv")
    events = read_interactions(tmp_path / "answers.csv", say=said.append)
    assert events["occurred_at"].dt.year().unique().to_list() == [2020]
    assert any("milliseconds since 1970, inferred" in sentence for sentence in said)
