"""Names of variables, and the file `.env`. Belongs here: which names are ours; no meaning of a value."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from aivo_assets.errors import SettingsError, nearest

PREFIX: Final = "AIVO_"
ENV_FILE: Final = ".env"
NOT_SETTINGS: Final = frozenset(
    {
        "AIVO_DAGSTER_STORAGE_URL",  # `aivo` tells its own processes where Dagster's storage is
        "AIVO_REAL_DATA",  # tests and benchmarks: where the public research data lies
        "AIVO_PYBKT_PYTHON",  # a benchmark's peer in an environment of its own
    }
)
"""Variables with our prefix that something else reads."""

OF_DBT: Final = ("AIVO_WAREHOUSE_", "AIVO_MARTS_PATH")
"""Beginnings of the names in dbt_project/profiles.yml and its models."""


def variables(root: type[BaseModel]) -> Iterator[str]:
    """Every variable that is a setting."""
    for name, field in root.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from (f"{PREFIX}{name}_{inner}".upper() for inner in kind.model_fields)
        else:
            yield f"{PREFIX}{name}".upper()


def unknown_names(root: type[BaseModel], origin: dict[str, Path]) -> list[str]:
    """A sentence about each variable with our prefix that nobody reads.

    Args:
        root: All settings.
        origin: File of those that came from one.
    """
    groups = (f"{PREFIX}{name}".upper() for name in root.model_fields)  # a whole group may be given as JSON
    known = {*variables(root), *groups, *NOT_SETTINGS}
    return [
        f"{name}{f' in {origin[name]}' if name in origin else ''} is no setting{nearest(upper, known, most=1)}"
        for name in sorted(os.environ)
        if (upper := name.upper()).startswith(PREFIX) and upper not in known and not upper.startswith(OF_DBT)
    ]


def read_env_file() -> dict[str, Path]:
    """Take our variables from `.env` in the current folder, where there is one; what is set already is kept.

    They join this process's environment, so that the processes it starts have the same settings.

    Returns:
        The file of each variable that has its value from there.

    Raises:
        SettingsError: The file cannot be read.
    """
    path = Path(ENV_FILE).absolute()
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - only where there is such a file

    try:
        values = dotenv_values(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}", fix="Mend or remove it.") from error
    for name, value in values.items():
        if name.upper().startswith(PREFIX) and value is not None:
            os.environ.setdefault(name, value)
    return {name: path for name, value in values.items() if value is not None and os.environ.get(name) == value}
