"""Files of a source: which ones a path means, their bytes, and the hash of what is read. No format is known here."""

import hashlib
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from upath import UPath

from aivo_assets.errors import SettingsError, SourceError, nearest
from aivo_assets.events.sources.reading.file_formats import PARQUET, Readable, unpacked
from aivo_assets.settings import SourceSettings

_MAGIC = frozenset("*?[")
_BLOCK = 1 << 20


def find_files(path: str | None, *, variable: str = "AIVO_SOURCE_PATH") -> list[UPath]:
    """The files that a path or glob means, in the order of their names; `part10` comes after `part9`.

    Raises:
        SettingsError: No path is given.
        SourceError: There is no such file.
    """
    if not path:
        raise SettingsError("This source reads files, and no path is given", fix=f"Set {variable} to a file or a glob.")
    place = UPath(path)
    if place.protocol in ("", "file", "local"):
        place = UPath(place.absolute())
    try:
        if place.is_file():
            return [place]
        if not _MAGIC.isdisjoint(place.path):
            paths = sorted((str(match) for match in place.fs.glob(place.path)), key=_by_number)
            files = [UPath(match, protocol=place.protocol, **place.storage_options) for match in paths]
            files = [file for file in files if file.is_file()]
            if files:
                return files
    except OSError as error:
        raise unreadable(path, error) from error
    kind = "a folder, not a file" if place.is_dir() else "not there"
    raise SourceError(
        f"{path} is {kind}{_alike(place)}", fix=f"Set {variable} to a file or a glob such as exports/*.csv."
    )


def _alike(place: UPath) -> str:
    """What to say of the files beside an absent one whose names are like its own."""
    try:
        return nearest(place.name, [each.name for each in place.parent.iterdir()])
    except OSError:
        return ""


def _by_number(name: str) -> tuple[list[int | str], str]:
    """Sorts texts by the numbers in them; what stands between numbers is compared as text."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", name)], name


@contextmanager
def opened(file: UPath) -> Iterator[Readable]:
    """The bytes of a file, unpacked where it is packed.

    Raises:
        SourceError: It cannot be opened, or reading it fails half-way.
    """
    try:
        with file.open("rb") as handle, unpacked(handle, str(file)) as stream:
            yield stream
    except (
        OSError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
        NotImplementedError,
        pa.ArrowException,
    ) as error:
        raise unreadable(str(file), error) from error


def is_parquet(file: UPath) -> bool:
    """Whether a file is Parquet by its first bytes.

    Raises:
        SourceError: It cannot be opened.
    """
    try:
        with file.open("rb") as handle:
            return bool(handle.read(len(PARQUET)) == PARQUET)
    except OSError as error:
        raise unreadable(str(file), error) from error


def unreadable(place: str, error: Exception) -> SourceError:
    """One clear error for a file that cannot be read."""
    problem = str(error).splitlines()[0] if str(error) else type(error).__name__
    return SourceError(
        f"{place} cannot be read: {problem}", fix="Check that the file is whole and may be read by this user."
    )


def refuse_empty(files: list[UPath]) -> SourceError:
    """The error for files that hold not one row."""
    return SourceError(
        f"{', '.join(str(file) for file in files)} holds no row",
        fix="Check the export that made it; an empty file is not taken for a day without events.",
    )


def fingerprint(files: list[UPath], settings: SourceSettings) -> str:
    """Hash of the files' bytes and of every setting that says how they are read."""
    digest = hashlib.blake2b(digest_size=16)
    how = settings.model_dump(mode="json", exclude={"url", "learner_path", "learner_columns", "learner_table"})
    digest.update(json.dumps(how, sort_keys=True).encode())
    for file in files:
        digest.update(f"\x1e{file}\x1e".encode())
        with opened(file) as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
