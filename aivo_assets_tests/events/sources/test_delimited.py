"""One bad line costs one line, whatever else is in the file."""

import csv
import gzip
import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from aivo_assets.errors import SettingsError, SourceError
from aivo_assets.events.sources.reading import delimited
from aivo_assets.events.sources.reading.delimited import Block, Dialect, read_blocks, read_header
from aivo_assets.events.sources.reading.quotes import Shape
from aivo_assets.events.sources.reading.records import split_records

CSV = Dialect()
TSV = Dialect("\t", quoted=False)


def read(path: Path, dialect: Dialect = CSV, wanted: list[str] | None = None) -> Block:
    file = UPath(path)
    blocks = list(read_blocks(file, dialect, wanted or read_header(file, dialect)))
    frame = pl.concat([block.frame for block in blocks])
    return Block(frame, [problem for block in blocks for problem in block.broken])


def written(folder: Path, content: bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def lines_of(block: Block) -> dict[int, str]:
    return {row: reason for row, _, reason in block.broken if row is not None}


def test_values_are_text_and_rows_know_their_line(tmp_path: Path) -> None:
    block = read(written(tmp_path, b"a,b\n1,x\n\n2,\n"))
    assert block.frame.to_dicts() == [{"a": "1", "b": "x", "_row": 2}, {"a": "2", "b": "", "_row": 4}]
    assert block.broken == []


def test_lines_of_another_width_are_set_aside_with_their_number_and_text(tmp_path: Path) -> None:
    block = read(written(tmp_path, b"a,b\n1,x\n2\n3,y,z\n4,w\n"))
    assert block.frame["a"].to_list() == ["1", "4"]
    assert block.frame["_row"].to_list() == [2, 5]
    assert [(row, text) for row, text, _ in block.broken] == [(3, "2"), (4, "3,y,z")]
    assert "fewer values" in lines_of(block)[3]
    assert "more values" in lines_of(block)[4]


def test_quoted_line_breaks_keep_later_line_numbers_right(tmp_path: Path) -> None:
    block = read(written(tmp_path, b'a,b\n1,"x\ny, ""z"""\n2\n3,w\n'))
    assert block.frame.to_dicts() == [{"a": "1", "b": 'x\ny, "z"', "_row": 2}, {"a": "3", "b": "w", "_row": 5}]
    assert list(lines_of(block)) == [4]


def test_a_quote_that_never_closes_costs_its_own_line_only(tmp_path: Path) -> None:
    block = read(written(tmp_path, b'a,b\n1,"x\n2,y\n3,z\n'))
    assert block.frame["a"].to_list() == ["2", "3"]
    assert lines_of(block) == {2: "the line opens a quote that does not close"}


def test_a_stray_quote_does_not_pair_with_a_later_sound_one(tmp_path: Path) -> None:
    block = read(written(tmp_path, b'a,b\n1,"x\n2,y\n3,"line\nbreak"\n4,z\n'))
    assert block.frame["a"].to_list() == ["2", "3", "4"]
    assert list(lines_of(block)) == [2]


def test_a_quote_within_a_value_means_itself(tmp_path: Path) -> None:
    block = read(written(tmp_path, b'a,b\n1,5" pipe\n2,7" pipe\n'))
    assert block.frame["b"].to_list() == ['5" pipe', '7" pipe']


def test_two_quotes_that_do_not_match_on_one_line_fall_back_to_the_careful_way(tmp_path: Path) -> None:
    block = read(written(tmp_path, b'a,b\n1,x\n5" p,"open\n2,y\n'))
    assert block.frame["a"].to_list() == ["1", "2"]
    assert list(lines_of(block)) == [3]


def test_undecodable_lines_are_set_aside_and_the_rest_is_kept(tmp_path: Path) -> None:
    block = read(written(tmp_path, "a,b\n1,é\n".encode() + b"2,\xe9\n" + b"3,z\n"))
    assert block.frame["b"].to_list() == ["é", "z"]
    assert block.frame["_row"].to_list() == [2, 4]
    assert block.broken == [(3, "2,\\xe9", "the line cannot be decoded in the file's encoding (AIVO_SOURCE_ENCODING)")]


def test_other_encodings_and_byte_order_marks(tmp_path: Path) -> None:
    text = "a,b\r\n1,é\r\n2,ß\r\n"
    assert read(written(tmp_path, text.encode("latin-1")), Dialect(encoding="latin-1")).frame["b"].to_list() == [
        "é",
        "ß",
    ]
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        block = read(written(tmp_path, text.encode(encoding)))
        assert block.frame.columns == ["a", "b", "_row"]
        assert block.frame["b"].to_list() == ["é", "ß"]
    assert read(written(tmp_path, text.encode("utf-16-le")), Dialect(encoding="utf-16-le")).frame["a"].to_list() == [
        "1",
        "2",
    ]


def test_a_broken_character_of_a_wide_encoding_costs_its_line(tmp_path: Path) -> None:
    lone_surrogate = b"\x00\xd8"
    content = "a,b\n1,x\n2,".encode("utf-16") + lone_surrogate + "\n3,z\n".encode("utf-16-le")
    block = read(written(tmp_path, content))
    assert block.frame["a"].to_list() == ["1", "3"]
    assert list(lines_of(block)) == [3]


def test_an_unknown_encoding_is_a_matter_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="klingon"):
        read(written(tmp_path, b"a\n1\n"), Dialect(encoding="klingon"))


