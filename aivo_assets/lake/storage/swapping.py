"""Replaces a document by one computed from it, whatever others write meanwhile. Belongs here: the retry loop.

Read, compose, swap; where somebody else was first, compose again from what they wrote. So nobody's work is overwritten
without having been seen.
"""

import random
import time
from collections.abc import Callable
from typing import Literal

from aivo_assets.errors import LakeError
from aivo_assets.lake.storage.storage import Document, Storage

Compose = Callable[[bytes | None], bytes | None]
"""From the present content of a document (None: there is none) to its next one; None leaves it."""

_GIVE_UP_SECONDS = 120.0
_LONGEST_PAUSE_SECONDS = 0.5


class ConflictError(LakeError):
    """Another writer changed what this one had built on; doing the work again makes sense."""


def swap_document(
    storage: Storage, path: str, compose: Compose, *, known: Document | Literal["unread"] | None = "unread"
) -> bytes | None:
    """Replace a document by what `compose` makes of it.

    Args:
        storage: Where.
        path: Which.
        compose: Is asked again after each defeat; whatever it raises ends the attempt.
        known: The document as it was read just now, which saves reading it again.

    Returns:
        What stands there now: the new content, or the present one where `compose` left it.

    Raises:
        LakeError: Others were first again and again.
    """
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    attempt, new = 0, None
    while True:
        document = known if attempt == 0 and not isinstance(known, str) else storage.read(path)
        present = None if document is None else document.content
        if new is not None and present == new:
            return new  # the answer to our own swap was lost
        new = compose(present)
        if new is None:
            return present
        if storage.swap(path, new, None if document is None else document.tag):
            return new
        if time.monotonic() > deadline:
            raise LakeError(
                f"{storage.location(path)} was changed by other writers for {_GIVE_UP_SECONDS:.0f} s without a gap",
                fix="Find out what writes it over and over, and run this again.",
            )
        # Full jitter: writers that collided once do not collide again in step.
        time.sleep(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.002 * 2**attempt)))  # noqa: S311
        attempt += 1
