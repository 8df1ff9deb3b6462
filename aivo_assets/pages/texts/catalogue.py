"""Reads the pages' catalogue of a language and fills its sentences. No sentence is in the code.

A sentence with a number in it has one form for each plural category of its language (`one`, `other`).
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal, format_percent

from aivo_assets.errors import SettingsError
from aivo_assets.language import Language

Entry = str | Mapping[str, str] | Sequence[str]
"""A sentence, a sentence with its plural forms, or several sentences."""

FOLDER: Final = Path(__file__).parent
PLURALS: Final = frozenset({"zero", "one", "two", "few", "many", "other"})
LANGUAGES: Final = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
"""Languages that the pages speak."""


@dataclass(frozen=True)
class Texts:
    """One reader's words: a language, and the zone in which times are told.

    Attributes:
        code: The language, `en` or `de`.
        entries: Sentences by key, `class.title`; a sentence with plural forms is a table of them.
        zone: Of the reader.
    """

    code: str
    entries: Mapping[str, Entry]
    zone: ZoneInfo

    def __call__(self, key: str, **values: object) -> str:
        """A sentence, filled.

        Args:
            key: Its place in the catalogue.
            values: What it names. `count` chooses the plural form, and is written as the language writes numbers.

        Raises:
            KeyError: The catalogue has no such sentence, or the sentence names a value that was not given.
        """
        entry = self.entries[key]
        template = entry[self.language.plural(_whole(values["count"]))] if isinstance(entry, Mapping) else str(entry)
        if "count" in values:
            values = {**values, "count": self.number(_whole(values["count"]))}
        return template.format(**values)

    def steps(self, key: str, **values: object) -> tuple[str, ...]:
        """Several sentences, filled."""
        return tuple(str(template).format(**values) for template in self.entries[key])

    def knows(self, key: str) -> bool:
        """Whether the catalogue has a sentence."""
        return key in self.entries

    @property
    def language(self) -> Language:
        """How the language writes dates and plurals."""
        return Language(self.code)

    def date(self, day: date) -> str:
        """A day: 12 Mar 2026."""
        return self.language.date(day)

    def instant(self, at: datetime) -> str:
        """A day and a time in the reader's zone: 12 Mar 2026, 14:05."""
        return self.language.instant(at.astimezone(self.zone))

    def percent(self, share: float) -> str:
        """A share as a whole percentage."""
        return str(format_percent(round(share, 2), locale=self.language.locale))

    def number(self, value: float) -> str:
        """A number with the language's separators; two decimals at most."""
        return str(format_decimal(round(value, 2), locale=self.language.locale))


def load_texts(code: str, zone: str = "UTC") -> Texts:
    """The catalogue of a language.

    Raises:
        SettingsError: The pages do not speak it.
    """
    if code not in LANGUAGES:
        raise SettingsError(f"The pages do not speak {code!r}", fix=f"Choose one of: {', '.join(LANGUAGES)}.")
    return Texts(code, _entries(code), ZoneInfo(zone))


@cache
def _entries(code: str) -> Mapping[str, Entry]:
    with (FOLDER / f"{code}.toml").open("rb") as file:
        return flat(tomllib.load(file))


def flat(tables: Mapping[str, Any], before: str = "") -> dict[str, Entry]:
    """Nested tables as keys with dots; a table of plural forms (it has `other`) stays one entry."""
    entries: dict[str, Entry] = {}
    for name, value in tables.items():
        key = f"{before}{name}"
        if isinstance(value, str | list) or ("other" in value and set(value) <= PLURALS):
            entries[key] = value
        else:
            entries |= flat(value, f"{key}.")
    return entries


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value