def test_repeated_column_names_are_told_apart(tmp_path: Path) -> None:
    block = read(written(tmp_path, b"KC (X)\tKC (X)\tb\n1\t2\t3\n", "t.txt"), TSV)
    assert block.frame.columns == ["KC (X)", "KC (X) (2)", "b", "_row"]


def test_tab_separated_text_is_not_quoted(tmp_path: Path) -> None:
    block = read(written(tmp_path, b'a\tb\n1\t"x\n2\ty"z\r\n', "t.txt"), TSV)
    assert block.frame["b"].to_list() == ['"x', 'y"z']


def test_packed_files_are_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n1,x\n")
    assert read(written(tmp_path, packed, "file.csv.gz")).frame["b"].to_list() == ["x"]
    with pytest.raises(SourceError, match="cannot be read"):
        read(written(tmp_path, packed[:-12], "cut.csv.gz"))


def test_an_empty_file_is_one_clear_error(tmp_path: Path) -> None:
    for content in (b"", b"\n\n", b"\xef\xbb\xbf"):
        with pytest.raises(SourceError, match="is empty"):
            read_header(UPath(written(tmp_path, content)), CSV)


def test_a_header_that_is_not_text_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="column names"):
        read_header(UPath(written(tmp_path, b"\xe9\xff,b\n1,2\n")), CSV)


values = st.text(st.characters(codec="utf-8", exclude_characters="\r\0\ue000", exclude_categories=("Cs",)), max_size=8)
tables = st.lists(st.tuples(values, values, st.integers(0, 99).map(str)), min_size=1, max_size=12)


@settings(deadline=None)
@given(tables, st.integers(1, 40))
def test_what_csv_writes_is_read_back_in_blocks_of_any_size(rows: list[tuple[str, str, str]], size: int) -> None:
    """Quotes, delimiters and line breaks within values; record boundaries on any side of a block boundary."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    numbers = []
    for row in rows:
        numbers.append(buffer.getvalue().count("\n") + 1)
        writer.writerow(row)
    content = buffer.getvalue().encode()
    shape = Shape(width=3, delimiter=",", quoted=True)
    line, rest, records, lines = 1, b"", [], []
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    for piece in [*pieces, b""]:
        found = split_records(rest + piece, shape, first_line=line, encoding="utf-8", final=not piece)
        assert found.broken == []
        line, rest = found.next_line, (rest + piece)[found.consumed :]
        records.extend(found.texts(np.arange(len(found.lines))))
        lines.extend(found.lines.tolist())
    assert lines == numbers
    assert [tuple(next(csv.reader(io.StringIO(record, newline="")))) for record in records] == rows


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"1,x", b"2,y,z", b"3", b'4,"q', b"5,\xff", b"", b'6,"a,b"']), max_size=30))
def test_every_line_that_is_not_blank_is_either_a_row_or_broken(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = written(tmp_path_factory.mktemp("f"), b"\n".join([b"a,b", *lines]) + b"\n")
    blocks = list(read_blocks(UPath(path), CSV, ["a", "b"]))
    rows = sorted(row for block in blocks for row in block.frame["_row"].to_list())
    broken = sorted(row or 0 for block in blocks for row, _, _ in block.broken)
    assert sorted(rows + broken) == [number for number, line in enumerate(lines, start=2) if line]
    assert rows == [number for number, line in enumerate(lines, start=2) if line in (b"1,x", b'6,"a,b"')]


def test_files_larger_than_a_block_lose_nothing_at_the_seams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", 64)
    content = "a,b\n" + "".join(f'{n},"v\n{n}"\n' if n % 3 == 0 else f"{n},v{n}\n" for n in range(200))
    block = read(written(tmp_path, content.encode()))
    assert block.frame["a"].to_list() == [str(n) for n in range(200)]
    assert block.broken == []
    lines = content.split("\n")
    assert all(lines[row - 1].startswith(f"{a},") for a, row in block.frame.select("a", "_row").iter_rows())
