"""What a lake was made with. Belongs here: the document that keeps it, and comparing; what the values mean does not.

`lake.json` holds the number of shards and what else must stay the same for as long as the lake lives: another value
would part a learner in two, or give days that do not belong together. It is written with the lake's first content and
compared whenever the lake is opened.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aivo_assets.errors import LakeError
from aivo_assets.lake.storage.storage import Storage
from aivo_assets.lake.storage.swapping import swap_document

LAKE: Final = "lake.json"
FORMAT: Final = 1
CHECK_AGAIN_SECONDS: Final = 3.0
"""A writer that has the lake open sees by then that it was closed or moved."""
RESOLUTION: Final = "time_resolution_seconds"
PSEUDONYM_KEY: Final = "pseudonym_key"


@dataclass(frozen=True)
class Value:
    """One thing that a lake is made with.

    Attributes:
        value: What it is; a JSON value.
        meaning: What it is in words: "the pseudonym key".
        way_out: What to do where another is wanted.
    """

    value: str | int
    meaning: str
    way_out: str


Values = Mapping[str, Value]


class MadeWith:
    """What one lake was made with.

    Args:
        storage: The lake's.
        shards: Wanted shards.
        values: What else is wanted; a lake that knows nothing of one takes it.

    Raises:
        LakeError: The lake was made with others.
    """

    def __init__(self, storage: Storage, shards: int, values: Values) -> None:
        self._storage, self._shards, self.values = storage, shards, values
        document = storage.read(LAKE)
        content = None if document is None else _parsed(document.content)
        self.is_target = False
        self._refuse_others(content)
        self.layout = 1 if content is None else int(content.get("layout", 1))
        self._is_kept = content is not None and not self._unknown_to(content)
        # A lake that is being moved is looked at again at once, so that whoever opens it only to read may do so.
        is_moving = content is not None and content.get("moving_to") is not None
        self._looked_at = float("-inf") if is_moving else time.monotonic()

    def keep(self) -> None:
        """Write down what this lake is made with, unless that stands there; called before the first write.

        Raises:
            LakeError: Another process has made the lake with something else meanwhile.
        """
        if self._is_kept:
            self._look_again()
            return

        def compose(present: bytes | None) -> bytes | None:
            content = None if present is None else _parsed(present)
            self._refuse_others(content)
            if content is None:
                content = {"format": FORMAT, "shards": self._shards, "layout": self.layout}
            unknown = self._unknown_to(content)
            if present is not None and not unknown:
                return None
            return json.dumps(content | unknown, indent=1, sort_keys=True).encode()

        if self._storage.read(LAKE) is None:
            self._storage.refuse_without_preconditions()
        swap_document(self._storage, LAKE, compose)
        self._is_kept = True

    def refuse_moved(self) -> None:
        """See every few seconds whether the lake still has the layout that it was opened with.

        Raises:
            LakeError: It was moved to another number of shards meanwhile.
        """
        if self._is_due():
            self._refuse_moved(self._present())
            self._looked_at = time.monotonic()

    def _look_again(self) -> None:
        """See every few seconds whether the lake may still be written to as it was opened.

        Raises:
            LakeError: It was moved meanwhile, or is being moved.
        """
        if not self._is_due():
            return
        content = self._present()
        self._refuse_moved(content)
        self._refuse_others(content)
        if content is not None and content.get("moving_to") is not None:
            raise LakeError(
                f"The lake at {self._storage.location('')} is being moved to {content['moving_to']} shards",
                fix="Run this again in a minute. If nobody moves it any more, let `aivo lake reshard"
                f" {content['moving_to']}` come to its end.",
            )
        self._looked_at = time.monotonic()

    def _is_due(self) -> bool:
        return not self.is_target and time.monotonic() - self._looked_at >= CHECK_AGAIN_SECONDS

    def _present(self) -> Mapping[str, Any] | None:
        document = self._storage.read(LAKE)
        return None if document is None else _parsed(document.content)

    def _refuse_moved(self, content: Mapping[str, Any] | None) -> None:
        if content is not None and int(content.get("layout", 1)) != self.layout:
            raise LakeError(
                f"The lake at {self._storage.location('')} was moved to {content['shards']} shards since this process"
                f" opened it with {self._shards}",
                fix="Run this again; restart a service.",
            )

    def value(self, name: str) -> str | int | None:
        """What the lake was made with, as far as it says; None where it does not."""
        document = self._storage.read(LAKE)
        recorded: str | int | None = None if document is None else _parsed(document.content).get(name)
        return recorded

    def add(self, name: str, value: Value) -> None:
        """Keep one more thing.

        Raises:
            LakeError: The lake was made with another.
        """
        self.values = {**self.values, name: value}
        self._is_kept = False
        self.keep()

    def _unknown_to(self, content: Mapping[str, Any]) -> dict[str, str | int]:
        return {name: wanted.value for name, wanted in self.values.items() if name not in content}

    def _refuse_others(self, content: Mapping[str, Any] | None) -> None:
        if content is None:
            return
        where = self._storage.location("")
        if int(content["format"]) > FORMAT:
            raise LakeError(
                f"The lake at {where} has format {content['format']}, and this version reads up to {FORMAT}",
                fix="Install the version of the platform that wrote it, or a later one.",
            )
        if content["shards"] != self._shards:
            raise LakeError(
                f"The lake at {where} was made with {content['shards']} shards, and AIVO_LAKE_SHARDS asks for"
                f" {self._shards}: learners would lose their history",
                fix=f"Set AIVO_LAKE_SHARDS={content['shards']} (or unset it), or move the lake to"
                f" {self._shards} shards by `aivo lake reshard {self._shards}`.",
            )
        for name, wanted in self.values.items():
            if name in content and content[name] != wanted.value:
                raise LakeError(
                    f"The lake at {where} was made with another value of {wanted.meaning}: {content[name]} there,"
                    f" {wanted.value} in the settings",
                    fix=wanted.way_out,
                )


def sealed(storage: Storage, shards: int) -> None:
    """Close a lake to writers for the last step of its move."""
    _change(storage, {"moving_to": shards})


def is_sealed(storage: Storage) -> bool:
    """Whether a lake is closed to writers."""
    document = storage.read(LAKE)
    return document is not None and _parsed(document.content).get("moving_to") is not None


def reopened(storage: Storage) -> None:
    """Let writers in again after a move that did not come to its end."""
    _change(storage, {"moving_to": None})


def switched(storage: Storage, shards: int, layout: int, left: Mapping[str, float]) -> None:
    """Let another layout count from now on.

    Args:
        storage: The lake's.
        shards: How many it has now.
        layout: Which counts now.
        left: See `left_layouts`.
    """
    _change(storage, {"moving_to": None, "shards": shards, "layout": layout, "left": dict(left)})


def left_layouts(storage: Storage) -> dict[str, float]:
    """Layouts that count no more and whose files still lie there: number to when it ended, seconds since the epoch."""
    document = storage.read(LAKE)
    left: dict[str, float] = {} if document is None else _parsed(document.content).get("left", {})
    return left


def forget_layouts(storage: Storage, left: Mapping[str, float]) -> None:
    """Keep that of the layouts before only these still lie there."""
    _change(storage, {"left": dict(left)})


def _change(storage: Storage, values: Mapping[str, Any]) -> None:
    def compose(present: bytes | None) -> bytes:
        content = {} if present is None else _parsed(present)
        return json.dumps(content | dict(values), indent=1, sort_keys=True).encode()

    swap_document(storage, LAKE, compose)


def shards_of(storage: Storage) -> int | None:
    """How many shards a lake was made with; None where it does not say."""
    document = storage.read(LAKE)
    return None if document is None else int(_parsed(document.content)["shards"])


def change_value(storage: Storage, name: str, value: str | int) -> None:
    """Let a lake be made with another value from now on; the caller sees to what was made before."""
    _change(storage, {name: value})


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(content)
        return {"format": int(parsed["format"]), "shards": int(parsed["shards"]), **parsed}
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{LAKE} cannot be read: {error}", fix="Bring it back from a backup; it says how many shards the lake has."
        ) from error
