"""What a lake was made with. Belongs here: the document that keeps it, and comparing; what the values mean does not.

`lake.json` holds the number of shards and what else must stay the same for as long as the lake lives: another value
would part a learner in two, or give days that do not belong together. It is written with the lake's first content and
compared whenever the lake is opened.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aivo_assets.errors import LakeError
from aivo_assets.lake.storage import Storage
from aivo_assets.lake.swapping import swap_document

LAKE: Final = "lake.json"
FORMAT: Final = 1
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
        self._refuse_others(content)
        self.layout = 1 if content is None else int(content.get("layout", 1))
        self._is_kept = content is not None and not self._unknown_to(content)

    def keep(self) -> None:
        """Write down what this lake is made with, unless that stands there; called before the first write.

        Raises:
            LakeError: Another process has made the lake with something else meanwhile.
        """
        if self._is_kept:
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

    def value(self, name: str) -> str | int | None:
        """What the lake was made with, as far as it says; None where it does not."""
        document = self._storage.read(LAKE)
        found: str | int | None = None if document is None else _parsed(document.content).get(name)
        return found

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


def shards_of(storage: Storage) -> int | None:
    """How many shards a lake was made with; None where it does not say."""
    document = storage.read(LAKE)
    return None if document is None else int(_parsed(document.content)["shards"])


def change_value(storage: Storage, name: str, value: str | int) -> None:
    """Let a lake be made with another value from now on; the caller sees to what was made before."""

    def compose(present: bytes | None) -> bytes:
        content = {} if present is None else _parsed(present)
        return json.dumps(content | {name: value}, indent=1, sort_keys=True).encode()

    swap_document(storage, LAKE, compose)


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(content)
        return {"format": int(parsed["format"]), "shards": int(parsed["shards"]), **parsed}
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{LAKE} cannot be read: {error}", fix="Bring it back from a backup; it says how many shards the lake has."
        ) from error
