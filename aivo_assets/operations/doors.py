"""Who may open what the platform keeps: nobody but the account that runs it. Belongs here: which places, and the words.

Every process of the platform begins with `close_doors`: the commands, the HTTP service and the code that Dagster loads.
docs/security.md says what this holds back, and what it cannot.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from aivo_assets.private_files import OTHERS, PASSING, Closed, close, everything_below, files_in, write_privately
from aivo_assets.settings import Settings

PRIVATE_FOLDERS: Final = (
    "alerts",
    "api",
    "audit",
    "dagster",
    "logs",
    "mlflow",
    "optuna",
    "people",
    "secrets",
    "warehouse",
)
"""Folders of AIVO_HOME that are closed with all that lies in them."""
OF_THE_DATABASE: Final = "postgres"
"""PostgreSQL guards its data itself, and as root has an account of its own, which must pass this folder."""
OF_THE_KEY: Final = "pseudonym.key"
"""Not closed in passing: whoever finds it open has to know, for it may have been read (privacy/keys.py refuses it)."""
_NAMED = 3


def close_doors(settings: Settings) -> list[str]:
    """Write privately from now on, and close what lies open in AIVO_HOME and in the lake's raw zone.

    Returns:
        A sentence about what was closed, and one about what could not be; none where all was well.
    """
    write_privately()
    found = close(_private_places(settings))
    return list(_sentences(found))


def _private_places(settings: Settings) -> Iterator[Path]:
    home = settings.home.absolute()
    for name in PRIVATE_FOLDERS:
        yield from (place for place in everything_below(home / name) if place.name != OF_THE_KEY)
    yield from files_in(home)
    database = home / OF_THE_DATABASE
    if database.is_dir() and database.stat().st_mode & OTHERS & ~PASSING:
        yield database  # the server opens what its account needs when it starts
    if "://" not in settings.lake_url:
        lake = Path(settings.lake_url).absolute()
        if lake == home / "lake":
            yield lake
        yield from everything_below(lake / "raw")


def _sentences(found: Closed) -> Iterator[str]:
    if found.mended:
        yield (
            f"{_named(found.mended)} could be opened by other accounts of this machine and no longer can. Who had an"
            " account here may have read it (docs/security.md)."
        )
    if found.still_open:
        yield (
            f"{_named(found.still_open)} can be opened by other accounts of this machine, and this one may not change"
            " that. Give it to the account that runs the platform (chown -R), or keep it on a file system with modes."
        )


def _named(places: tuple[Path, ...]) -> str:
    first = ", ".join(map(str, places[:_NAMED]))
    more = len(places) - _NAMED
    return first + (f" and {more:,} more" if more > 0 else "")
