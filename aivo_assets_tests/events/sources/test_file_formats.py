"""A file is read for what it is, or named for what it is, whatever its name says."""

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from upath import UPath

from aivo_assets.errors import SettingsError, SourceError
from aivo_assets.events.sources.reading.delimited import Dialect, read_blocks
from aivo_assets.events.sources.reading.layouts import layout_of, refuse_one_column
from aivo_assets.events.sources.reading.table_files import holds_parquet, read_table, with_points
from aivo_assets.settings import SourceSettings

TEXT = "who;what;at\nzoé;i1;2020-01-02\nmax;i2;2020-01-03\n"
ROWS = [("zoé", "i1", "2020-01-02"), ("max", "i2", "2020-01-03")]


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return buffer.getvalue()


def rows(folder: Path, content: bytes, name: str = "export.csv", dialect: Dialect | None = None) -> list[object]:
    (folder / name).write_bytes(content)
    blocks = list(read_blocks(UPath(folder / name), dialect or Dialect(), ["who", "what", "at"]))
    return pl.concat([block.frame for block in blocks]).drop("_row").rows()


@pytest.mark.parametrize(
    "pack",
    [
        lambda text: text,
        gzip.compress,
        bz2.compress,
        lzma.compress,
        lambda text: bytes(pa.compress(text, "zstd", asbytes=True)),
        lambda text: bytes(pa.Codec("lz4").compress(text, asbytes=True)),
        lambda _: zipped("inner/answers.csv", "__MACOSX/inner/._answers.csv"),
        lambda text: gzip.compress(text[:20]) + gzip.compress(text[20:]),
    ],
)
@pytest.mark.parametrize("name", ["export.csv", "export.gz", "export.zip", "export"])
def test_packed_files_are_unpacked_by_what_they_are(pack: Callable[[bytes], bytes], name: str, tmp_path: Path) -> None:
    assert rows(tmp_path, pack(TEXT.encode()), name) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_wide_encodings_and_line_ends_are_found_out(encoding: str, end: str, tmp_path: Path) -> None:
    assert rows(tmp_path, TEXT.replace("\n", end).encode(encoding)) == ROWS


def test_an_excel_line_tells_the_separator(tmp_path: Path) -> None:
    odd = TEXT.replace(";", "^")
    assert rows(tmp_path, f"sep=^\r\n{odd}".encode()) == ROWS
    assert rows(tmp_path, f'"sep=^"\n\n{odd}'.encode()) == ROWS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"rows": [1]}', "JSON"),
        (b'[\n {"who": 1}]', "JSON"),
        (b"<!DOCTYPE html><html>Sign in</html>", "HTML"),
        (b"\xef\xbb\xbf\n<html><table>", "HTML"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"),
        (zipped("a.csv", "b.csv"), r"zip archive of 2 files \(a.csv, b.csv\)"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "Excel workbook"),
        (zipped("mimetype", "content.xml"), "office document"),
        (zipped(), "zip"),
    ],
)
def test_what_is_no_table_is_named(content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        rows(tmp_path, content)
    assert caught.value.fix


def test_databases_archives_and_parquet_under_another_name_are_named(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "base.csv") as base:
        base.execute("CREATE TABLE answers (who)")
    base.close()
    with tarfile.open(tmp_path / "tape.csv", "w") as tape:
        tape.add(tmp_path / "base.csv", "base")
    for name, said in (("base.csv", "SQLite"), ("tape.csv", "tar archive")):
        with pytest.raises(SourceError, match=said):
            layout_of(UPath(tmp_path / name), Dialect())
    pl.DataFrame({"who": ["zoé"]}).write_parquet(tmp_path / "table.csv")
    assert holds_parquet(UPath(tmp_path / "table.csv"))
    (tmp_path / "text.parquet").write_text(TEXT)
    with pytest.raises(SourceError, match="not a Parquet file"):
        holds_parquet(UPath(tmp_path / "text.parquet"))


def test_a_table_is_read_alike_as_text_and_as_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TEXT)
    pl.DataFrame(ROWS, schema=["who", "what", "at"], orient="row").write_parquet(tmp_path / "a.parquet")
    read = [
        next(read_table(UPath(tmp_path / name), Dialect(), lambda names: {"learner_id": names[0]})).frame
        for name in ("a.csv", "a.parquet")
    ]
    assert read[0]["learner_id"].to_list() == read[1]["learner_id"].to_list() == ["zoé", "max"]


def test_a_cut_archive_is_one_clear_error(tmp_path: Path) -> None:
    for content in (gzip.compress(TEXT.encode() * 99)[:-9], bz2.compress(TEXT.encode())[:-4], zipped("a")[:-30]):
        with pytest.raises(SourceError, match="cannot be read"):
            rows(tmp_path, content)


def test_one_column_means_another_separator(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text(TEXT.replace(";", "~"))
    file = UPath(tmp_path / "odd.csv")
    with pytest.raises(SourceError, match="one column") as caught:
        refuse_one_column(file, layout_of(file, Dialect()))
    assert "AIVO_SOURCE_DELIMITER" in str(caught.value.fix)
    assert layout_of(file, Dialect("~")).names == ["who", "what", "at"]


def test_the_delimiter_of_the_settings_is_a_character_or_its_name() -> None:
    assert SourceSettings(delimiter="tab").delimiter == "\t"
    assert SourceSettings(delimiter="~").delimiter == "~"
    for wrong in ("~~", '"', "é", ""):
        with pytest.raises((SettingsError, ValueError)):
            SourceSettings(delimiter=wrong)


def test_decimal_commas_are_points_in_numbers_and_in_identifiers_that_were_floats() -> None:
    frame = pl.DataFrame(
        {"learner_id": ["70,0", "7,5"], "correct": ["0,5", "1"], "response_time_ms": ["1.500,5", "12"], "_row": [1, 2]}
    )
    assert with_points(frame).drop("_row").rows() == [("70.0", "0.5", "1500.5"), ("7,5", "1", "12")]


@pytest.mark.parametrize(
    "above", ["Answers of class 7b\n\n", "# made on Monday\n# by hand, twice; or three times\n", "Answers;;\n;;\n"]
)
def test_titles_and_comments_above_the_header_are_left_out(above: str, tmp_path: Path) -> None:
    assert rows(tmp_path, (above + TEXT).encode()) == ROWS
    layout = layout_of(UPath(tmp_path / "export.csv"), Dialect())
    assert layout.lines == above.count("\n") + 1


def test_a_header_of_another_width_than_the_rows_stays_the_header(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text('who,what,at\n1,"zoé",i1,2020-01-02\n2,"max",i2,2020-01-03\n')
    assert layout_of(UPath(tmp_path / "r.csv"), Dialect()).names == ["who", "what", "at"]
