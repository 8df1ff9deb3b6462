"""The leak scan finds what it says it finds, and does not cry wolf."""

import json
import random
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from upath import UPath

from aivo_assets.lake import Lake
from aivo_assets.privacy import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS, anonymise_interactions, anonymise_learners
from aivo_assets.privacy.artefacts import Table, Text, artefacts_below
from aivo_assets.privacy.leak_scan import Finding, scan
from aivo_assets.privacy.raw_values import RawValues
from aivo_assets.settings import PrivacySettings
from aivo_assets_tests.privacy.raw_school import KEY, SCHOOL_EVENTS, SCHOOL_LEARNERS, events, learners

RAW = RawValues.collect(SCHOOL_EVENTS.lazy(), SCHOOL_LEARNERS.lazy())


def in_text(text: str | bytes, raw: RawValues = RAW) -> list[tuple[str, int]]:
    return [(finding.kind, finding.count) for finding in scan(raw, [Text.of("report", text)])]


def in_column(tmp_path: Path, columns: Mapping[str, Any], raw: RawValues = RAW) -> list[tuple[str, str, int]]:
    file = tmp_path / "derived.parquet"
    pl.DataFrame(columns).write_parquet(file)
    return [(f.place.removeprefix("column "), f.kind, f.count) for f in scan(raw, [Table("derived", (str(file),))])]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("see learner-anna.", "learner"),
        ("/plots/LEARNER-ANNA.png", "learner"),
        ("teacher_teacher-hopper_", "teacher"),
        ("at North High School today", "school"),
        ("homework-17", "assignment"),
        ("(event-0002)", "event"),
        ('{"path": "event-0002.json"}', "event"),
        ("session-boris-1", "session"),
        ("born 2012-05-17", "birth date"),
        ("2012-05-17T00:00:00", "birth date"),
        ("17.05.2012", "birth date"),
        ("05/17/2012", "birth date"),
        ("mailto:anna.ohara@example.org?", "email"),
        ("chloe@EXAMPLE.org", "email"),
        ("Dear anna o'hara,", "name"),
        ("Dear Anna O&#x27;Hara,", "name"),
        ("Dear Robinson,", "name"),
        ("“Anna O'Hara”", "name"),
        ('{"class_id": 7}', "class"),
        ("class_id='7'", "class"),
    ],
)
def test_a_raw_value_in_a_text_is_found(text: str, kind: str):
    assert in_text(f"<p>Some words, {text}</p>") == [(kind, 1)]


@pytest.mark.parametrize(
    "text",
    [
        "learner-annabel practised; my-learner-annas; élearner-annaé",
        "class 7 has 7 learners, 7.0 hours, events: 7",
        "subject maths, item fractions-1, skill fractions",
        "the projection geoRobinson, robinson",
        "on 2024-03-04 there were 4 events",
        "22012-05-170",
        '{"item_id": 7, "classes": 7, "session": 7}',
    ],
)
def test_what_only_looks_like_a_raw_value_is_left_alone(text: str):
    assert in_text(text) == []


def test_escapes_of_json_are_decoded():
    raw = RawValues.collect(SCHOOL_EVENTS.lazy(), learners([{"learner_id": "x", "name": "Zoë Müller"}]).lazy())
    assert in_text(json.dumps({"who": "Zoë Müller"}), raw) == [("name", 1)]
    assert in_text("Zoë Müller".encode(), raw) == [("name", 1)]


def test_occurrences_are_counted_and_the_first_is_located():
    text = "é learner-anna and learner-anna and learner-boris"
    found = scan(RAW, [Text("report", text)])
    assert found == [Finding("report", f"offset {len('é '.encode())}", "learner", 3)]


def test_a_finding_never_repeats_the_value(tmp_path: Path):
    file = tmp_path / "derived.parquet"
    pl.DataFrame({"who": SCHOOL_EVENTS["learner_id"], "note": ["Anna O'Hara"] * 4}).write_parquet(file)
    found = repr(scan(RAW, [Table("derived", (str(file),)), Text("t", "learner-anna")])) + repr(RAW)
    assert "'learner'" in found
    for value in ("anna", "O'Hara", "boris"):
        assert value not in found


def test_whole_cells_of_any_text_column_are_found(tmp_path: Path):
    columns = {
        "anything": ["learner-anna", "x", "learner-anna"],
        "kind": pl.Series(["x", "x", "homework-17"], dtype=pl.Categorical),
        "note": ["x", "Zoë", "x"],
        "list": [["x"], ["y", "event-0001"], []],
        "evidence": [[{"signal": "teacher-hopper", "value": 1.0}], [], []],
    }
    assert in_column(tmp_path, columns) == [
        ("anything", "learner", 2),
        ("evidence.signal", "teacher", 1),
        ("kind", "assignment", 1),
        ("list", "event", 1),
        ("note", "name", 1),
    ]


