"""How a value is covered in bytes. Belongs here: that one function; where it is applied is `masking.py`'s matter."""

import html
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

MASK: Final = "*"


def masked(content: bytes, values: Iterable[str]) -> bytes:
    """Bytes in which each of these values, in any of the ways in which JSON, HTML and URLs spell it, is covered."""
    for value in sorted(values, key=len, reverse=True):
        for spelt in dict.fromkeys((value, json.dumps(value)[1:-1], html.escape(value), quote(value, safe=""))):
            found = re.compile(re.escape(spelt.encode()), re.IGNORECASE)
            content = found.sub(lambda hit: MASK.encode() * len(hit[0]), content)
    return content
