"""The catalogues of the pages: complete in every language, and every text that a page asks for is there."""

import re
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel import Locale

import aivo_assets.pages
from aivo_assets.errors import SettingsError
from aivo_assets.kinds import KINDS
from aivo_assets.pages.serving.rendering import REASONS
from aivo_assets.pages.texts import LANGUAGES, load_texts

ROOM = Path(aivo_assets.pages.__file__).parent
ASKED = re.compile(r"""(?:\bt|texts|\.steps)\(\s*f?["']([a-z_]+\.[a-z_.{]*)""")
ENTRIES = {code: load_texts(code).entries for code in LANGUAGES}


def fields(entry: Any) -> list[set[str]]:
    forms = [entry] if isinstance(entry, str) else list(entry.values() if isinstance(entry, dict) else entry)
    return [{name for _, name, _, _ in Formatter().parse(form) if name} for form in forms]


def asked() -> dict[str, str]:
    found = {}
    for path in [*ROOM.rglob("*.html"), *ROOM.rglob("*.py")]:
        for key in ASKED.findall(path.read_text(encoding="utf-8")):
            found[key] = path.name
    return found


def test_every_language_has_the_same_texts() -> None:
    assert len(LANGUAGES) >= 2
    for code, entries in ENTRIES.items():
        assert set(entries) == set(ENTRIES["en"]), code


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_text_names_the_same_values_in_all_its_forms(code: str) -> None:
    for key, entry in ENTRIES[code].items():
        ours = set().union(*fields(entry))
        assert ours == set().union(*fields(ENTRIES["en"][key])), key
        if isinstance(entry, dict):
            assert set(entry) == {*Locale.parse(code).plural_form.tags, "other"}, key
            assert "count" in ours, key


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_text_is_empty_or_left_in_another_language(code: str) -> None:
    for key, entry in ENTRIES[code].items():
        for form in [entry] if isinstance(entry, str) else entry.values() if isinstance(entry, dict) else entry:
            assert form.strip(), key
    same = [key for key, entry in ENTRIES["de"].items() if entry == ENTRIES["en"][key] and len(str(entry)) > 25]
    assert same == []


def test_every_text_that_a_page_asks_for_is_there() -> None:
    wanted = asked()
    assert len(wanted) > 60
    whole = {key: place for key, place in wanted.items() if "{" not in key and not key.endswith((".", "_"))}
    assert {key: place for key, place in whole.items() if key not in ENTRIES["en"]} == {}
    for key, place in wanted.items():
        beginning = key.split("{")[0]
        assert any(each.startswith(beginning) for each in ENTRIES["en"]), (key, place)


def test_every_kind_and_reason_has_a_name() -> None:
    for entries in ENTRIES.values():
        assert {f"kinds.{kind}" for kind in KINDS} <= set(entries)
        assert {f"reasons.{reason}" for reason in REASONS} <= set(entries)


def test_numbers_and_days_are_said_as_the_language_says_them() -> None:
    english, german = (load_texts(code, "Europe/Berlin") for code in ("en", "de"))
    assert english("class.size", count=1) == "1 pupil."
    assert german("class.size", count=2350) == "2.350 Kinder."
    assert (english.percent(0.456), german.percent(0.456)) == ("46%", "46\N{NO-BREAK SPACE}%")


def test_a_language_that_is_not_spoken_is_refused() -> None:
    with pytest.raises(SettingsError, match="'tlh'"):
        load_texts("tlh")