def test_values_within_cells_are_found(tmp_path: Path):
    sentences = ["Anna O'Hara should rest", "all is well", "ask teacher-hopper, born 17.05.2012"]
    assert in_column(tmp_path, {"reasoning": sentences}) == [
        ("reasoning", "birth date", 1),
        ("reasoning", "name", 1),
        ("reasoning", "teacher", 1),
    ]


def test_short_and_numeric_identifiers_count_where_the_name_says_identifier(tmp_path: Path):
    raw = RawValues.collect(
        events([{"learner_id": "007", "class_id": "7", "item_id": "12"}]).lazy(), learners([]).lazy()
    )
    columns = {
        "learner_id": ["007", "x"],
        "student": [7, 1],
        "user_id": [7.0, 2.5],
        "class_": ["7", "8"],
        "pupil_number": ["7", "9"],
        "grade": ["7", "8"],
        "level": [7, 8],
        "item_id": ["007", "12"],
        "learners": [7, 8],
        "session_minutes": [7, 8],
    }
    assert in_column(tmp_path, columns, raw) == [
        ("class_", "class", 1),
        ("learner_id", "learner", 1),
        ("student", "learner", 1),
        ("user_id", "learner", 1),
    ]


def test_who_is_named_in_an_override_only_is_sought_too(tmp_path: Path):
    said = pl.DataFrame({"learner_id": ["learner-zoe-quill"], "teacher_id": ["teacher-ada-marsh"]})
    columns = {"reasoning": ["as teacher-ada-marsh said of learner-zoe-quill", "all is well"]}
    assert in_column(tmp_path, columns) == []
    raw = RawValues.collect(SCHOOL_EVENTS.lazy(), SCHOOL_LEARNERS.lazy(), said.lazy())
    assert in_column(tmp_path, columns, raw) == [("reasoning", "learner", 1), ("reasoning", "teacher", 1)]


def test_an_identifier_that_also_names_content_counts_only_under_an_identifiers_name(tmp_path: Path):
    raw = RawValues.collect(
        events([{"learner_id": "fractions-1"}, {"learner_id": "learner-anna"}]).lazy(), learners([]).lazy()
    )
    columns = {"item_id": ["fractions-1", "learner-anna"], "learner": ["fractions-1", "x"]}
    assert in_column(tmp_path, columns, raw) == [("item_id", "learner", 1), ("learner", "learner", 1)]
    assert in_text("fractions-1", raw) == []


