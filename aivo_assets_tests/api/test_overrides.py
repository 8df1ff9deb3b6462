"""Words of teachers over HTTP: said, shown with what came of them, taken back; refused without a raw name."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from aivo_assets.api.app import build_app
from aivo_assets.events.landing.overrides import raw_overrides
from aivo_assets.lake import Lake, open_lake
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.settings import Settings
from aivo_assets_tests.answers import land_answers

SECRET = "semaphore" * 5
NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
PIN = {"learner": "zoe.q", "action": "pin", "skill_id": "angles", "level": 6}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"home": tmp_path, "pseudonym_key": SECRET})


@pytest.fixture
def lake(settings: Settings) -> Lake:
    lake = open_lake(settings)
    land_answers(lake, NOW, ("zoe.q", "geometry", ["angles"]), ("zoe.r", "geometry", ["areas"]))
    return lake


def ask(settings: Settings, method: str, path: str, **given: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(build_app(settings, now=lambda: NOW))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8009") as client:
            return await client.request(method, f"/v1/overrides{path}", **given)

    return asyncio.run(send())


def pseudonym(learner: str) -> str:
    return str(pseudonyms(pl.Series([learner]), "learner", PseudonymKey(SECRET))[0])


def test_a_word_is_kept_shown_by_pseudonym_and_taken_back(settings: Settings, lake: Lake) -> None:
    said = ask(settings, "POST", "", json={**PIN, "note": "Zoe's mother rang"})
    assert said.status_code == 201
    kept = said.json()
    assert (kept["learner"], kept["subject"], kept["state"]) == (pseudonym("zoe.q"), "geometry", "waiting")
    assert kept["until"] == "2026-04-07"
    again = ask(settings, "POST", "", json={**PIN, "learner": pseudonym("zoe.q")})
    assert again.json()["override_id"] == kept["override_id"]
    listed = ask(settings, "GET", "", params={"learner": kept["learner"]})
    assert [each["override_id"] for each in listed.json()] == [kept["override_id"]]
    assert "zoe" not in (said.text + listed.text).lower()
    assert ask(settings, "DELETE", f"/{kept['override_id']}").json()["state"] == "taken back"
    assert ask(settings, "GET", "").json() == []
    assert ask(settings, "GET", "", params={"all": True}).json()[0]["state"] == "taken back"
    assert ask(settings, "DELETE", f"/{kept['override_id']}").status_code == 404


@pytest.mark.parametrize(
    ("changed", "status", "says"),
    [
        ({"learner": "zoe.s"}, 404, "There is no learner 'zoe.s'"),
        ({"skill_id": "angle"}, 404, "did you mean angles"),
        ({"subject": "history"}, 404, "a skill of geometry, not of 'history'"),
        ({"level": None}, 409, "a pin needs a level"),
        ({"action": "reject", "kind": "maintain", "reason": "other"}, 409, "maintain cannot be rejected"),
        ({"level": 11}, 422, "less than or equal to 10"),
        ({"skill": "angles"}, 422, "Extra inputs"),
    ],
)
def test_what_cannot_be_obeyed_is_refused_with_the_reason(
    settings: Settings, lake: Lake, changed: dict[str, Any], status: int, says: str
) -> None:
    answer = ask(settings, "POST", "", json={**PIN, **changed})
    assert answer.status_code == status
    assert says in answer.text
    assert "zoe.q" not in answer.json()["detail"]
    assert raw_overrides(lake).is_empty()


def test_a_key_that_is_not_that_of_the_lake_is_said(settings: Settings, lake: Lake) -> None:
    assert ask(settings, "POST", "", json=PIN).status_code == 201
    without = settings.model_copy(update={"pseudonym_key": None})
    answer = ask(without, "GET", "")
    assert answer.status_code == 503
    assert "key" in answer.json()["detail"]


def test_an_address_tells_all_the_methods_that_it_takes(settings: Settings, lake: Lake) -> None:
    answer = ask(settings, "PUT", "")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


def test_an_unknown_override_is_not_found(settings: Settings, lake: Lake) -> None:
    assert ask(settings, "DELETE", "/0123456789").status_code == 404
