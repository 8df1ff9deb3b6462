"""Every page for every role; sessions that are forged, ended or old; names that are attacks; looks that are kept."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from aivo_assets.people.sessions import Sessions
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets_tests.pages.school import ADA, BEN, EVE
from aivo_assets_tests.people.school import FIVE_A, FOUR_B, Clock, browser, choose, opened

PEOPLE = {"teacher": "t-b", "head": "h", "parent": "g-ben", "learner": "ben", "operator": "o"}
OPEN = {
    "/": {"teacher", "head", "parent", "learner", "operator", None},
    f"/classes/{FOUR_B}": {"teacher", "head", "operator", None},
    f"/classes/{FIVE_A}": {"head", "operator", None},
    f"/classes/{FOUR_B}/table.csv": {"teacher", "head", "operator", None},
    f"/classes/{FIVE_A}/table.csv": {"head", "operator", None},
    f"/pupils/{BEN}": {"teacher", "head", "operator", None},
    f"/pupils/{EVE}": {"head", "operator", None},
    f"/learners/{BEN}": {"learner", None},
    f"/learners/{EVE}": {None},
    f"/parents/{BEN}": {"teacher", "parent", None},
    f"/parents/{EVE}": {None},
    "/operations": {"operator", None},
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return opened(tmp_path_factory.mktemp("doors"))[0]


@pytest.fixture
def client(settings: Settings) -> TestClient:
    return browser(settings)


@pytest.mark.parametrize("role", [*PEOPLE, None])
def test_every_page_opens_to_the_roles_of_the_table_and_to_nobody_else(client: TestClient, role: str | None) -> None:
    if role is not None:
        assert choose(client, PEOPLE[role], role).status_code == 303
    answers = {path: client.get(path).status_code for path in OPEN}
    assert answers == {path: 200 if role in roles else 403 for path, roles in OPEN.items()}


def test_a_teacher_reads_names_an_operator_and_local_mode_do_not(client: TestClient) -> None:
    assert "Ben Ost" not in client.get(f"/classes/{FOUR_B}").text
    choose(client, "t-b", "teacher")
    page = client.get(f"/classes/{FOUR_B}").text
    assert "Ben Ost" in page
    assert "Tea Bee" in page
    assert "no password" in page
    choose(client, "o", "operator")
    assert "Ben Ost" not in client.get(f"/classes/{FOUR_B}").text


def test_a_name_runs_nothing_and_does_not_turn_the_page(client: TestClient) -> None:
    choose(client, "t-b", "teacher")
    for path in (f"/classes/{FOUR_B}", f"/pupils/{ADA}"):
        page = client.get(path).text
        assert "<script" not in page
        assert "\u202e" not in page
        assert "x" * 1000 not in page


def test_each_look_is_kept_by_pseudonym_and_only_what_was_seen(client: TestClient, settings: Settings) -> None:
    choose(client, "t-b", "teacher")
    client.get(f"/pupils/{BEN}")
    text = "".join(path.read_text() for path in sorted((settings.home / "audit").glob("*.jsonl")))
    look = json.loads(text.splitlines()[-1])
    assert (look["role"], look["page"], look["whose"]) == ("teacher", f"/pupils/{BEN}", [BEN])
    assert not {"Ben", "Tea", "t-b", '"ben"'} & set(text.replace(" ", '"').split('"'))
    assert all(path.stat().st_mode & 0o077 == 0 for path in (settings.home / "audit").iterdir())


def test_the_audit_log_is_told_over_http(client: TestClient) -> None:
    choose(client, "t-b", "teacher")
    client.get(f"/pupils/{BEN}")
    newest = client.get(f"/v1/audit?learner={BEN}&most=1").json()
    assert [(each["page"], each["whose"]) for each in newest] == [(f"/pupils/{BEN}", [BEN])]
    assert client.get("/v1/audit?last=2000-01-01").json() == []


def test_families_are_led_to_their_own_page(client: TestClient) -> None:
    assert choose(client, "ben", "learner").headers["location"] == "/mine"
    assert client.get("/mine").headers["location"] == f"/learners/{BEN}"
    choose(client, "g-ben", "parent")
    assert client.get("/mine").headers["location"] == f"/parents/{BEN}"
    assert "Ben" in client.get(f"/parents/{BEN}").text


def test_without_an_audit_log_no_name_is_shown(tmp_path: Path) -> None:
    settings, _ = opened(tmp_path)
    client = browser(settings)
    choose(client, "t-b", "teacher")
    (settings.home / "audit").write_text("in the way")
    page = client.get(f"/classes/{FOUR_B}")
    assert page.status_code == 503
    assert "Ben Ost" not in page.text


def test_forged_ended_and_old_sessions_are_nobodys(settings: Settings) -> None:
    clock = Clock()
    client = browser(settings, clock)
    choose(client, "t-b", "teacher")
    given = client.cookies["aivo_session"]
    assert "Ben Ost" in client.get(f"/pupils/{BEN}").text

    def seen_with(cookie: str) -> str:
        other = browser(settings, clock)
        other.cookies.set("aivo_session", cookie)
        return other.get(f"/pupils/{BEN}").text

    assert "Ben Ost" in seen_with(given)
    assert "Ben Ost" not in seen_with(given[:-3] + "abc")
    assert "Ben Ost" not in seen_with("x" + given)
    clock.at += timedelta(hours=11)
    assert "Ben Ost" not in seen_with(given)
    clock.at -= timedelta(hours=11)
    client.post("/sign-out", data={"token": client.cookies["aivo_form"]})
    assert "Ben Ost" not in seen_with(given)


def test_a_form_from_elsewhere_signs_nobody_in_or_out(client: TestClient) -> None:
    client.get("/sign-in")
    fields = {"person": "t-b", "role": "teacher", "token": client.cookies["aivo_form"]}
    assert client.post("/sign-in/local", data={**fields, "token": "guess"}).status_code == 403
    assert client.post("/sign-in/local", data=fields, headers={"Origin": "http://evil.example"}).status_code == 403
    choose(client, "t-b", "teacher")
    assert client.post("/sign-out", data={"token": "guess"}).status_code == 403
    assert "Ben Ost" in client.get(f"/pupils/{BEN}").text


def test_a_real_roster_is_opened_to_nobody_without_a_password(tmp_path: Path) -> None:
    settings, _ = opened(tmp_path, source="school.zip")
    client = browser(settings)
    assert choose(client, "t-b", "teacher").status_code == 403
    assert "Ben Ost" not in client.get(f"/pupils/{BEN}").text


def test_a_link_signs_one_person_in_once_and_looking_at_it_does_not_use_it_up(settings: Settings) -> None:
    clock = Clock()
    links = Sessions(settings.home, "links", 2, clock)
    given = links.make("g-ben", "parent", "link")
    late = links.make("g-ben", "parent", "link")
    client = browser(settings, clock)
    assert client.get(f"/link/{given}").status_code == client.get(f"/link/{given}").status_code == 200
    form = {"given": given, "token": client.cookies["aivo_form"]}
    assert client.post("/link", data=form).status_code == 303
    assert "Gus Ost" in client.get("/").text
    assert client.get(f"/pupils/{EVE}").status_code == 403
    other = browser(settings, clock)
    assert other.get(f"/link/{given}").status_code == 403
    form["token"] = other.cookies["aivo_form"]
    assert other.post("/link", data=form).status_code == 403
    clock.at += timedelta(hours=3)
    assert other.get(f"/link/{late}").status_code == 403


def test_whoever_leaves_the_roster_is_signed_out(tmp_path: Path) -> None:
    from aivo_assets.people.roster import RAW_ROSTER

    settings, lake = opened(tmp_path)
    client = browser(settings)
    choose(client, "t-b", "teacher")
    rows = lake.scan(RAW_ROSTER).collect()
    lake.write(RAW_ROSTER, rows.filter(rows["person_id"].ne_missing("t-b")))
    assert "Ben Ost" not in client.get(f"/pupils/{BEN}").text
    assert lake.days(ANONYMISED_INTERACTIONS)
