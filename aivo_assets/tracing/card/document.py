"""A short document in two forms: Markdown, and one HTML file that needs nothing beside it. No content belongs here."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Paragraph:
    """Some sentences."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table; its first column is text, the others stand to the right."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A PNG picture.

    Attributes:
        name: File name beside the Markdown.
        png: Its bytes.
        says: What it shows, for those who cannot see it, and below it for those who can.
    """

    name: str
    png: bytes
    says: str


Block = Paragraph | Bullets | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A title, a sentence below it, and sections."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]

    @property
    def pictures(self) -> dict[str, bytes]:
        """Every picture by its file name."""
        blocks = (block for section in self.sections for block in section.blocks)
        return {block.name: block.png for block in blocks if isinstance(block, Picture)}

    def to_markdown(self) -> str:
        """The document as Markdown; its pictures are files beside it."""
        parts = [f"# {self.title}", self.subtitle]
        for section in self.sections:
            parts += [f"## {section.title}", *(_markdown(block) for block in section.blocks)]
        return "\n\n".join(parts) + "\n"

    def to_html(self) -> str:
        """The document as one HTML file with its style and its pictures inside."""
        body = "\n".join(
            f"<section>\n<h2>{html.escape(section.title)}</h2>\n"
            + "\n".join(_html(block) for block in section.blocks)
            + "\n</section>"
            for section in self.sections
        )
        title = html.escape(self.title)
        return (
            f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
            f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
            f'<p class="subtitle">{html.escape(self.subtitle)}</p>\n{body}\n</main>\n</body>\n</html>\n'
        )


def _markdown(block: Block) -> str:
    if isinstance(block, Paragraph):
        return block.text
    if isinstance(block, Bullets):
        return "\n".join(f"- {item}" for item in block.items)
    if isinstance(block, Picture):
        return f"![{block.says}]({block.name})\n\n*{block.says}*"
    ruler = ["---", *["---:"] * (len(block.headings) - 1)]
    return "\n".join(_row(cells) for cells in (block.headings, ruler, *block.rows))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _html(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{html.escape(block.text)}</p>"
    if isinstance(block, Bullets):
        return f"<ul>{''.join(f'<li>{html.escape(item)}</li>' for item in block.items)}</ul>"
    if isinstance(block, Picture):
        encoded, says = base64.b64encode(block.png).decode(), html.escape(block.says)
        return (
            f'<figure><img src="data:image/png;base64,{encoded}" alt="{says}"><figcaption>{says}</figcaption></figure>'
        )
    head = "".join(f'<th scope="col">{html.escape(heading)}</th>' for heading in block.headings)
    rows = "".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in block.rows
    )
    return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


_STYLE = """
:root { color-scheme: light; }
body { margin: 0; background: #f4f5f7; color: #1c2430; font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.8rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 0 0 .6rem; color: #1f5fa8; }
.subtitle { color: #4a5563; margin: .3rem 0 1.5rem; }
section { background: #fff; border: 1px solid #dfe3e8; border-radius: .6rem; padding: 1.1rem 1.3rem; margin: 0 0 1rem; }
p, ul { margin: 0 0 .7rem; }
ul { padding-left: 1.2rem; }
.table { overflow-x: auto; margin: 0 0 .8rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; font-weight: normal; padding: .3rem .6rem; border-bottom: 1px solid #e8ebef; }
th:first-child { text-align: left; }
thead th { color: #4a5563; border-bottom: 2px solid #cfd5dc; }
figure { display: inline-block; vertical-align: top; margin: 0 1rem .8rem 0; max-width: 100%; }
figure img { max-width: 100%; height: auto; }
figcaption { color: #4a5563; font-size: .85rem; max-width: 24rem; }
@media print { body { background: #fff; } section { break-inside: avoid; border: 0; padding: 0; } }
"""
