"""What a manifest says. Belongs here: its fields, content versions, and which files may be removed when; no reading.

A manifest is `version`, `rows`, `files` (path below the unit's folder, rows, bytes), `made_by`, and `superseded`: files
of manifests before, each with the time at which it stopped counting. They stay for readers that had begun.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from aivo_assets.errors import LakeError

Manifest = dict[str, Any]
Entry = Mapping[str, Any]

GRACE_SECONDS = 900.0
"""How long a reader may take from asking what to read to having read it."""


@dataclass(frozen=True)
class Written:
    """What a write left behind.

    Attributes:
        version: Hash of the content; equal content has an equal version.
        rows: Rows in the unit.
        bytes: Size of its Parquet files.
        changed: Whether the content differs from what stood there before.
    """

    version: str
    rows: int
    bytes: int
    changed: bool


def digest(content: bytes) -> str:
    """Hash of some content, 32 hex characters."""
    return hashlib.sha256(content).hexdigest()[:32]


def new_path(prefix: str, content: str) -> str:
    """Where a file of this content hash is put: under a name that no other writer uses, so that nobody removes it."""
    return f"{prefix}{content}-{secrets.token_hex(4)}.parquet"


def content_of(path: str) -> str:
    """The content hash in a file's path."""
    return PurePosixPath(path).stem.split("-", 1)[0]


def prefix_of(path: str) -> str:
    """The folder of a file below its unit, with its slash; empty where there is none."""
    return path[: path.rfind("/") + 1]


def composed(files: Sequence[Entry], made_by: Mapping[str, Any]) -> Manifest:
    """A manifest of these files, without what it superseded."""
    named = "".join(f"{prefix_of(str(entry['path']))}{content_of(str(entry['path']))}.parquet" for entry in files)
    return {
        "version": digest(named.encode()),
        "rows": sum(int(entry["rows"]) for entry in files),
        "files": [dict(entry) for entry in files],
        "made_by": dict(made_by),
    }


def written(manifest: Manifest, *, changed: bool) -> Written:
    """What is told of a commit."""
    size = sum(int(entry["bytes"]) for entry in manifest["files"])
    return Written(version=manifest["version"], rows=manifest["rows"], bytes=size, changed=changed)


def parsed(content: bytes, place: str) -> Manifest:
    """A manifest from its bytes.

    Raises:
        LakeError: It is not JSON.
    """
    try:
        manifest: Manifest = json.loads(content)
    except ValueError as error:
        raise LakeError(f"The manifest {place} is not JSON: {error}", fix="Re-materialise this partition.") from error
    return manifest


def removed(before: Manifest) -> Manifest:
    """What stands for a unit that was taken away; it keeps what waits to be removed."""
    return {**composed([], {}), "removed": True, "superseded": before.get("superseded", [])}


def encoded(manifest: Manifest) -> bytes:
    """A manifest as it is stored."""
    return json.dumps(manifest, indent=1, sort_keys=True).encode()


def paths_of(manifest: Manifest | None) -> list[str]:
    """Paths of the files that a manifest lists."""
    return [] if manifest is None else [str(entry["path"]) for entry in manifest["files"]]


def retired(
    before: Iterable[str],
    after: Iterable[str],
    superseded: Iterable[Mapping[str, Any]],
    *,
    now: float,
    read_at: float,
    released: Callable[[], float],
) -> tuple[list[dict[str, Any]], list[str]]:
    """Which files wait to be removed after a commit, and which may be removed with it.

    A file is removed one commit after the one that dropped it, at the earliest; and not before a reader that may have
    begun to read it has had its time, unless nobody read the lake lately.

    Args:
        before: Files of the manifest before.
        after: Files of the new one.
        superseded: Those that the manifest before kept waiting.
        now: Present, seconds since the epoch.
        read_at: When somebody last began to read anything of the lake.
        released: Files that stopped counting from then on belong to a published table; asked only where one could go.
    """
    counts = set(after)
    waiting = [{"path": path, "since": now} for path in sorted(set(before) - counts)]
    dropped = [entry for entry in superseded if str(entry["path"]) not in counts]
    unread = [entry for entry in dropped if min(float(entry["since"]), read_at) + GRACE_SECONDS < now]
    until = released() if unread else 0.0
    removable = [str(entry["path"]) for entry in unread if float(entry["since"]) < until]
    gone = set(removable)
    kept = (entry for entry in dropped if str(entry["path"]) not in gone)
    waiting += [{"path": str(entry["path"]), "since": float(entry["since"])} for entry in kept]
    return waiting, removable
