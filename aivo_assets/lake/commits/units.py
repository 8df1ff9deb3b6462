"""The commit of one unit. Belongs here: what its next manifest is, and which files go with it; no rows are read.

A staged part takes the place of that part in whatever stands there by the time of the commit, so writers of different
parts never hurt each other, and of two writers of one part the last one wins it as a whole.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from aivo_assets.lake.commits.manifest import (
    Entry,
    Manifest,
    Written,
    composed,
    content_of,
    encoded,
    parsed,
    paths_of,
    prefix_of,
    removed,
    retired,
    written,
)
from aivo_assets.lake.commits.published import released_until
from aivo_assets.lake.commits.reading_marks import ReadingMarks
from aivo_assets.lake.commits.staging import Staged
from aivo_assets.lake.storage.storage import Document, Storage
from aivo_assets.lake.storage.swapping import ConflictError, swap_document


class Units:
    """The units of a lake, as far as commits go.

    Args:
        storage: Where.
        marks: Say whether somebody reads.
        allow: Is asked right before each swap, and raises where the lake may not be written to any more.
    """

    def __init__(self, storage: Storage, marks: ReadingMarks, allow: Callable[[], None]) -> None:
        self._storage, self._marks, self._allow = storage, marks, allow

    def commit(
        self,
        staged: list[Staged],
        *,
        known: Document | Literal["unread"] | None = "unread",
        only_over: set[str] | None = None,
        whole: bool = False,
        made_by: Mapping[str, Any] | None = None,
    ) -> Written:
        """Swap the manifest of one unit.

        Args:
            staged: What is replaced, of this unit.
            known: Its manifest as it was read just now.
            only_over: Paths that the replaced part must still have.
            whole: Nothing else of the unit stays.
            made_by: Provenance of the unit.

        Raises:
            ConflictError: The part is another by now, or a file that was to be taken over is gone.
        """
        folder, place = staged[0].folder, staged[0].place
        after: Manifest = {}
        changed, removable = False, list[str]()

        def compose(content: bytes | None) -> bytes | None:
            nonlocal after, changed, removable
            self._allow()
            present = None if content is None else parsed(content, place)
            before = None if present is None or present.get("removed") else present
            superseded = [] if present is None else present.get("superseded", [])
            _refuse_other_part(before, staged[0], only_over)
            _refuse_vanished(staged, {*paths_of(before), *(str(entry["path"]) for entry in superseded)})
            after = self._after(before, staged, whole=whole, made_by=made_by)
            changed = before is None or before["version"] != after["version"]
            if before is not None and paths_of(before) == paths_of(after) and before["made_by"] == after["made_by"]:
                removable = []
                return None
            read_at = self._marks.last() if superseded else 0.0
            waiting, removable = self._retired(folder, paths_of(before), paths_of(after), superseded, read_at)
            return encoded({**after, "superseded": waiting})

        swap_document(self._storage, place, compose, known=known)
        listed = set(paths_of(after))
        unused = [path for one in staged for path in one.own if path not in listed]
        self._storage.remove(f"{folder}/{path}" for path in [*removable, *unused])
        return written(after, changed=changed)

    def remove(self, folder: str, place: str) -> None:
        """Take a unit away: first its manifest, so that no reader begins, then its files."""
        gone: list[str] = []

        def compose(content: bytes | None) -> bytes | None:
            nonlocal gone
            self._allow()
            before, gone = None if content is None else parsed(content, place), []
            if before is None or before.get("removed"):
                return None
            now = time.time()
            dropped = [*before.get("superseded", []), *({"path": path, "since": now} for path in paths_of(before))]
            waiting, gone = self._retired(folder, [], [], dropped, self._marks.last())
            return encoded({**removed(before), "superseded": waiting})

        swap_document(self._storage, place, compose)
        self._storage.remove(f"{folder}/{path}" for path in gone)

    def tidy(self, folder: str, place: str, known: Document) -> int:
        """Remove what a unit keeps for readers of before, where they have had their time; the unit stays the same.

        Args:
            folder: The unit's.
            place: Path of its manifest.
            known: The manifest as it was read just now.

        Returns:
            Files that were removed.
        """
        gone: list[str] = []

        def compose(content: bytes | None) -> bytes | None:
            nonlocal gone
            manifest, gone = {} if content is None else parsed(content, place), []
            superseded = manifest.get("superseded", [])
            if not superseded:
                return None
            self._allow()
            waiting, gone = self._retired(folder, [], paths_of(manifest), superseded, self._marks.last())
            return encoded({**manifest, "superseded": waiting}) if gone else None

        swap_document(self._storage, place, compose, known=known)
        self._storage.remove(f"{folder}/{path}" for path in gone)
        return len(gone)

    def _retired(
        self,
        folder: str,
        before: list[str],
        after: list[str],
        superseded: list[Mapping[str, Any]],
        read_at: float,
    ) -> tuple[list[dict[str, Any]], list[str]]:
        return retired(
            before,
            after,
            superseded,
            now=time.time(),
            read_at=read_at,
            released=lambda: released_until(self._storage, folder),
        )

    def _after(
        self, before: Manifest | None, staged: list[Staged], *, whole: bool, made_by: Mapping[str, Any] | None
    ) -> Manifest:
        """The manifest that follows from the one before: staged parts in the place of theirs."""
        standing = {_name(entry): entry for entry in (before or {"files": []})["files"]}
        files: list[Entry] = [] if before is None or whole else list(before["files"])
        notes: dict[str, Any] = {} if before is None or whole else dict(before["made_by"])
        for one in staged:
            files = [entry for entry in files if not in_part(str(entry["path"]), one.part)]
            files += [self._same(one.folder, standing.get(_name(entry))) or entry for entry in one.files]
            if one.part is None:
                notes = dict(one.made_by or {})
            else:
                files.sort(key=lambda entry: str(entry["path"]))
                notes |= {one.part.rstrip("/"): dict(one.made_by)} if one.made_by is not None else {}
        return composed(files, notes | dict(made_by or {}))

    def _same(self, folder: str, entry: Entry | None) -> Entry | None:
        """A file of the same content that stands there, unless it was cut short or is gone."""
        if entry is None or not self._storage.is_whole(f"{folder}/{entry['path']}", int(entry["bytes"])):
            return None
        return entry


def standing(document: Document | None, place: str) -> Manifest | None:
    """The manifest in a document; None where there is none, or where the unit was taken away."""
    manifest = None if document is None else parsed(document.content, place)
    return None if manifest is None or manifest.get("removed") else manifest


def in_part(path: str, part: str | None) -> bool:
    """Whether a file belongs to a part of its unit; None is all of it."""
    return part is None or path.startswith(part)


def _name(entry: Entry) -> tuple[str, str]:
    path = str(entry["path"])
    return prefix_of(path), content_of(path)


def _refuse_other_part(before: Manifest | None, staged: Staged, only_over: set[str] | None) -> None:
    if only_over is not None and {path for path in paths_of(before) if in_part(path, staged.part)} != only_over:
        raise ConflictError(f"{staged.folder} was changed by another writer meanwhile", fix="Run this step once more.")


def _refuse_vanished(staged: list[Staged], held: set[str]) -> None:
    """A file that another commit wrote can be taken over only as long as a manifest holds it."""
    if any(path not in held for one in staged for path in one.reused):
        raise ConflictError(
            f"{staged[0].folder} was changed twice by another writer meanwhile", fix="Run this step once more."
        )
