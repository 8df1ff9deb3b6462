"""What a file is by its first bytes, whatever its name says. Belongs here: packed files and those that are no table.

Packed files are unpacked on the way (gzip, bzip2, xz, zstd, lz4, a zip of one file). What cannot be read as a table is
named for what it is, with what to do.
"""

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, Protocol, cast

import pyarrow as pa

from aivo_assets.errors import SourceError

HEAD_BYTES: Final = 512
PARQUET: Final = b"PAR1"

_AS_CSV = "Save or export it as CSV (UTF-8) or Parquet, and read that."
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", "Save the sheet as CSV (UTF-8), and read that."),
    (b"%PDF", "a PDF", _AS_CSV),
    (b"SQLite format 3\x00", "a SQLite database", "Export the table: sqlite3 -header -csv FILE 'select * from …'."),
    (PARQUET, "a Parquet file", "Unpack it if it is packed, and read it with --source parquet."),
    (b"ARROW1", "an Arrow (Feather) file", _AS_CSV),
    (b"ORC", "an ORC file", _AS_CSV),
    (b"Obj\x01", "an Avro file", _AS_CSV),
    (b"\x89HDF", "an HDF5 file", _AS_CSV),
    (b"$FL2", "an SPSS file", _AS_CSV),
    (b"<stata_dta>", "a Stata file", _AS_CSV),
    (b"RDX", "an R data file", "In R: write.csv(x, file, row.names = FALSE)."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it first."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "Fetch the file: git lfs pull."),
)


class Readable(Protocol):
    """Bytes from the front to the end."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; none at the end."""


@contextmanager
def unpacked(handle: BinaryIO, place: str) -> Iterator[Readable]:
    """The bytes of a file, unpacked where it is packed.

    Args:
        handle: An open file that can be sought.
        place: Its name, for errors.

    Raises:
        SourceError: It is a workbook, or an archive of several files or with a password.
    """
    start = handle.read(HEAD_BYTES)
    handle.seek(0)
    if start.startswith(b"\x1f\x8b"):
        with gzip.open(handle, "rb") as stream:
            yield cast(Readable, stream)
    elif start.startswith(b"BZh"):
        with bz2.open(handle, "rb") as stream:
            yield cast(Readable, stream)
    elif start.startswith(b"\xfd7zXZ\x00"):
        with lzma.open(handle, "rb") as stream:
            yield cast(Readable, stream)
    elif start.startswith((b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")):
        codec = "zstd" if start.startswith(b"\x28") else "lz4"
        with pa.CompressedInputStream(pa.PythonFile(handle, mode="r"), codec) as stream:
            yield cast(Readable, stream)
    elif start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        with zipfile.ZipFile(handle) as archive, archive.open(_only_member(archive, place)) as stream:
            yield cast(Readable, stream)
    else:
        yield handle


def refuse_no_table(start: bytes, place: str) -> None:
    """Name a file that is no delimited text.

    Args:
        start: Its first bytes, unpacked.
        place: Its name.

    Raises:
        SourceError: It is something else.
    """
    named = next(((what, fix) for magic, what, fix in _OTHERS if start.startswith(magic)), None)
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[257:262] == b"ustar":
        named = "a tar archive", "Unpack it first."
    elif text[:1] == b"{" or (text[:1] == b"[" and text[1:].lstrip()[:1] in (b"{", b"[")):
        named = "JSON, not a table", "Write one row a line as CSV, or Parquet: polars.read_json(…).write_parquet(…)."
    elif text.lower().startswith((b"<!", b"<?", b"<html", b"<table")):
        named = "HTML or XML (a web page, or an .xls that a web application wrote)", _AS_CSV
    if named is not None:
        what, fix = named
        raise SourceError(f"{place} is {what}", fix=fix)


def _only_member(archive: zipfile.ZipFile, place: str) -> zipfile.ZipInfo:
    names = archive.namelist()
    if "[Content_Types].xml" in names or "mimetype" in names:
        kind = "an Excel workbook" if any(name.startswith("xl/") for name in names) else "an office document"
        raise SourceError(f"{place} is {kind}", fix="Save the sheet as CSV (UTF-8), and read that.")
    files = [
        each
        for each in archive.infolist()
        if not each.is_dir() and not each.filename.startswith("__MACOSX/") and not each.filename.endswith(".DS_Store")
    ]
    if len(files) != 1:
        shown = ", ".join(each.filename for each in files[:5]) + (" …" if len(files) > 5 else "")
        raise SourceError(
            f"{place} is a zip archive of {len(files)} files ({shown or 'none'})",
            fix="Unpack it, and name the files that hold answers.",
        )
    if files[0].flag_bits & 0x1:
        raise SourceError(f"{place} is a zip archive with a password", fix="Unpack it first.")
    return files[0]
