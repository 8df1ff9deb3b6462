"""Pages of learners, parents, heads and operators: what they say, what they never say, and a learner's word."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest

from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.events.landing.overrides import raw_overrides
from aivo_assets.lake import open_lake
from aivo_assets.pages.reading.learner_words import LEARNER_WORDS, choices, keep_word, read_words
from aivo_assets.pages.reading.operations_view import read_operations
from aivo_assets.pages.reading.school_view import read_school
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.champions import Move
from aivo_assets_tests.pages.school import (
    ADA,
    BEN,
    CLASS,
    EASY,
    HARD,
    NOW,
    TODAY,
    ask,
    fill,
    get,
    pseudonym,
    settings_of,
    shard,
)  # fmt: skip

SCHOOL = "e" * 32


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_of(tmp_path_factory.mktemp("pages"))
    fill(settings)
    return settings


@pytest.mark.parametrize("language", ["en", "de"])
def test_families_read_no_number_of_a_model_and_of_nobody_else(settings: Settings, language: str) -> None:
    for path in (f"/learners/{ADA}", f"/parents/{ADA}"):
        page = get(settings, path, headers={"Accept-Language": language})
        assert page.status_code == 200
        assert f'lang="{language}"' in page.text
        assert BEN not in page.text
        assert not re.search(r"logit|AUC|rank|Rang|model|Modell", page.text)


def test_a_learner_is_told_what_is_enough_and_gets_exercises(settings: Settings) -> None:
    page = get(settings, f"/learners/{ADA}").text
    assert re.search(r"Your goal in “fractions”: \d+ of the next \d+ right at level \d+", page)
    assert 1 <= len(re.findall(r"<li><span>fractions-\d+", page)) <= 5
    assert "You did 3 exercises this week" in page


def test_a_learners_word_reaches_the_teacher_and_changes_no_level(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    lake = fill(settings)

    async def say(client: httpx.AsyncClient) -> httpx.Response:
        page = await client.get(f"/learners/{ADA}")
        form = re.search(r'<form method="post" action="/said">(.*?)</form>', page.text, re.DOTALL)
        assert form is not None
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))
        return await client.post("/said", data={**fields, "says": "too_easy"}, follow_redirects=True)

    assert "Your teacher can see it" in ask(settings, say).text
    assert "Says it is too easy" in get(settings, f"/classes/{CLASS}").text
    assert "Says it is too easy" in get(settings, f"/pupils/{ADA}").text
    assert "Says it is too easy" not in get(settings, f"/pupils/{BEN}").text
    assert raw_overrides(lake).is_empty()
    assert lake.scan(LEARNER_WORDS).collect()["learner"].to_list() == [ADA]


@pytest.mark.parametrize("sent", [{"says": "fire_the_teacher"}, {"skill_id": "alchemy"}, {"token": "no"}])
def test_a_word_that_no_page_offers_is_not_kept(settings: Settings, sent: dict[str, str]) -> None:
    async def say(client: httpx.AsyncClient) -> httpx.Response:
        page = await client.get(f"/learners/{ADA}")
        form = re.search(r'<form method="post" action="/said">(.*?)</form>', page.text, re.DOTALL)
        assert form is not None
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))
        return await client.post("/said", data={**fields, "says": "too_hard", **sent})

    assert ask(settings, say).status_code in (403, 409)
    assert open_lake(settings).scan(LEARNER_WORDS).collect().is_empty()


def test_a_choice_comes_first_for_two_weeks(tmp_path: Path) -> None:
    lake = open_lake(settings_of(tmp_path))
    for says, skill in (("too_hard", "angles"), ("choose", "areas"), ("choose", "areas")):
        keep_word(lake, learner=ADA, subject="geometry", skill=skill, says=says, now=NOW)
    assert choices(read_words(lake, now=NOW)[ADA]) == [("geometry", "areas")]
    assert read_words(lake, now=NOW + timedelta(days=14)) == {}


def test_a_school_tells_no_share_of_a_few(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    many = {pseudonym(f"learner {number}"): HARD if number % 4 == 0 else EASY for number in range(12)}
    lake = fill(settings, standing=many)
    members = pl.DataFrame(
        [{"learner": each, "shard": shard(lake, each), "class_": CLASS if place < 10 else "d" * 32}
         for place, each in enumerate(many)]
    )  # fmt: skip
    view = read_school(lake, members, day=TODAY, newest_answer=TODAY)
    large, small = view.classes
    assert (large.learners, large.help, large.more) == (10, 3, 7)
    assert (small.learners, small.help, small.more) == (2, None, None)
    assert view.learners == 12


def test_the_heads_page_says_too_few_and_names_nobody(settings: Settings) -> None:
    page = get(settings, f"/schools/{SCHOOL}")
    assert page.status_code == 200
    assert "too few to say" in page.text
    assert ADA not in page.text


def test_operators_read_checks_and_decisions_in_order(settings: Settings, tmp_path: Path) -> None:
    lake = open_lake(settings_of(tmp_path))
    for back, verdict in ((1, "ok"), (0, "retrain")):
        day = TODAY - timedelta(days=back)
        row = {
            **dict.fromkeys(DRIFT_VERDICTS.schema), "day": day, "model_id": "main_brain", "model_version": "3",
            "verdict": verdict, "score": 0.2, "auc": 0.7, "reference_auc": 0.8, "events": 900, "retrain_score": 0.15,
        }  # fmt: skip
        lake.write(DRIFT_VERDICTS, pl.DataFrame([row], schema=dict(DRIFT_VERDICTS.schema)), day=day)
    at = datetime(2024, 3, 19, 4, tzinfo=NOW.tzinfo)
    move = Move(kind="promotion", at=at, by="a test", reason="It is better.", before=2, after=3)
    view = read_operations(lake, [move])
    assert [check["verdict"] for check in view.checks] == ["ok", "retrain"]
    assert [(each.kind, each.version) for each in view.decisions] == [("promotion", 3)]
    page = get(settings_of(tmp_path), "/operations")
    assert "Newest check: 20 Mar 2024." in page.text
    assert page.text.count('class="decided"') == 1
    assert "No check has been made yet" in get(settings, "/operations").text
