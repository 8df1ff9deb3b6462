"""One call of the work on one item, and what came of it. Belongs here: what crosses between driver and worker.

A failure travels as text, not as an exception: not every exception can be sent to another process, and none can be
where the other side lacks its module.
"""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aivo_assets import errors
from aivo_assets.errors import AivoError, EngineError
from aivo_assets.private_files import write_privately

Result = TypeVar("Result")


@dataclass(frozen=True)
class Failure:
    """An exception, told.

    Attributes:
        kind: Name of its class.
        what: Its message; of an error of ours the sentence without what to do.
        fix: Of an error of ours what to do, otherwise empty.
        trace: The traceback of the worker.
    """

    kind: str
    what: str
    fix: str
    trace: str

    def as_error(self, item: object) -> AivoError:
        """The error to raise in the driver: of the same class where it is one of ours, with the item's name."""
        ours = getattr(errors, self.kind, None)
        if self.fix and isinstance(ours, type) and issubclass(ours, AivoError):
            return ours(f"{label(item).capitalize()}: {self.what}", fix=self.fix)
        return EngineError(
            f"The work on {label(item)} failed with {self.kind}: {self.what}\n{self.trace}",
            fix="Nothing of this step was committed. Correct the cause that the traceback shows, then run it again.",
        )


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What a worker sends back.

    Attributes:
        result: What the work returned; None after a failure.
        failure: What went wrong, if anything.
        records: Log records of the worker: logger, level, text.
    """

    result: Result | None
    failure: Failure | None
    records: tuple[tuple[str, int, str], ...] = ()

    def unpack(self, item: object) -> Result:
        """The result, after the worker's log records were logged here.

        Raises:
            AivoError: The work failed.
        """
        for name, level, text in self.records:
            logging.getLogger(name).log(level, "%s: %s", label(item), text)
        if self.failure is not None:
            raise self.failure.as_error(item)
        return self.result  # type: ignore[return-value]  # None is a result as good as any other


def label(item: object) -> str:
    """What an item is called: `shard 3`, or what it calls itself."""
    return f"shard {item}" if isinstance(item, int) else str(item)


def attempt(work: Callable[[Any, Any], Result], shared: Any, item: Any, *, collect_log: bool = True) -> Outcome[Result]:
    """Call the work, and say what came of it.

    Args:
        work: The function.
        shared: What is the same for every item.
        item: A shard or a day.
        collect_log: Whether log records travel back; where driver and worker are one process they need not.
    """
    records: list[tuple[str, int, str]] = []
    handler = _Collecting(records)
    logger = logging.getLogger("aivo_assets")
    if collect_log:
        write_privately()  # a worker of a cluster has the mask of whoever started its node
        logger.addHandler(handler)
        logger.setLevel(min(logger.level or logging.INFO, logging.INFO))
    try:
        return Outcome(work(shared, item), None, tuple(records))
    except Exception as error:
        what, fix = (error.what, error.fix) if isinstance(error, AivoError) else (str(error), "")
        return Outcome(None, Failure(type(error).__name__, what, fix, traceback.format_exc()), tuple(records))
    finally:
        logger.removeHandler(handler)


class _Collecting(logging.Handler):
    """Keeps records as text."""

    def __init__(self, records: list[tuple[str, int, str]]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append((record.name, record.levelno, record.getMessage()))
