"""What the leak scan looks into. Belongs here: finding derived files and reading them as text; no searching.

Parquet files are grouped by dataset, the folder above `day=` and `shard=`, and stay on disk. Any other file is text:
HTML and JSON escapes are decoded, bytes that are no UTF-8 are blanks.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from upath import UPath

_UNIT = re.compile(r"^(day|shard)=")
_JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True)
class Table:
    """Parquet files of one dataset.

    Attributes:
        name: How findings call it.
        files: Paths.
    """

    name: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """A text: a report, a manifest, an asset's metadata.

    Attributes:
        name: How findings call it.
        text: Its content, escapes decoded.
    """

    name: str
    text: str

    @classmethod
    def of(cls, name: str, raw: str | bytes) -> "Text":
        """Decode bytes, HTML entities and JSON escapes, so that `O&#x27;Hara` is found as O'Hara."""
        decoded = raw.decode("utf-8", errors="replace").replace("\ufffd", " ") if isinstance(raw, bytes) else raw
        unescaped = html.unescape(decoded) if "&" in decoded else decoded
        return cls(name, _JSON_ESCAPE.sub(lambda match: chr(int(match[1], 16)), unescaped))


Artefact = Table | Text


def artefacts_below(root: UPath, *, leave_out: Iterable[str] = ("raw",)) -> list[Artefact]:
    """Every file below a folder, as artefacts in a stable order, and one text with all their paths.

    Args:
        root: The lake's root, or any folder with derived files.
        leave_out: First folders below the root that hold raw data.
    """
    raw_zones = set(leave_out)
    below = sorted(
        (file.relative_to(root).as_posix(), file)
        for file in root.glob("**/*")
        if file.is_file() and file.relative_to(root).parts[0] not in raw_zones
    )
    tables: dict[str, list[str]] = {}
    texts: list[Text] = []
    for relative, file in below:
        if file.suffix == ".parquet":
            tables.setdefault(_dataset(file.relative_to(root).parts), []).append(str(file))
        else:
            texts.append(Text.of(relative, file.read_bytes()))
    paths = Text("paths of the files", "\n".join(relative for relative, _ in below))
    return [*(Table(name, tuple(files)) for name, files in tables.items()), *texts, paths]


def _dataset(parts: Sequence[str]) -> str:
    """`anonymised/interactions` of `anonymised/interactions/day=…/shard=…/….parquet`; other files stand alone."""
    for position, part in enumerate(parts):
        if _UNIT.match(part):
            return "/".join(parts[:position])
    return "/".join(parts)
