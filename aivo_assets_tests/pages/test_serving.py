"""The pages over HTTP: read in two languages, decided upon by forms, closed to strangers, safe with any name."""

import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from aivo_assets.events.landing.overrides import raw_overrides
from aivo_assets.lake import open_lake
from aivo_assets.operations.alerts.folding import OutboxEntry
from aivo_assets.pages.serving import LocalAudience, Viewer, pages
from aivo_assets.pages.texts import Texts
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.champions import Move
from aivo_assets_tests.pages.school import ADA, CID, CLASS, NOW, OTHER_CLASS, ask, fill, get, settings_of


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_of(tmp_path_factory.mktemp("pages"))
    fill(settings)
    return settings


def form_of(html: str, action: str) -> dict[str, str]:
    """The hidden fields of the first form that decides so."""
    for form in re.findall(r"<form method=\"post\".*?</form>", html, re.DOTALL):
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        if fields.get("action") == action:
            return fields
    raise AssertionError(f"there is no form that decides {action}")


def test_the_start_page_leads_to_every_class(settings: Settings) -> None:
    page = get(settings, "/")
    assert page.status_code == 200
    assert f'href="/classes/{CLASS}"' in page.text
    assert f'href="/classes/{OTHER_CLASS}"' in page.text
    assert "20 Mar 2024" in page.text
    assert "nobody is signed in" in page.text


def test_the_class_page_is_read_in_the_browsers_language(settings: Settings) -> None:
    english = get(settings, f"/classes/{CLASS}")
    german = get(settings, f"/classes/{CLASS}", headers={"Accept-Language": "de-CH,de;q=0.9,en;q=0.5"})
    assert '<html lang="en">' in english.text
    assert '<html lang="de">' in german.text
    assert "Who needs help first" in english.text
    assert "Wer zuerst Hilfe braucht" in german.text
    assert "die Grundlagen festigen" in german.text
    assert "answers right" not in german.text


@pytest.mark.parametrize("path", ["/", f"/classes/{CLASS}", f"/pupils/{ADA}", f"/classes/{'f' * 32}"])
def test_nothing_but_our_own_style_may_run_or_load(settings: Settings, path: str) -> None:
    page = get(settings, path)
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not re.search(r"<script|<style|\son\w+=|\sstyle=|https?://(?!127\.0\.0\.1)", page.text)


def test_a_level_is_pinned_by_a_form_and_the_page_says_so(settings: Settings) -> None:
    async def pin(client: httpx.AsyncClient) -> httpx.Response:
        page = await client.get(f"/classes/{CLASS}")
        fields = {**form_of(page.text, "pin"), "level": "2"}
        return await client.post("/words", data=fields, follow_redirects=True)

    page = ask(settings, pin)
    assert page.status_code == 200
    assert "Your decision is kept. The next check follows it" in page.text
    assert "set level 2 in fractions" in page.text
    kept = raw_overrides(open_lake(settings)).to_dicts()[-1]
    assert (kept["action"], kept["level"], kept["learner_id"] in ("ada", "ben")) == ("pin", 2, True)


def test_a_decision_is_taken_back(settings: Settings) -> None:
    async def there_and_back(client: httpx.AsyncClient) -> httpx.Response:
        page = await client.get(f"/pupils/{ADA}")
        fields = {**form_of(page.text, "reject"), "reason": "not_now"}
        page = await client.post("/words", data=fields, follow_redirects=True)
        assert "rejected" in page.text
        form = re.search(r'<form method="post" action="/words/take-back">(.*?)</form>', page.text, re.DOTALL)
        assert form is not None
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))
        return await client.post("/words/take-back", data=fields, follow_redirects=True)

    assert "was taken back" in ask(settings, there_and_back).text


@pytest.mark.parametrize(
    ("token", "headers"),
    [("", {}), ("x" * 32, {}), (None, {"Origin": "https://elsewhere.example"})],
)
def test_a_form_that_is_not_ours_changes_nothing(
    settings: Settings, token: str | None, headers: dict[str, str]
) -> None:
    before = raw_overrides(open_lake(settings)).height

    async def forge(client: httpx.AsyncClient) -> httpx.Response:
        page = await client.get(f"/pupils/{CID}")
        fields = form_of(page.text, "accept")
        sent = fields if token is None else {**fields, "token": token}
        return await client.post("/words", data=sent, headers=headers)

    answer = ask(settings, forge)
    assert answer.status_code == 403
    assert raw_overrides(open_lake(settings)).height == before


