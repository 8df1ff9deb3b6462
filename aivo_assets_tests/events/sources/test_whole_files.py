"""Laws of delimited files: what was written comes back, one damage costs one line, and all lines are counted."""

import csv
import io
import string
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from upath import UPath

from aivo_assets.events.sources.reading.delimited import Dialect, read_blocks
from aivo_assets.events.sources.reading.layouts import layout_of
from aivo_assets.events.sources.reading.records import LineCount

HEADER = ["pupil", "task", "said", "right", "when"]
SEPARATORS = [",", ";", "\t", "|"]
QUOTINGS = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]

said = st.text(st.sampled_from([*"ab 1,;|\t\n'.-é", '"', "ß"]), max_size=14)
"""What a learner typed: quotes, separators and line breaks as often as letters."""


def answers(texts: list[str]) -> list[list[str]]:
    return [
        [f"p{n % 5}", f"t{n % 7}", text, str(n % 2), f"2023-03-{1 + n // 60 % 28:02d} 10:{n % 60:02d}:07"]
        for n, text in enumerate(texts)
    ]


def written(rows: list[list[str]], *, separator: str = ",", quoting: int = csv.QUOTE_MINIMAL, end: str = "\n") -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=separator, quoting=quoting, lineterminator="\n").writerows([HEADER, *rows])
    return buffer.getvalue().replace("\n", end)


def read(path: Path, content: bytes, dialect: Dialect | None = None) -> tuple[list[list[str]], list[int], LineCount]:
    """Rows, the lines that are set aside, and the account of the lines."""
    path.write_bytes(content)
    rows, broken, count = [], [], LineCount()
    for block in read_blocks(UPath(path), dialect or Dialect(), HEADER):
        rows.extend([list(row) for row in block.frame.select(HEADER).iter_rows()])
        broken.extend([line for line, _, _ in block.broken if line is not None])
        count += block.count
    return rows, broken, count


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(said, min_size=1, max_size=60),
    st.sampled_from(SEPARATORS),
    st.sampled_from(QUOTINGS),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]),
)
@example(["5\n", '"', "a\nb", ",\n,"], ";", csv.QUOTE_MINIMAL, "\r\n", "utf-16-le")
def test_what_csv_writes_is_what_is_read(
    folder: Path, texts: list[str], separator: str, quoting: int, end: str, encoding: str
) -> None:
    rows = answers(texts)
    text = written(rows, separator=separator, quoting=quoting, end=end)
    one_byte = encoding in ("latin-1", "cp1252")
    found, broken, count = read(
        folder / "whole.csv", text.encode(encoding), Dialect(encoding=encoding if one_byte else "utf-8")
    )
    assert found == rows
    assert broken == []
    assert count.total == text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    assert count.header == 1
    assert count.rows == len(rows)
    assert count.joined == sum(text.count("\n") for text in texts)


damages = st.sampled_from(["quote", "two quotes", "cut", "more", "zero", "undecodable", "nothing", "no quote closes"])


@settings(max_examples=150, deadline=None)
@given(st.data(), damages, st.integers(30, 90), st.sampled_from(SEPARATORS))
def test_one_damaged_line_costs_no_other(folder: Path, data: st.DataObject, damage: str, height: int, sep: str) -> None:
    """Some lines hold quoted values of several lines; whatever is done to one other line, all of them survive."""
    plain = st.text(string.ascii_letters + " ", min_size=1, max_size=8)
    texts = data.draw(st.lists(st.one_of(plain, said), min_size=height, max_size=height))
    rows = answers(texts)
    single = [number for number, text in enumerate(texts) if "\n" not in text and '"' not in text and sep not in text]
    assume(single)
    victim = data.draw(st.sampled_from(single))
    parts = [written([row], separator=sep).split("\n", 1)[1] for row in rows]
    line = parts[victim].rstrip("\n").encode()
    position = data.draw(st.integers(0, len(line)))
    damaged = {
        "quote": line[:position] + b'"' + line[position:],
        "two quotes": b'"' + line[:position] + b'"' + line[position:],
        "cut": line[:position],
        "more": line + sep.encode() + b"x",
        "zero": line[:position] + b"\x00" + line[position:],
        "undecodable": line[:position] + b"\xff" + line[position:],
        "nothing": b"",
        "no quote closes": line.replace(sep.encode(), sep.encode() + b'"', 1),
    }[damage]
    head = sep.join(HEADER).encode() + b"\n"
    content = head + b"".join(
        damaged + b"\n" if number == victim else part.encode() for number, part in enumerate(parts)
    )
    found, broken, count = read(folder / "damaged.csv", content, Dialect(sep))
    others = rows[:victim] + rows[victim + 1 :]
    kept = found if len(found) == len(others) else [row for number, row in enumerate(found) if number != victim]
    assert kept == others
    assert len(broken) <= 1
    assert count.total == content.count(b"\n") == 1 + count.rows + count.set_aside + count.joined + count.blank


@pytest.mark.parametrize("apart", [1, 2, 7, 150, 1500])
def test_two_stray_quotes_swallow_nothing_between_them(folder: Path, apart: int) -> None:
    rows = answers(["seven"] * 1600)
    lines = written(rows).split("\n")
    lines[40] = lines[40].replace("seven", '"seven')
    lines[40 + apart] = lines[40 + apart].replace("seven", 'seven"')
    found, broken, count = read(folder / "stray.csv", "\n".join(lines).encode())
    assert broken == [41]
    assert count == LineCount(header=1, rows=1599, set_aside=1)
    assert [row[3:] for row in found] == [row[3:] for number, row in enumerate(rows) if number != 39]


def test_an_open_quote_on_a_cut_line_and_a_stray_one_later_swallow_nothing(folder: Path) -> None:
    lines = written(answers(["seven"] * 100)).split("\n")
    lines[20] = 'p0,t5,"sev'
    lines[60] = lines[60].replace("seven", 'seven"')
    _, broken, count = read(folder / "cut.csv", "\n".join(lines).encode())
    assert broken == [21]
    assert count.rows == 99


def test_a_header_in_the_middle_is_no_row_and_counted_as_header(folder: Path) -> None:
    one = written(answers(["x", "y"]))
    for seam in ("", "\n", "\ufeff", " \t\n,,,,\n"):
        found, broken, count = read(folder / "twice.csv", (one + seam + one).encode())
        assert found == answers(["x", "y"]) * 2
        assert broken == []
        assert (count.header, count.rows, count.blank) == (2, 4, seam.count("\n"))


@pytest.mark.parametrize("text", [f"{'x' * 200_000}", "line\n" * 500])
def test_very_long_values_are_values(folder: Path, text: str) -> None:
    rows = answers(["short", text, 'and "quoted"'])
    found, _, count = read(folder / "long.csv", written(rows).encode())
    assert found == rows
    assert count.joined == text.count("\n")


def test_the_layout_tells_the_separator_of_the_header_whatever_stands_in_the_rows(folder: Path) -> None:
    for separator in SEPARATORS:
        rows = answers([",;|".replace(separator, "")] * 3)
        path = folder / "layout.csv"
        path.write_text(written(rows, separator=separator))
        assert layout_of(UPath(path), Dialect()).delimiter == separator