def test_birth_dates_are_found_in_date_columns_that_are_no_event_times(tmp_path: Path):
    born = date(2012, 5, 17)
    columns = {
        "birth": [born],
        "moment": [datetime(2012, 5, 17, tzinfo=UTC)],
        "text": ["2012-05-17"],
        "day": [born],
        "last_event_at": [datetime(2012, 5, 17, tzinfo=UTC)],
    }
    assert in_column(tmp_path, columns) == [
        ("birth", "birth date", 1),
        ("moment", "birth date", 1),
        ("text", "birth date", 1),
    ]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with a raw zone and the anonymised one over it."""
    lake = Lake(tmp_path / "lake", shards=2)
    lake.write_bytes("raw/learners.csv", SCHOOL_LEARNERS.write_csv().encode())
    day = date(2024, 3, 4)
    lake.write(ANONYMISED_INTERACTIONS, anonymise_interactions(SCHOOL_EVENTS, KEY, PrivacySettings(), 2), day=day)
    lake.write(ANONYMISED_LEARNERS, anonymise_learners(SCHOOL_LEARNERS, KEY, PrivacySettings(), 2, day).frame)
    lake.write_bytes("reports/drift.html", b"<p>nothing drifted</p>")
    return lake


def test_the_anonymised_lake_is_clean(lake: Lake):
    artefacts = artefacts_below(lake.root)
    assert [artefact.name for artefact in artefacts if isinstance(artefact, Table)][:1] == ["anonymised/interactions"]
    assert not any(artefact.name.startswith("raw") for artefact in artefacts)
    assert scan(RAW, artefacts) == []


def test_leaks_below_the_lake_are_found_file_by_file(lake: Lake):
    lake.write_bytes("reports/learner-boris.html", b"<p>fine</p>")
    lake.write_bytes("models/brain.bin", b"\x80\x04\xffteacher-hopper\x00")
    clean = lake.scan(ANONYMISED_INTERACTIONS).collect()
    leaking = clean.with_columns(learner=pl.lit("learner-anna"))
    lake.write(ANONYMISED_INTERACTIONS, leaking.clear(), day=date(2024, 3, 6))
    lake.write(ANONYMISED_INTERACTIONS, leaking, day=date(2024, 3, 5))
    found = scan(RAW, artefacts_below(lake.root))
    in_files = [finding for finding in found if finding.artefact.startswith("anonymised/interactions/day=2024-03-05/")]
    assert {(finding.place, finding.kind) for finding in in_files} == {("column learner", "learner")}
    assert sum(finding.count for finding in in_files) == 4
    others = [(finding.artefact, finding.kind) for finding in found if finding not in in_files]
    assert others == [("models/brain.bin", "teacher"), ("paths of the files", "learner")]


def test_files_of_a_dataset_may_differ_in_their_columns(tmp_path: Path):
    for day, columns in {"1": {"a": ["x"]}, "2": {"b": [1], "a": ["learner-anna"]}, "3": {"c": ["event-0001"]}}.items():
        (tmp_path / "made" / f"day={day}").mkdir(parents=True)
        pl.DataFrame(columns).write_parquet(tmp_path / "made" / f"day={day}" / "part.parquet")
    found = scan(RAW, artefacts_below(UPath(tmp_path)))
    assert [(finding.artefact, finding.place, finding.kind) for finding in found] == [
        ("made/day=2/part.parquet", "column a", "learner"),
        ("made/day=3/part.parquet", "column c", "event"),
    ]


def test_nothing_to_look_for_or_in_is_no_finding(lake: Lake):
    nothing = RawValues.collect(SCHOOL_EVENTS.clear().lazy(), SCHOOL_LEARNERS.clear().lazy())
    assert scan(nothing, artefacts_below(lake.root)) == []
    assert scan(RAW, artefacts_below(UPath(lake.root / "nowhere"))) == []


def test_the_coverage_says_what_can_be_searched_where():
    assert RAW.counts()["learner"] == {"values": 3, "anywhere": 3, "in_text": 3}
    assert RAW.counts()["class"] == {"values": 1, "anywhere": 0, "in_text": 0}
    assert RAW.counts()["name"] == {"values": 3, "anywhere": 3, "in_text": 2}


@pytest.mark.slow
def test_twenty_five_thousand_learners_and_four_hundred_files_take_seconds(tmp_path: Path):
    draw = random.Random(1)
    ids = [f"pupil-{number:05d}" for number in range(25_000)]
    people = learners(
        [
            {
                "learner_id": learner,
                "name": f"{draw.choice(['Ada', 'Bea', 'Cem'])} {draw.choice(['Berg', 'Tal'])}{number}",
                "email": f"{learner}@school.example",
                "birth_date": date(2008, 1, 1) + timedelta(days=number % 2000),
            }
            for number, learner in enumerate(ids)
        ]
    )
    raw = RawValues.collect(events([{"learner_id": learner} for learner in ids]).lazy(), people.lazy())
    rows = anonymise_interactions(events([{"learner_id": learner} for learner in ids]), KEY, PrivacySettings(), 1)
    for number in range(400):
        folder = tmp_path / "derived" / f"day={date(2023, 1, 1) + timedelta(days=number)}"
        folder.mkdir(parents=True)
        rows[number::400].write_parquet(folder / "part.parquet")
    (tmp_path / "report.html").write_text("<p>" + " ".join(rows["event"]) + "</p>")
    started = time.process_time()
    assert scan(raw, artefacts_below(UPath(tmp_path))) == []
    assert time.process_time() - started < 10.0  # processor seconds, so that a busy machine does not matter


@pytest.mark.parametrize("placeholder", ["Unknown", "Learner", "retraining", "Withheld", "Recommendation"])
def test_a_name_that_is_a_word_of_the_own_reports_is_no_leak_and_other_names_still_are(
    placeholder: str, tmp_path: Path
) -> None:
    """A system that withholds names writes such a word; every report holds it anyway."""
    named = SCHOOL_LEARNERS.with_columns(
        name=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(placeholder)).otherwise(pl.lit("Zoltan Querini"))
    )
    raw = RawValues.collect(SCHOOL_EVENTS.lazy(), named.lazy())
    assert in_text(f"{placeholder}: the {placeholder} of this report", raw) == []
    assert in_column(tmp_path, {"verdict": [placeholder.lower(), placeholder]}, raw) == []
    assert in_text(f"{placeholder}, Zoltan Querini", raw) == [("name", 1)]
    assert in_column(tmp_path, {"verdict": ["zoltan querini"]}, raw) == [("verdict", "name", 1)]
