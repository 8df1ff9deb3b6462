"""Where people are sent: to an address that works for them, not to the one that a socket was bound to."""

import pytest

from aivo_assets.api.addresses import document_url, reachable, run_url
from aivo_assets.settings import Settings


def settings(**api: object) -> Settings:
    return Settings.model_validate({"api": api})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8009"),
        ("0.0.0.0", "http://127.0.0.1:8009"),  # nobody can open 0.0.0.0
        ("::", "http://[::1]:8009"),
        ("fd00::5", "http://[fd00::5]:8009"),
        ("aivo.school.example", "http://aivo.school.example:8009"),
    ],
)
def test_documents_are_linked_to_where_this_machine_reaches_the_service(host: str, url: str) -> None:
    assert document_url(settings(host=host), "drift", "day=2026-03-10.html") == (
        f"{url}/documents/drift/day=2026-03-10.html"
    )


def test_behind_a_proxy_they_are_linked_to_its_address() -> None:
    proxied = settings(
        host="0.0.0.0", public_url="https://school.example/aivo/", dagster_public_url="https://d.example/"
    )
    assert document_url(proxied, "drift", "a.html") == "https://school.example/aivo/documents/drift/a.html"
    assert run_url(proxied, "5") == "https://d.example/runs/5"


def test_runs_are_linked_to_the_web_ui_that_the_service_talks_to() -> None:
    assert run_url(settings(dagster_url="http://127.0.0.1:3001/"), "5") == "http://127.0.0.1:3001/runs/5"


@pytest.mark.parametrize("url", ["school.example", "ftp://school.example", "https://a b", "https://a?b"])
def test_an_address_that_browsers_cannot_open_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="public_url"):
        settings(public_url=url)


def test_an_address_of_ipv6_is_written_as_urls_want_it() -> None:
    assert (reachable("::1"), reachable("localhost")) == ("[::1]", "localhost")
