"""What every engine does, and the plain loop. Belongs here: the interface and the engine of one process."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from aivo_assets.engine.task import attempt, label

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Shared, Item], Result]
"""A function of a module, so that another process can import it by name."""


class Engine(Protocol):
    """Maps work over items.

    Attributes:
        name: `in_process`, `processes` or `ray`.
        workers: Items that it works on at the same time.
    """

    name: str
    workers: int

    def map(
        self,
        work: Callable[[Any, Item], Result],
        shared: Any,
        items: Sequence[Item],
        *,
        say: Callable[[str], None] | None = None,
        describe: Callable[[Any], str] | None = None,
    ) -> Iterator[Result]:
        """Call `work(shared, item)` for each item, and yield the results in the order of the items.

        The results are the same whatever the engine and the number of workers: work must depend on nothing but its
        arguments and what it reads. A worker that dies costs another try of its item. Closing the iterator ends what is
        still under way.

        Args:
            work: Function of a module.
            shared: Given to every call; shipped once to each worker.
            items: Shards, days or anything else that can be pickled.
            say: Is told how far it is, a sentence for each item that is done.
            describe: What that sentence says of a result.

        Raises:
            AivoError: The work on an item failed; the message names the item. Of what came after it nothing is yielded.
            EngineError: A worker died too often over one item, or the engine cannot be reached.
        """
        ...

    def close(self) -> None:
        """End all workers."""
        ...


class InProcess:
    """The plain loop: one item after the other, in this process.

    >>> def double(shared: int, item: int) -> int:
    ...     return shared * item
    >>> list(InProcess().map(double, 2, [1, 2, 3]))
    [2, 4, 6]
    """

    name = "in_process"
    workers = 1

    def map(
        self,
        work: Callable[[Any, Item], Result],
        shared: Any,
        items: Sequence[Item],
        *,
        say: Callable[[str], None] | None = None,
        describe: Callable[[Any], str] | None = None,
    ) -> Iterator[Result]:
        """See `Engine.map`."""
        for done, item in enumerate(items, start=1):
            result = attempt(work, shared, item, collect_log=False).unpack(item)
            if say is not None:
                say(progress(done, len(items), item, describe and describe(result)))
            yield result

    def close(self) -> None:
        """Nothing to end."""


def progress(done: int, total: int, item: object, result: str | None) -> str:
    """The sentence on an item that is done, with what is said of its result."""
    return f"{label(item)} done, {done} of {total}" + (f": {result}" if result else "")
