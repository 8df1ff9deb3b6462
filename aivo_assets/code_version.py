"""The version of the code: a hash of source files as they are written, comments included.

It serves what is cheap to make again. A model is not: `tracing/model/provenance.py` asks what its code computes, so
that a reworded comment or a moved file makes no new one.
"""

import hashlib
from pathlib import Path
from typing import Final

_SOURCES: Final = (".py", ".toml", ".yaml")


def code_version(folder: Path) -> str:
    """Hash of every source file below a folder, 16 hex characters, as a process that starts now would read them."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in _SOURCES):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