def test_what_cannot_be_obeyed_is_told_on_a_page(settings: Settings) -> None:
    async def impossible(client: httpx.AsyncClient) -> httpx.Response:
        page = await client.get(f"/pupils/{ADA}")
        return await client.post("/words", data={**form_of(page.text, "pin"), "level": "3", "skill_id": "alchemy"})

    answer = ask(settings, impossible)
    assert answer.status_code == 409
    assert "There is no skill &#39;alchemy&#39;" in answer.text


@pytest.mark.parametrize(
    ("path", "says"), [(f"/classes/{'f' * 32}", "no such class"), (f"/pupils/{'0' * 32}", "no such pupil")]
)
def test_who_is_not_known_gets_a_page_that_says_so(settings: Settings, path: str, says: str) -> None:
    page = get(settings, path)
    assert page.status_code == 404
    assert says in page.text


def test_a_lake_without_anything_has_a_start_page(tmp_path: Path) -> None:
    page = get(settings_of(tmp_path), "/")
    assert page.status_code == 200
    assert "There is no class yet" in page.text


def test_pages_are_closed_where_others_could_reach_them(settings: Settings) -> None:
    with_token = settings.model_copy(
        update={"api": settings.api.model_copy(update={"token": settings_of("x", api={"token": "t" * 20}).api.token})}
    )
    page = get(with_token, f"/classes/{CLASS}")
    assert page.status_code == 401
    assert "Please sign in" in page.text
    assert ADA not in page.text
    rebound = get(settings, "/", headers={"Host": "evil.example"})
    assert rebound.status_code == 403


def test_a_choice_of_language_is_kept_and_leads_back_to_this_service_alone(settings: Settings) -> None:
    async def choose(client: httpx.AsyncClient) -> httpx.Response:
        answer = await client.get("/preferences", params={"language": "de", "zone": "Asia/Tokyo", "back": "/"})
        assert answer.headers["location"] == "/"
        return await client.get("/")

    page = ask(settings, choose)
    assert '<html lang="de">' in page.text
    assert 'value="Asia/Tokyo"' in page.text
    for back in ("//evil.example", "https://evil.example", "/\\evil.example", "/\nx"):
        assert get(settings, "/preferences", params={"back": back}).headers["location"] == "/"


def test_a_table_opens_in_a_spreadsheet_without_running_anything(settings: Settings) -> None:
    table = get(settings, f"/classes/{CLASS}/table.csv")
    assert table.headers["content-type"].startswith("text/csv")
    lines = table.text.lstrip("\ufeff").splitlines()
    assert len(lines) == 4
    assert not any(cell[:1] in "=+@" for line in lines for cell in line.split(",") if cell)


NASTY = {
    "script": "<script>alert(1)</script>",
    "template": "{{7*7}}{% raw %}",
    "direction": "\u202eevitceriD\u2066\u200f",
    "long": "x" * 10_000,
    "formula": "=HYPERLINK(1)",
    "format": "{count} {0} %s",
}


class Named(LocalAudience):
    """An audience whose roster and content table hold what somebody wrote."""

    name: str = ""

    def names(self, viewer: Viewer, pseudonyms: Iterable[str], texts: Texts) -> Mapping[str, str]:
        return dict.fromkeys(pseudonyms, self.name)

    def content(self, ids: Iterable[str]) -> Mapping[str, tuple[str, str | None]]:
        return dict.fromkeys(ids, (self.name, f"javascript:{self.name}"))


class Page(HTMLParser):
    """The tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attributes if name == "href"]


class Unmoved:
    """Models of which nothing was decided."""

    def version(self) -> str | None:
        return "7"

    def moves(self) -> list[Move]:
        return []

    def alerts(self) -> list[OutboxEntry]:
        return []


def _allow(_: Request) -> None:
    return None


@pytest.mark.parametrize("kind", NASTY)
def test_a_name_is_text_and_nothing_else(settings: Settings, kind: str) -> None:
    audience: Any = type("Written", (Named,), {"name": NASTY[kind]})(_allow)
    app = FastAPI()
    app.include_router(
        pages(settings, open_lake(settings), audience, now=lambda: NOW, models=Unmoved(), links={"dagster": "/d"})
    )
    client = TestClient(app, base_url="http://127.0.0.1")
    families = (f"/learners/{ADA}", f"/parents/{ADA}", f"/schools/{'e' * 32}")
    for path in ("/", f"/classes/{CLASS}", f"/pupils/{ADA}", *families, f"/classes/{CLASS}/table.csv"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200f]", answer.text)
        assert "x" * 100 not in answer.text
        if path.endswith(".csv"):
            assert not any(line.startswith("=") for line in answer.text.splitlines())
            continue
        page = Page(answer.text)
        assert "script" not in page.tags
        assert not any(link.startswith("javascript:") for link in page.links)
        assert "49" not in re.sub(r"[0-9a-f]{24,}|\d+[.,%–]\d*", "", answer.text) or kind != "template"
