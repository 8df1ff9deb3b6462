"""What the marts say of a lake that can be worked out by hand, and that they say it every time."""

import re
import shutil
from datetime import date
from math import log, sqrt
from pathlib import Path

import polars as pl
import pytest

from aivo_assets import warehouse
from aivo_assets.warehouse.project import Built
from aivo_assets_tests.warehouse import tiny_lake
from aivo_assets_tests.warehouse.conftest import MARTS, House, house
from aivo_assets_tests.warehouse.tiny_lake import ANN, CLASS


def row(frame: pl.DataFrame, **key: object) -> dict[str, object]:
    return frame.row(by_predicate=pl.all_horizontal(pl.col(name) == value for name, value in key.items()), named=True)


def test_an_item_tells_how_often_and_how_well_it_was_answered(built: House):
    x = row(built.mart("dim_items"), item_id="x")
    assert (x["subject"], x["skill_ids"], x["events"], x["learners"], x["wins"]) == ("maths", ["adding"], 5, 4, 3)
    assert x["success_rate"] == pytest.approx(3 / 5)
    assert x["difficulty"] == pytest.approx(log(2.5 / 3.5))
    assert x["hint_rate"] == pytest.approx(2 / 4)
    assert x["median_response_time_ms"] == 2500.0
    assert (x["first_day"], x["last_day"]) == (date(2024, 3, 4), date(2024, 3, 5))


def test_discrimination_is_the_correlation_of_first_answers_with_the_rest_of_the_subject(built: House):
    items = built.mart("dim_items")
    # x: first answers 1 1 0 0 of Ann, Bob, Cy, Dee; right on the rest 2/2, 0/2, 0/1, 0/1.
    assert row(items, item_id="x")["discrimination"] == pytest.approx(1 / sqrt(3))
    # y: 1 0 0 0 against 3/3, 1/2, 0/1, 0/1.
    assert row(items, item_id="y")["discrimination"] == pytest.approx(5 / sqrt(33))
    # w is alone in its subject: there is no rest.
    assert row(items, item_id="w")["discrimination"] is None


def test_an_item_of_a_small_group_tells_nothing_of_its_answers(built: House):
    z = row(built.mart("dim_items"), item_id="z")
    assert (z["events"], z["learners"]) == (2, 2)
    for guarded in ("wins", "success_rate", "difficulty", "discrimination", "hint_rate", "median_response_time_ms"):
        assert z[guarded] is None


def test_an_answer_counts_once_for_each_of_its_skills(built: House):
    skills = built.mart("dim_skills")
    assert skills["skill_id"].to_list() == ["adding", "carrying", "colours"]
    adding = row(skills, skill_id="adding")
    assert (adding["items"], adding["events"], adding["learners"], adding["wins"]) == (2, 9, 4, 4)
    assert adding["difficulty"] == pytest.approx(log(5.5 / 4.5))
    carrying = row(skills, skill_id="carrying")
    assert (carrying["items"], carrying["events"], carrying["learners"], carrying["wins"]) == (2, 6, 4, 2)


def test_a_learners_day_adds_up_and_opportunities_accumulate(built: House):
    daily = built.mart("fct_learner_skill_daily").filter(pl.col("learner") == ANN, pl.col("skill_id") == "adding")
    told = daily.select("day", "events", "wins", "items", "hints", "response_time_ms", "opportunities").rows()
    assert told == [(date(2024, 3, 4), 1, 1, 1, 0, 1000, 1), (date(2024, 3, 5), 2, 2, 2, None, 2000, 3)]


def test_a_class_is_described_only_where_k_of_it_practised(built: House):
    progress = built.mart("mart_class_progress")
    assert progress.select("class_", "skill_id", "week", "learners", "events", "wins").rows() == [
        (CLASS, "adding", date(2024, 3, 4), 3, 6, 4),  # not the week of 11 March: Cy alone
        (CLASS, "colours", date(2024, 3, 4), 3, 3, 1),  # never carrying: two learners a week
        (CLASS, "colours", date(2024, 3, 18), 3, 3, 2),
    ]
    assert progress["change"].to_list() == [None, None, pytest.approx(1 / 3)]


def test_the_smallest_group_is_a_setting(tmp_path: Path):
    made = house(tmp_path, tiny_lake.interactions(), k=1)
    assert made.build().success
    assert made.mart("mart_class_progress").height == 6
    assert row(made.mart("dim_items"), item_id="z")["wins"] == 1


def test_marts_are_sorted_by_their_key(built: House):
    for name, key in {
        "dim_items": ["item_id"],
        "dim_skills": ["skill_id"],
        "fct_learner_skill_daily": ["learner", "day", "skill_id"],
        "mart_class_progress": ["class_", "skill_id", "week"],
    }.items():
        frame = built.mart(name)
        assert frame.equals(frame.sort(key))


def test_the_same_data_give_the_same_bytes(built: House, tmp_path: Path):
    shuffled = tiny_lake.interactions().sample(fraction=1.0, shuffle=True, seed=4)
    again = house(tmp_path, shuffled)
    assert again.build().success
    for name in MARTS:
        first, second = (Path(warehouse.marts_path(made.settings)) / f"{name}.parquet" for made in (built, again))
        assert first.read_bytes() == second.read_bytes()


def test_an_empty_lake_builds_empty_marts(tmp_path: Path):
    made = house(tmp_path, None)
    done = made.build()
    assert done.success, done.messages
    for name in MARTS:
        assert made.mart(name).is_empty()
        assert made.mart(name).width > 5


def failed(done: Built) -> set[str]:
    assert not done.success
    return {name for name, status in done.status.items() if status == "fail"}


def test_a_wrong_value_in_the_lake_fails_its_test_and_stops_what_depends_on_it(tmp_path: Path):
    wrong = tiny_lake.interactions().with_columns(correct=pl.lit(2, dtype=pl.Int8), event=pl.lit("e" * 32))
    done = house(tmp_path, wrong).build()
    assert failed(done) == {"accepted_values_stg_interactions_correct__False__0__1", "unique_stg_interactions_event"}
    assert {done.status[name] for name in MARTS} == {"skipped"}


MISTAKES = {
    "mart_class_progress": (r"having .*", ""),
    "dim_items": (r"then cast\(counts.wins as bigint\) end", "then 0 else cast(counts.wins as bigint) end"),
    "dim_skills": (r"cast\(wins as bigint\)", "cast(events + 1 as bigint)"),
    "fct_learner_skill_daily": (r"group by learner, skill_id, day", "group by learner, skill_id, day, item_id"),
}


def test_a_mistake_in_a_mart_is_caught_by_its_tests(tmp_path: Path):
    project = tmp_path / "project"
    shutil.copytree(warehouse.project_dir(), project)
    for model, (right, wrong) in MISTAKES.items():
        file = project / "models" / "marts" / f"{model}.sql"
        mistaken, changes = re.subn(right, wrong, file.read_text())
        assert changes == 1
        file.write_text(mistaken)
    caught = failed(house(tmp_path / "home", tiny_lake.interactions()).build(project))
    for test in (
        "describes_a_group_mart_class_progress_learners",
        "describes_a_group_dim_items_",
        "accepted_range_dim_skills_wins",
        "unique_combination_fct_learner_skill_daily_",
    ):
        assert any(name.startswith(test) for name in caught), (test, caught)
