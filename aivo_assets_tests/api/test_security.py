"""Who is let through: on loopback every process of this machine but no web page from elsewhere, beyond it a token."""

import asyncio
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from aivo_assets.api.app import build_app
from aivo_assets.api.security import is_loopback, refuse_open_door
from aivo_assets.errors import SettingsError
from aivo_assets.settings import ApiSettings, Settings

TOKEN = "a token of a good length"
LEARNER = f"/v1/learners/{'a' * 32}/recommendations"


def ask(home: Path, token: str | None, *, base: str = "http://127.0.0.1:8009", **headers: str) -> int:
    settings = Settings(home=home, api=ApiSettings(token=None if token is None else SecretStr(token)))

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(build_app(settings))
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.get(LEARNER, headers=headers)

    return asyncio.run(get()).status_code


LET_THROUGH = 404  # an empty lake knows no learner


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        (f"Bearer {TOKEN}", LET_THROUGH),
        (f"bearer {TOKEN}", LET_THROUGH),
        (f"Bearer {TOKEN} ", LET_THROUGH),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        ("Bearer ", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
    ],
)
def test_a_token_that_is_set_must_be_shown(authorization: str | None, status: int, tmp_path: Path) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    assert ask(tmp_path, TOKEN, **headers) == status


def test_on_loopback_no_token_is_needed_where_none_is_set(tmp_path: Path) -> None:
    assert ask(tmp_path, None) == LET_THROUGH
    assert ask(tmp_path, None, base="http://localhost:8009") == LET_THROUGH
    assert ask(tmp_path, None, Origin="http://127.0.0.1:3000") == LET_THROUGH


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://[broken"])
def test_a_web_page_from_elsewhere_is_refused(origin: str, tmp_path: Path) -> None:
    assert ask(tmp_path, None, Origin=origin) == 403


@pytest.mark.parametrize("base", ["http://evil.example:8009", "http://127.0.0.1.evil.example", "http://10.0.0.5:8009"])
def test_a_name_that_was_bent_to_this_machine_is_refused(base: str, tmp_path: Path) -> None:
    assert ask(tmp_path, None, base=base) == 403


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("aivo.school.example", False),
        ("", False),
    ],
)
def test_what_is_beyond_this_machine(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback
    if not loopback:
        with pytest.raises(SettingsError, match="AIVO_API_TOKEN"):
            refuse_open_door(ApiSettings(host=host))
        refuse_open_door(ApiSettings(host=host, token=SecretStr(TOKEN)))


def test_a_token_that_can_be_guessed_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as refused:
        refuse_open_door(ApiSettings(token=SecretStr("hunter2")))
    assert "hunter2" not in str(refused.value)
