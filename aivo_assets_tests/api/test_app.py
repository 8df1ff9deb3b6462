"""What the HTTP service shows, and what it never shows."""

import asyncio
import re
import shlex
from collections.abc import Callable
from html import unescape
from pathlib import Path

import httpx
import pytest

from aivo_assets.api.addresses import document_url
from aivo_assets.api.app import build_app
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings

Get = Callable[[str], httpx.Response]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def get(settings: Settings) -> Get:
    async def ask(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(build_app(settings))
        async with httpx.AsyncClient(transport=transport, base_url="http://aivo") as client:
            return await client.get(path)

    return lambda path: asyncio.run(ask(path))


def test_it_says_that_it_is_there(get: Get) -> None:
    assert get("/health").json() == {"status": "ok", "documents": ["drift", "main_brain"]}


def test_a_report_opens_under_the_address_that_its_asset_links_to(get: Get, settings: Settings) -> None:
    lake = Lake(settings.lake_url, shards=1)
    lake.write_bytes("drift/reports/day=2026-03-10.html", b"<p>what moved</p>")
    url = document_url(settings, "drift", "day=2026-03-10.html")
    answer = get(url.removeprefix(f"http://{settings.api.host}:{settings.api.port}"))
    assert answer.text == "<p>what moved</p>"
    assert answer.headers["content-type"].startswith("text/html")


def test_the_documentation_names_every_call_and_needs_nothing_from_elsewhere(get: Get) -> None:
    page = get("/docs").text
    for path in get("/openapi.json").json()["paths"]:
        assert f"</b> {path}</h2>" in page
    assert "curl -X POST" in page
    assert "//cdn" not in page
    assert re.findall(r"""(?:src|href)=["']?([^"' >]+)""", page) == ["openapi.json"]
    assert "<script" not in page


def test_an_example_of_the_documentation_can_be_pasted_into_a_shell(get: Get) -> None:
    page = unescape(get("/docs").text)
    examples = re.findall(r"<pre>(curl .*?)</pre>", page)
    trigger = next(each for each in examples if "trigger" in each)
    assert shlex.split(trigger) == [
        "curl", "-X", "POST", "-H", "Idempotency-Key: monday-curriculum-1",
        "http://127.0.0.1:8009/v1/scheduler/trigger/main_brain?reason=a+new+curriculum+began&priority=high",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["../calendar.json", "%2e%2e/%2e%2e/raw/secret.json", "../../raw/secret.json"])
def test_nothing_outside_the_documents_is_served(path: str, get: Get, settings: Settings) -> None:
    lake = Lake(settings.lake_url, shards=1)
    lake.write_bytes("drift/reports/a.html", b"a")
    lake.write_bytes("raw/secret.json", b"secret")
    lake.write_bytes("calendar.json", b"secret")
    answer = get(f"/documents/drift/{path}")
    assert answer.status_code == 404
    assert "secret" not in answer.text
