"""A short document as Markdown and as a self-contained HTML file. No content belongs here."""

from collections.abc import Sequence
from dataclasses import dataclass

from aivo_assets.documents.rendering import data_url, render


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
        return render("document.html", document=self, data_url=data_url)


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
