"""The live endpoints over HTTP: what they take, refuse and answer; who may call them, and how often."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from aivo_assets.api.app import build_app
from aivo_assets.errors import SettingsError
from aivo_assets.settings import Settings
from aivo_assets_tests.live.school import NOW, LiveSchool, copied, opened

SENT: dict[str, Any] = {
    "event_id": "a1", "learner_id": "pupil-1", "item_id": "item-3", "skill_ids": ["skill-3"], "subject": "algebra",
    "occurred_at": (NOW - timedelta(minutes=1)).isoformat(), "correct": 1,
}  # fmt: skip
WRITE, READ, ALL = "w" * 20, "r" * 20, "a" * 20


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> LiveSchool:
    return opened(tmp_path_factory.mktemp("live") / "home", postgres_url)


@pytest.fixture
def school(first: LiveSchool, tmp_path: Path) -> LiveSchool:
    return copied(first, tmp_path / "home")


@pytest.fixture
def client(school: LiveSchool) -> Iterator[TestClient]:
    with client_of(school.settings) as opened_client:
        yield opened_client


def client_of(settings: Settings, **live: Any) -> TestClient:
    given = Settings.model_validate({**settings.model_dump(), "live": {**settings.live.model_dump(), **live}})
    return TestClient(build_app(given, now=lambda: NOW), base_url="http://127.0.0.1:8009", client=("127.0.0.1", 5000))


def test_an_answer_is_kept_and_sent_again_it_counts_once(client: TestClient, school: LiveSchool) -> None:
    for status in ("accepted", "known"):
        told = client.post("/v1/answers", json=SENT)
        assert told.status_code == 200
        assert told.json()["answers"] == [{"event_id": "a1", "status": status, "reason": None}]
    assert school.inbox.of_learner(school.pseudonym("pupil-1")).height == 1


def test_the_good_ones_of_a_list_are_kept_and_the_others_have_reasons(client: TestClient, school: LiveSchool) -> None:
    bad = [{**SENT, "event_id": "b1", "correct": 2}, {**SENT, "event_id": "b2", "when": "now"}, {"event_id": "b3"}]
    naive = {**SENT, "event_id": "b4", "occurred_at": "2026-03-09T20:00:00"}
    told = client.post("/v1/answers", json=[*bad, SENT, naive])
    assert told.status_code == 422
    body = told.json()
    assert (body["accepted"], body["refused"]) == (1, 4)
    reasons = ["correct", "when", "learner_id", None, "timezone"]
    for wanted, fate in zip(reasons, body["answers"], strict=True):
        assert (fate["reason"] is None) if wanted is None else (wanted in fate["reason"])
    assert school.inbox.of_learner(school.pseudonym("pupil-1"))["event_id"].to_list() == ["a1"]


@pytest.mark.parametrize("body", ["", "{", "[]", "[1]", '"text"', "null"])
def test_what_is_no_answer_is_refused_whole(client: TestClient, body: str) -> None:
    told = client.post("/v1/answers", content=body)
    assert told.status_code == 400
    assert told.json()["detail"]


def test_too_much_at_once_is_refused_whole(school: LiveSchool) -> None:
    with client_of(school.settings, answers_at_once=2) as client:
        assert client.post("/v1/answers", json=[SENT] * 3).status_code == 413
        assert client.post("/v1/answers", content=b" " * 20_000).status_code == 413
    assert school.inbox.of_learner(school.pseudonym("pupil-1")).is_empty()


def test_a_client_that_calls_too_often_is_told_to_wait(school: LiveSchool) -> None:
    with client_of(school.settings, calls_per_second=3) as client:
        answers = [client.post("/v1/answers", json=SENT) for _ in range(30)]
    refused = [told for told in answers if told.status_code == 429]
    assert refused
    assert all(int(told.headers["Retry-After"]) >= 1 for told in refused)


def test_three_tokens_part_three_rights(school: LiveSchool) -> None:
    data = school.settings.model_dump()
    settings = Settings.model_validate({**data, "api": {**data["api"], "token": ALL}})
    calls = {"write": ("/v1/answers", SENT), "read": ("/v1/predict", {"learner": "pupil-1", "items": ["item-3"]})}
    with client_of(settings, write_token=WRITE, read_token=READ) as client:
        for token, rights in ((WRITE, {"write"}), (READ, {"read"}), (ALL, {"write", "read"}), ("x" * 20, set[str]())):
            for right, (path, body) in calls.items():
                told = client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
                assert (told.status_code != 401) is (right in rights), (token, right)
        assert client.post("/v1/answers", json=SENT).status_code == 401
        assert client.get("/v1/overrides", headers={"Authorization": f"Bearer {READ}"}).status_code == 401


def test_a_token_that_can_be_guessed_is_refused_at_the_start(school: LiveSchool) -> None:
    with pytest.raises(SettingsError, match="AIVO_LIVE_READ_TOKEN has fewer than 16"):
        client_of(school.settings, read_token="short")


def test_what_comes_next_knows_the_answer_that_was_just_sent(client: TestClient, school: LiveSchool) -> None:
    school.serve()
    before = client.post("/v1/learners/pupil-1/next", json={"skill": "skill-3", "count": 50}).json()
    item = before["exercises"][0]["item_id"]
    client.post("/v1/answers", json={**SENT, "item_id": item})
    after = client.post(
        f"/v1/learners/{school.pseudonym('pupil-1')}/next", json={"skill": "skill-3", "count": 50}
    ).json()
    assert item not in {each["item_id"] for each in after["exercises"]}
    assert (before["standing"]["answers_since"], after["standing"]["answers_since"]) == (0, 1)
    assert after["learner"] == school.pseudonym("pupil-1") == before["learner"]
    assert after["standing"]["stale"] is False
    told = client.post("/v1/predict", json={"learner": "pupil-1", "items": ["item-3", "item-1", "item-3"]}).json()
    assert [each["item_id"] for each in told["predictions"]] == ["item-3", "item-1", "item-3"]
    assert all(each["lower"] < each["probability"] < each["upper"] for each in told["predictions"])
    unknown = client.post("/v1/predict", json={"learner": "pupil-1", "items": ["no-item"]})
    assert (unknown.status_code, "no-item" in unknown.json()["detail"]) == (404, True)
    assert client.post("/v1/learners/pupil-1/next", json={"skill": "alchemy"}).status_code == 404


def test_without_a_champion_it_says_so(client: TestClient) -> None:
    told = client.post("/v1/learners/pupil-1/next", json={})
    assert told.status_code == 409
    assert "No main brain serves" in told.json()["detail"]


def test_without_a_database_answers_are_not_acknowledged(school: LiveSchool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIVO_DAGSTER_STORAGE_URL", raising=False)
    settings = Settings.model_validate({**school.settings.model_dump(), "postgres_url": None})
    with client_of(settings) as client:
        told = client.post("/v1/answers", json=SENT)
    assert told.status_code == 503
    assert "No PostgreSQL" in told.json()["detail"]


def test_a_page_from_elsewhere_may_send_nothing(client: TestClient) -> None:
    assert client.post("/v1/answers", json=SENT, headers={"Origin": "https://elsewhere.example"}).status_code == 403
