"""Options that several commands share, and how they become settings. No command is defined here."""

import json
import os
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from aivo_assets.errors import SettingsError, SourceError, nearest

if TYPE_CHECKING:
    from aivo_assets.settings import Settings

SourceOption = Annotated[
    str | None,
    typer.Option("--source", help="simulator, assistments, datashop, parquet, csv or postgres. [AIVO_SOURCE_KIND]"),
]
PathOption = Annotated[str | None, typer.Option("--path", help="File of a file source. [AIVO_SOURCE_PATH]")]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", help="Column mapping, ours=theirs. May be repeated. [AIVO_SOURCE_COLUMNS]"),
]
TimeUnitOption = Annotated[
    str | None,
    typer.Option("--time-unit", help="What numbers count: s, ms, us, ns, excel. [AIVO_SOURCE_TIME_UNIT]"),
]
TimeFormatOption = Annotated[
    str | None,
    typer.Option(
        "--time-format", help="day-first, month-first, or a format such as %d/%m/%Y %H:%M. [AIVO_SOURCE_TIME_FORMAT]"
    ),
]
TimeZoneOption = Annotated[
    str | None, typer.Option("--time-zone", help="Time zone of times without one. [AIVO_SOURCE_TIMEZONE]")
]
CorrectValuesOption = Annotated[
    str | None,
    typer.Option(
        "--correct-values", help='What values of correct mean: {"passed": 1, "failed": 0}. [AIVO_SOURCE_CORRECT_VALUES]'
    ),
]
CorrectThresholdOption = Annotated[
    str | None,
    typer.Option(
        "--correct-threshold", help="Answers with this number or more count as correct. [AIVO_SOURCE_CORRECT_THRESHOLD]"
    ),
]
FirstDayOption = Annotated[str | None, typer.Option("--from", help="First day, YYYY-MM-DD.")]
LastDayOption = Annotated[str | None, typer.Option("--to", help="Last day, YYYY-MM-DD.")]


def reading_of(
    time_unit: str | None,
    time_format: str | None,
    time_zone: str | None,
    correct_values: str | None,
    correct_threshold: str | None,
) -> dict[str, str | None]:
    """The options on how values are read, by the names of their settings.

    Raises:
        SettingsError: `--correct-values` is no JSON object.
    """
    if correct_values is not None and not _is_json_object(correct_values):
        raise SettingsError(
            f"--correct-values {correct_values!r} is no JSON object",
            fix='Write each value with 1 or 0: --correct-values \'{"passed": 1, "failed": 0}\'.',
        )
    return {
        "TIME_UNIT": time_unit,
        "TIME_FORMAT": time_format,
        "TIMEZONE": time_zone,
        "CORRECT_VALUES": correct_values,
        "CORRECT_THRESHOLD": correct_threshold,
    }


def settings_with(
    source: str | None,
    path: str | None,
    mapping: list[str] | None,
    reading: Mapping[str, str | None] = MappingProxyType({}),
) -> "Settings":
    """The settings after options took precedence over the environment; the environment is changed to agree.

    Args:
        source: `--source`.
        path: `--path`.
        mapping: `--map`.
        reading: Further variables of AIVO_SOURCE_ and the values of their options; None where an option is not given.

    Raises:
        SettingsError: An option cannot be used.
    """
    from aivo_assets.settings import load_settings

    if source is not None:
        os.environ["AIVO_SOURCE_KIND"] = source
    if path is not None:
        os.environ["AIVO_SOURCE_PATH"] = str(Path(path).absolute()) if path and "://" not in path else path
    if mapping:
        os.environ["AIVO_SOURCE_COLUMNS"] = _as_json(mapping)
    for name, value in reading.items():
        if value is not None:
            os.environ[f"AIVO_SOURCE_{name}"] = value
    return load_settings()


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except json.JSONDecodeError:
        return False


def _as_json(mapping: list[str]) -> str:
    pairs = [entry.partition("=") for entry in mapping]
    if any(not separator or not ours or not theirs for ours, separator, theirs in pairs):
        raise SettingsError(f"--map {' '.join(mapping)} is not ours=theirs", fix="For example: --map learner_id=pupil.")
    twice = [ours for ours, count in Counter(ours for ours, _, _ in pairs).items() if count > 1]
    if twice:
        raise SettingsError(f"--map gives {', '.join(twice)} more than one column", fix="Map each once.")
    return json.dumps({ours: theirs for ours, _, theirs in pairs})


def day_range(first: str | None, last: str | None, *, otherwise: tuple[date, date]) -> tuple[date, date]:
    """First and last day of a command; a day that is left out is taken from `otherwise`.

    Raises:
        SettingsError: A day is not a date or before all answers, or the last lies before the first.
    """
    days = (_day(first, "--from") or otherwise[0], _day(last, "--to") or otherwise[1])
    if days[1] < days[0] and first is None:
        raise SettingsError(
            f"--to {days[1]} lies before {days[0]}, the first day where none is named", fix="Add --from DAY."
        )
    if days[1] < days[0] and last is None:
        raise SettingsError(
            f"--from {days[0]} lies after {days[1]}, the last day where none is named", fix="Add --to DAY."
        )
    if days[1] < days[0]:
        raise SettingsError(f"--to {days[1]} lies before --from {days[0]}", fix="Swap them.")
    _refuse_before_all_answers(days[0])
    return days


def _refuse_before_all_answers(first: date) -> None:
    """A year that is mistyped would make a day of the calendar, for good, of each of some hundred thousand."""
    from aivo_assets.events.schema import EARLIEST

    if first < EARLIEST.date():
        raise SettingsError(
            f"--from {first} lies before {EARLIEST:%Y-%m-%d}, before which no answer is kept", fix="Check the year."
        )


def _day(value: str | None, option: str) -> date | None:
    if value is None:
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError as error:
        raise SettingsError(f"{option} {value!r} is not a day", fix="Write it as YYYY-MM-DD.") from error


def writable_file(path: Path | None) -> Path | None:
    """A file that is to be written, judged before anything is computed for it; a callback of options.

    Raises:
        SettingsError: Its folder is absent or closed, or it is a folder itself.
    """
    if path is None:
        return None
    folder = path.absolute().parent
    if path.is_dir():
        raise SettingsError(f"{path} cannot be written: it is a folder", fix="Name a file, such as result.html.")
    if not folder.is_dir():
        raise SettingsError(f"{path} cannot be written: there is no folder {folder}", fix=f"Make it: mkdir -p {folder}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise SettingsError(f"{path} cannot be written by this user", fix="Name a file where you may write.")
    return path


def readable_file(path: Path | None) -> Path | None:
    """A file that is to be read, judged before anything else is done; a callback of options and arguments.

    Raises:
        SourceError: It is absent, a folder, or may not be read.
    """
    if path is None:
        return None
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise SourceError(f"{path.absolute()} {what}", fix=f"Name a file that can be read{_alike(path)}")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path} may not be read", fix="Ask its owner for permission to read it.")
    return path


def _alike(path: Path) -> str:
    """Of the same folder, the files whose names are like that of an absent one."""
    folder = path.absolute().parent
    known = [each.name for each in folder.iterdir() if each.is_file()] if folder.is_dir() else []
    return nearest(path.name, known) or "."
