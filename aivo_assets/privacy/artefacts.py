"""What the leak scan looks into. Belongs here: finding derived files and reading them as text; no searching.

Parquet files are grouped by dataset, the folder above `day=` and `shard=`, and stay on disk. Any other file is text:
HTML and JSON escapes are decoded, bytes that are no UTF-8 are blanks.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from upath import UPath

_UNIT = re.compile(r"^(day|shard)=")
_JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True)
class Table:
    """Parquet files of one dataset.

    Attributes:
        name: How findings call it.
        files: Paths.
        options: What polars needs to read them, where they are no local files.
    """

    name: str
    files: tuple[str, ...]
    options: Mapping[str, Any] | None = None


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


def artefacts_below(
    root: UPath, *, leave_out: Iterable[str] = ("raw",), options: Mapping[str, Any] | None = None
) -> list[Artefact]:
    """Every file below a folder, as artefacts in a stable order, and one text with all their paths.

    Args:
        root: The lake's root, or any folder with derived files.
        leave_out: First folders below the root that hold raw data.
        options: What polars needs to read from there.
    """
    raw_zones = set(leave_out)
    base = root.fs._strip_protocol(str(root)).rstrip("/") + "/"
    below = sorted(file.removeprefix(base) for file in root.fs.find(base, withdirs=False))
    found = [relative for relative in below if relative.split("/", 1)[0] not in raw_zones]
    tables: dict[str, list[str]] = {}
    other: list[str] = []
    for relative in found:
        if relative.endswith(".parquet"):
            tables.setdefault(_dataset(relative.split("/")), []).append(str(root / relative))
        else:
            other.append(relative)
    contents = root.fs.cat([base + relative for relative in other]) if other else {}
    texts = [Text.of(relative, contents[base + relative]) for relative in other]
    paths = Text("paths of the files", "\n".join(found))
    return [*(Table(name, tuple(files), options) for name, files in tables.items()), *texts, paths]


def _dataset(parts: Sequence[str]) -> str:
    """`anonymised/interactions` of `anonymised/interactions/day=…/shard=…/….parquet`; other files stand alone."""
    for position, part in enumerate(parts):
        if _UNIT.match(part):
            return "/".join(parts[:position])
    return "/".join(parts)
