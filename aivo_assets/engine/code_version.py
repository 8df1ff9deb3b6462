"""Which code a process runs, so that a driver and its workers can be compared. Nothing else belongs here."""

import hashlib
from functools import cache
from pathlib import Path

import aivo_assets


@cache
def package_hash() -> str:
    """16 hex characters of all Python files of this package."""
    root = Path(aivo_assets.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]
