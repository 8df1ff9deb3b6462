"""Words of the platform's own reports, tables and settings. Belongs here: which words those are; nothing is searched.

A school writes "Unknown" or "learner" where it withholds a name. Such a name stands in every report, because the report
itself says so, and finding it there is no leak.
"""

import re
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_WRITTEN_IN = (".py", ".toml", ".html", ".sql", ".yml", ".yaml", ".json")
_WORD = re.compile(r"[^\W\d_]{3,}")
PLACEHOLDERS = frozenset(
    {
        "unknown", "anonymous", "anonymised", "anonymized", "withheld", "redacted", "deleted", "removed", "hidden",
        "nobody", "default", "guest", "test", "user", "student", "pupil", "learner", "teacher", "person", "name",
        "none", "null", "missing", "undefined", "other",
    }
)  # fmt: skip
"""What stands for a name that is not told, in systems that schools export from."""


@lru_cache(maxsize=1)
def own_words() -> frozenset[str]:
    """Every word of three letters or more that the package itself writes, and the placeholders, in lower case."""
    return PLACEHOLDERS | frozenset(word for text in _texts(files("aivo_assets")) for word in _words(text))


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _texts(folder: Traversable) -> list[str]:
    texts = []
    for entry in folder.iterdir():
        if entry.is_dir():
            texts += _texts(entry)
        elif entry.name.endswith(_WRITTEN_IN):
            texts.append(entry.read_text(encoding="utf-8"))
    return texts
