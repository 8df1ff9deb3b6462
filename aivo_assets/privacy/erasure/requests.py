"""Requests to forget: what was asked, by whom, and how far it is. Belongs here: keeping and reading them; no erasure.

A request under way names its learners, in the raw zone. With the certificate that name goes: what stays are keyed
hashes. Tables of requests are read by `table.py`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from aivo_assets.errors import PrivacyError
from aivo_assets.events.values.hashes import digest
from aivo_assets.lake import Lake

OPEN: Final = "raw/erasure/open"
DONE: Final = "raw/erasure/done"


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        id: Of the request.
        learners: Raw identifiers; none of a request that is done.
        reason: Why, in words.
        asked_by: Who asked.
        asked_at: When, UTC.
        removed: By place, how many rows, files or texts so far.
        done: Steps that are over.
        removed_at: When the last row went; readers that had begun may still hold files until some time after.
    """

    id: str
    learners: tuple[str, ...]
    reason: str
    asked_by: str
    asked_at: datetime
    removed: Mapping[str, int] = field(default_factory=dict)
    done: tuple[str, ...] = ()
    removed_at: datetime | None = None

    def with_removed(self, place: str, count: int) -> "Request":
        """The same with more that was removed."""
        if not count:
            return self
        return replace(self, removed={**self.removed, place: self.removed.get(place, 0) + count})


def ask(lake: Lake, learners: Sequence[str], reason: str, *, asked_by: str, now: datetime) -> Request:
    """Keep a request; the same learners asked for again, while it is under way, are the same request.

    Raises:
        PrivacyError: No reason was given.
    """
    if not reason.strip():
        raise PrivacyError(
            "A request to forget needs a reason", fix='Say why: --reason "the parents asked in writing".'
        )
    number = digest([*sorted(learners), "forget"])
    known = next((each for each in open_requests(lake) if each.id == number), None)
    if known is not None:
        return known
    request = Request(number, tuple(learners), reason.strip(), asked_by, now)
    keep(lake, request)
    return request


def keep(lake: Lake, request: Request) -> None:
    """Write down how far a request is."""
    content = asdict(request) | {
        "asked_at": request.asked_at.isoformat(),
        "removed_at": None if request.removed_at is None else request.removed_at.isoformat(),
    }
    lake.write_bytes(f"{OPEN}/{request.id}.json", json.dumps(content, indent=1).encode())


def open_requests(lake: Lake) -> list[Request]:
    """Requests that are under way, the oldest first."""
    read = [_parsed(content) for content in _documents(lake, OPEN)]
    return sorted(read, key=lambda request: (request.asked_at, request.id))


def close(lake: Lake, request: Request, certificate: Mapping[str, Any]) -> None:
    """Put the certificate in the place of the request; nothing that names a learner stays."""
    lake.write_bytes(f"{DONE}/{request.id}.json", json.dumps(certificate, indent=1, sort_keys=True).encode())
    names = [name for name in lake.storage.files(OPEN, request.id) if name.startswith(request.id)]
    lake.storage.remove(f"{OPEN}/{name}" for name in names)


def certificates(lake: Lake) -> list[dict[str, Any]]:
    """The certificates of all requests that are done, the oldest first."""
    read = [json.loads(content) for content in _documents(lake, DONE)]
    return sorted(read, key=lambda certificate: str(certificate["done_at"]))


def _documents(lake: Lake, folder: str) -> list[bytes]:
    names = [name for name in lake.storage.files(folder, "") if name.endswith(".json") and not name.startswith(".")]
    read = lake.storage.read_many([f"{folder}/{name}" for name in names])
    return [document.content for document in read if document is not None]


def _parsed(content: bytes) -> Request:
    given = json.loads(content)
    removed_at = given["removed_at"]
    return Request(
        **{
            **given,
            "learners": tuple(given["learners"]),
            "done": tuple(given["done"]),
            "asked_at": datetime.fromisoformat(given["asked_at"]),
            "removed_at": None if removed_at is None else datetime.fromisoformat(removed_at),
        }
    )
