"""The pages in a real browser: a teacher by keyboard, a narrow screen, paper, and nothing in the way (axe)."""

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from aivo_assets.adaptive.advice.recommendations import Known, recommend
from aivo_assets.adaptive.advice.wording import load_wording
from aivo_assets.adaptive.schema import RECOMMENDATIONS, SIGNALS
from aivo_assets.api.app import build_app
from aivo_assets.events.landing.overrides import raw_overrides
from aivo_assets.lake import Lake, open_lake
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.overrides import OVERRIDES, anonymise_overrides
from aivo_assets.settings import Settings
from aivo_assets_tests.adaptive.learners import ladder
from aivo_assets_tests.api.service import free_port
from aivo_assets_tests.pages.school import ADA, CLASS, NOW, SECRET, TODAY, fill, settings_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="they need axe-playwright-python")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")]
PAGES = ("/", f"/classes/{CLASS}", f"/pupils/{ADA}", f"/learners/{ADA}", f"/parents/{ADA}", f"/schools/{'e' * 32}",
         "/operations", f"/classes/{'f' * 32}")  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_of(tmp_path_factory.mktemp("browser"))
    fill(settings)
    return settings


@pytest.fixture(scope="module")
def url(settings: Settings) -> Iterator[str]:
    port = free_port()
    config = uvicorn.Config(build_app(settings, now=lambda: NOW), host="127.0.0.1", port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


def check_again(lake: Lake, settings: Settings) -> None:
    """What the next check does: overrides lose their names, and the policy decides again."""
    words = anonymise_overrides(raw_overrides(lake), PseudonymKey(SECRET), lake.shards)
    lake.write(OVERRIDES, words)
    made = recommend(
        lake.scan(SIGNALS, days=[TODAY]).collect(), ladder("fractions"), settings=settings.policy,
        wording=load_wording(settings.policy), made_by="the next check", known=Known(overrides=words),
    )  # fmt: skip
    lake.write(RECOMMENDATIONS, made, day=TODAY)


@pytest.mark.parametrize("language", ["en", "de"])
def test_nothing_stands_in_anybodys_way(url: str, browser: "Browser", language: str) -> None:
    context = browser.new_context(locale=language, viewport={"width": 320, "height": 640}, bypass_csp=True)
    page = context.new_page()
    for path in PAGES:
        page.goto(url + path)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        found = axe.Axe().run(page)
        assert found.violations_count == 0, (path, found.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
    context.close()


def test_a_teacher_finds_who_needs_help_and_sets_a_level_by_keyboard_that_the_next_check_obeys(
    url: str, browser: "Browser", settings: Settings
) -> None:
    context = browser.new_context(locale="en", java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    page.locator(f'a[href="/classes/{CLASS}"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/classes/{CLASS}")
    first = page.locator("ol.needs > li").first
    assert "needs the basics" in first.inner_text()
    learner = str(first.locator("a").first.get_attribute("href")).rsplit("/", 1)[-1]
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    form = first.locator("form").nth(2)
    form.locator("select").select_option("3")
    form.locator("button").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("told=kept"))
    assert "Your decision is kept" in page.locator(".told").inner_text()
    lake = open_lake(settings)
    check_again(lake, settings)
    page.wait_for_timeout(2500)  # newer days are looked for every two seconds
    page.goto(f"{url}/pupils/{learner}")
    assert "level 3" in page.locator("article h3").first.inner_text()
    assert "It is in force: the recommendations follow it." in page.locator("main").inner_text()
    context.close()


def test_a_class_fits_on_one_sheet_of_paper(url: str, browser: "Browser", tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(f"{url}/classes/{CLASS}")
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    page.close()
