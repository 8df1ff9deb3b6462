"""The exceptions of the platform. Belongs here: what can go wrong, worded so that a person knows what to do.

Every error carries a sentence on what was wrong and where, and one on what to do next. The CLI prints both and exits
with the class's exit code; Dagster shows both in the failed step.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class AivoError(Exception):
    """Base of every error the platform raises on purpose.

    Args:
        what: What was wrong and where (file, row, column, value), one sentence.
        fix: What the reader can do about it, one sentence.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, fix: str) -> None:
        super().__init__(f"{what}\n  → {fix}")
        self.what = what
        self.fix = fix


class SettingsError(AivoError):
    """A setting is missing or has a value that cannot be used."""

    exit_code = 2


class SourceError(AivoError):
    """A source cannot be read at all: absent, empty, unreadable, unreachable, or a required column is missing."""

    exit_code = 3


class SourceUnreachableError(SourceError):
    """A source that may answer later does not answer now; trying again makes sense."""


class PrivacyError(AivoError):
    """Something would let personal data pass the raw zone."""

    exit_code = 4


class LakeError(AivoError):
    """The lake does not hold what was asked for, or holds something it should not."""

    exit_code = 5


class ModelError(AivoError):
    """A model cannot be fitted, stored, loaded or used as asked."""

    exit_code = 6


class EngineError(AivoError):
    """Work on a shard failed or was lost, or the engine that should do it cannot be used."""

    exit_code = 9


class ServiceError(AivoError):
    """A process or service the platform depends on could not be started or reached."""

    exit_code = 7


class RunError(AivoError):
    """A run failed for a reason that is not an error of ours."""

    exit_code = 8


class StoppedError(AivoError):
    """A person or the system told the process to end, and it did."""

    exit_code = 130


def nearest(name: str, known: Iterable[str], *, most: int = 3) -> str:
    """The end of a sentence about an unknown name: `; did you mean …?`, or nothing where no known name is like it."""
    by_folded: dict[str, str] = {}
    for each in known:
        by_folded.setdefault(each.casefold(), each)
    alike = get_close_matches(name.casefold(), by_folded, n=most, cutoff=0.6)
    return f"; did you mean {' or '.join(by_folded[each] for each in alike)}?" if alike else ""
