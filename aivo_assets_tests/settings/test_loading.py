"""What a wrong environment is told: which variable, what is wrong with it, and never the value of a secret."""

import traceback

import pytest

from aivo_assets.errors import SettingsError
from aivo_assets.settings import load_settings

SECRET = "hush-4711-hush"


def refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> tuple[SettingsError, str]:
    """The error, and the whole traceback as a log would hold it."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return caught.value, "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AIVO_API", f'{{"token": ["{SECRET}"]}}'),
        ("AIVO_SOURCE", f'{{"url": {{"password": "{SECRET}"}}}}'),
        ("AIVO_ALERTS_URLS", f'["json://host", ["{SECRET}"]]'),
        ("AIVO_ALERTS", f'{{"webhook_url": ["{SECRET}"]}}'),
        ("AIVO_API_TOKENN", SECRET),  # the name is misspelt; the value is a secret all the same
        ("AIVO_API", f'["{SECRET}"]'),
        ("AIVO_SOURCE", SECRET),
        ("AIVO_SOURCE_COLUMNS", f"{{{SECRET}"),
    ],
)
def test_the_value_of_a_secret_is_shown_neither_in_the_error_nor_in_its_traceback(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error, trace = refused(monkeypatch, name, value)
    assert name.split("_")[1].casefold() in error.what.casefold()
    assert SECRET not in str(error)
    assert SECRET not in trace


def test_a_secret_beside_a_wrong_setting_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIVO_API_TOKEN", SECRET)
    monkeypatch.setenv("AIVO_PSEUDONYM_KEY", SECRET)
    error, trace = refused(monkeypatch, "AIVO_API_PORT", "70000")
    assert "AIVO_API_PORT='70000': Input should be less than or equal to 65535" in error.what
    assert SECRET not in trace


@pytest.mark.parametrize(
    ("name", "value"),
    [("AIVO_LAKE_SHARDS", "many"), ("AIVO_SOURCE_KIND", "telepathy"), ("AIVO_PRIVACY_K_ANONYMITY", "0")],
)
def test_a_setting_that_is_no_secret_is_shown_with_its_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error, _ = refused(monkeypatch, name, value)
    assert f"{name}='{value}'" in error.what
