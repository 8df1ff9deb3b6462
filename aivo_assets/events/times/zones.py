"""Names of time zones. Belongs here: which zone or offset a name means; no time is read.

A name of the IANA database goes first (`US/Eastern`, `EST`). Abbreviations that mean one offset wherever English is
written are read as that offset, so PST is eight hours behind UTC, also in July. What means several (IST, BST, AST) is
not known until `AIVO_SOURCE_ZONES` says what it means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import available_timezones

from aivo_assets.errors import SettingsError

_OFFSETS = {
    # RFC 822, section 5, the first eight; DataShop's manual shows them.
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "AKST": -9, "AKDT": -8, "HST": -10,
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0,
    "WEST": 1, "CEST": 2, "EEST": 3,
    "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip


@dataclass(frozen=True)
class Zone:
    """What a name means: a zone of the IANA database, or an offset from UTC in minutes. One of the two is None."""

    name: str | None = None
    offset: int | None = None


def check(name: str, *, variable: str) -> None:
    """Refuse a name that is no zone of the IANA database.

    Raises:
        SettingsError: It is none.
    """
    if name not in _known():
        raise SettingsError(
            f"{variable}: {name!r} is no time zone", fix="Take a name such as Europe/Paris, America/New_York or UTC."
        )


def zone_of(name: str, named: Mapping[str, str]) -> Zone | None:
    """What a name in a file means; None where it is not known.

    Args:
        name: As written.
        named: Further names and what they mean, from the settings.
    """
    name = named.get(name, name)
    if name in _known():
        return Zone(name=name)
    offset = _OFFSETS.get(name.upper())
    return None if offset is None else Zone(offset=offset * 60)


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(available_timezones())
