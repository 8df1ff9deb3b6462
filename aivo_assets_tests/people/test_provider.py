"""Signing in at a real OpenID Connect provider: who is in the roster comes in, nobody else, and once a return."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from aivo_assets.settings import Settings
from aivo_assets_tests.pages.school import BEN
from aivo_assets_tests.people.school import browser, opened

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    users = [
        {"sub": "tea", "email": "Tea@hill.example", "email_verified": True},
        {"sub": "odd", "email": "tea@hill.example", "email_verified": False},
        {"sub": "far", "email": "far@away.example", "email_verified": True},
    ]
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    claims = [part for user in users for part in ("--user-claims", json.dumps(user))]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *claims]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://localhost:{port}/.well-known/openid-configuration").raise_for_status()
                break
            except httpx.HTTPError:
                assert running.poll() is None
                time.sleep(0.1)
        yield f"http://localhost:{port}"
    finally:
        running.terminate()
        running.wait(20)


@pytest.fixture(scope="module")
def settings(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("provider")
    secret = {"oidc_issuer": provider, "oidc_client_id": "aivo", "oidc_client_secret": "not a secret here"}
    return opened(home, source="school.zip", **secret)[0]


def way_back(client: object, subject: str) -> str:
    """The address to which the provider sends somebody back who signed in there."""
    begun = client.get("/sign-in/school")  # type: ignore[attr-defined]
    assert begun.status_code in (302, 303, 307)
    signed = httpx.post(begun.headers["location"], data={"sub": subject})
    parts = urlsplit(signed.headers["location"])
    return f"{parts.path}?{parts.query}"


def test_a_teacher_signs_in_and_reads_names(settings: Settings) -> None:
    client = browser(settings)
    assert client.get(f"/pupils/{BEN}").status_code == 401
    back = client.get(way_back(client, "tea"))
    assert back.status_code == 303
    cookie = next(each for each in back.headers.get_list("set-cookie") if each.startswith("aivo_session="))
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "Ben Ost" in client.get(f"/pupils/{BEN}").text


@pytest.mark.parametrize("subject", ["far", "odd"])
def test_whom_the_roster_does_not_know_or_whose_address_is_unproven_stays_out(settings: Settings, subject: str) -> None:
    client = browser(settings)
    assert client.get(way_back(client, subject)).status_code == 403
    assert client.get(f"/pupils/{BEN}").status_code == 401


def test_a_return_that_another_browser_began_or_that_was_used_is_refused(settings: Settings) -> None:
    client, thief = browser(settings), browser(settings)
    back = way_back(client, "tea")
    assert thief.get(back).status_code == 403
    assert client.get(back).status_code == 303
    client.cookies.delete("aivo_session")
    assert client.get(back).status_code == 403
    assert client.get(f"/pupils/{BEN}").status_code == 401


def test_nobody_can_choose_where_a_provider_is_set(settings: Settings) -> None:
    client = browser(settings)
    client.get("/sign-in")
    fields = {"person": "t-b", "role": "teacher", "token": client.cookies["aivo_form"]}
    assert client.post("/sign-in/local", data=fields).status_code == 403


def test_a_provider_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{held.getsockname()[1]}"
        settings, _ = opened(tmp_path, oidc_issuer=nowhere, oidc_client_id="aivo", oidc_client_secret="x")
        assert browser(settings).get("/sign-in/school").status_code == 503
