"""Documents become Markdown and HTML, and nothing that is put in them can become markup."""

import re

import jinja2
import pytest

from aivo_assets.documents import Bullets, Document, Paragraph, Picture, Section, Table, data_url, render

HOSTILE = "<script>alert('1 & 2')</script>"
EVERYTHING = Document(
    title=HOSTILE,
    subtitle=HOSTILE,
    sections=(
        Section(
            HOSTILE,
            (
                Paragraph(HOSTILE),
                Bullets((HOSTILE,)),
                Table((HOSTILE, "n"), ((HOSTILE, "1"), ("b", "2"))),
                Picture("p.png", b"\x89PNG", HOSTILE),
            ),
        ),
    ),
)


def test_nothing_that_is_put_into_a_document_becomes_markup() -> None:
    page = EVERYTHING.to_html()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 10  # title twice, the picture's words twice, everything else once


def test_each_block_is_its_element_in_the_order_given() -> None:
    body = EVERYTHING.to_html().partition("<main>")[2]
    assert re.findall(r"<(h1|h2|p|ul|table|figure)\b", body) == ["h1", "p", "h2", "p", "ul", "table", "figure"]
    assert body.count("<tr>") == 3
    assert data_url(b"\x89PNG") in body


def test_markdown_has_the_same_text_and_names_the_picture() -> None:
    text = EVERYTHING.to_markdown()
    assert text.count(HOSTILE) == 9
    assert "](p.png)" in text
    assert EVERYTHING.pictures == {"p.png": b"\x89PNG"}


def test_a_value_that_a_template_needs_and_does_not_get_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="document"):
        render("document.html", data_url=data_url)


def test_what_stands_between_backticks_is_code_and_still_escaped() -> None:
    page = render("api.html", info={"title": "t", "description": "call `<b>` now"}, calls=[])
    assert "call <code>&lt;b&gt;</code> now" in page
