r"""How a value is covered in bytes. Belongs here: its spellings and their cover; where it is applied is elsewhere.

A letter may stand as itself, as JSON writes it (`\u00fc`), as HTML does (`&uuml;`, `&#252;`) or as a URL does
(`%C3%BC`), each for itself: all of these are covered, in upper and lower case.
"""

import html.entities
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import quote

MASK: Final = "*"


def masked(content: bytes, values: Iterable[str]) -> bytes:
    """Bytes in which each of these values, however it is spelt, is covered by as many bytes."""
    for value in sorted(values, key=len, reverse=True):
        content = _pattern(value).sub(lambda hit: MASK.encode() * len(hit[0]), content)
    return content


@lru_cache(maxsize=4096)
def _pattern(value: str) -> re.Pattern[bytes]:
    return re.compile(b"".join(_spelt(letter) for letter in value), re.IGNORECASE)


def _spelt(letter: str) -> bytes:
    """A pattern of all spellings of one character."""
    plain = re.escape(letter.encode())
    if letter.isascii() and letter.isalnum():
        return plain
    number = ord(letter)
    units = letter.encode("utf-16-be")
    escaped = "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
    spellings = [escaped, f"&#{number};", f"&#x{number:x};", f"&#x{number:04x};", quote(letter, safe="")]
    name = html.entities.codepoint2name.get(number)
    spellings += [f"&{name};"] if name is not None else []
    return b"(?:" + b"|".join([plain, *(re.escape(each.encode()) for each in spellings)]) + b")"
