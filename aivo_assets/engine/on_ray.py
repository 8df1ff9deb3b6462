"""Ray tasks inside a step. Belongs here: shipping, retries, cancelling, and that all nodes run the driver's code."""

import contextlib
import logging
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aivo_assets import errors
from aivo_assets.code_version import code_version
from aivo_assets.engine.engine import progress
from aivo_assets.engine.task import attempt, label
from aivo_assets.errors import EngineError

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 2  # items a processor that may be under way or wait to be read
SECONDS_TO_CONNECT = 60.0


@dataclass
class OnRay:
    """A Ray cluster: workers need the package and a way to the lake, nothing else.

    Attributes:
        address: Of the cluster's head, as `ray start` prints it; None: a cluster of this process alone.
        workers: Items under way at once; None: as many as the cluster has processors.
        memory_bytes: Memory that each task books; None: no booking.
        retries: How often an item is tried again whose worker or node died.
    """

    address: str | None = None
    workers: int = 0
    memory_bytes: int | None = None
    retries: int = 3
    name: str = field(default="ray", init=False)

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
        ray = self._connected()
        task = ray.remote(num_cpus=1, max_retries=self.retries, memory=self.memory_bytes)(attempt)
        given, ahead = ray.put(shared), AHEAD * self.workers
        waiting: deque[tuple[Item, Any]] = deque()
        try:
            for done, item in enumerate(self._submitted(task, work, given, items, waiting, ahead), start=1):
                result = self._result(ray, *item)
                if say is not None:
                    say(progress(done, len(items), item[0], describe and describe(result)))
                yield result
        finally:
            for _, reference in waiting:
                with contextlib.suppress(Exception):  # a task that has just ended cannot be cancelled
                    ray.cancel(reference, force=True)

    @staticmethod
    def _submitted(
        task: Any, work: Any, given: Any, items: Sequence[Item], waiting: "deque[tuple[Item, Any]]", ahead: int
    ) -> Iterator[tuple[Item, Any]]:
        """The oldest task that is under way, again and again, with others submitted behind it."""
        for item in items:
            waiting.append((item, task.remote(work, given, item)))
            if len(waiting) > ahead:
                yield waiting[0]
                waiting.popleft()
        while waiting:
            yield waiting[0]
            waiting.popleft()

    def _result(self, ray: Any, item: Item, reference: Any) -> Any:
        try:
            return ray.get(reference).unpack(item)
        except ray.exceptions.RayError as error:
            raise EngineError(
                f"The work on {label(item)} was lost, after {self.retries} more tries: {str(error).splitlines()[0]}",
                fix="Look at `ray status` and the logs of the nodes: most often a node is gone or memory is too small "
                "(AIVO_ENGINE_MEMORY_GIB books memory for each task). Nothing was committed; run the step again.",
            ) from error

    def _connected(self) -> Any:
        """The `ray` module, connected, with code of one version everywhere.

        Raises:
            EngineError: Ray is not installed, the cluster does not answer, or a node runs other code.
        """
        try:
            import ray  # noqa: PLC0415 - an extra, and seconds of import
        except ImportError as error:
            raise EngineError(
                "AIVO_ENGINE=ray, but Ray is not installed.", fix="pip install 'aivo-training[ray]'"
            ) from error
        if not ray.is_initialized():
            _refuse_unreachable(self.address)
            local: dict[str, Any] = (
                {} if self.address else {"include_dashboard": False, "num_cpus": self.workers or None}
            )
            try:
                ray.init(
                    address=self.address,
                    namespace="aivo",
                    log_to_driver=False,
                    logging_level=logging.WARNING,
                    **local,
                )
            except Exception as error:  # a node that does not come up in time raises a bare Exception
                where = f"No Ray cluster answers at {self.address}" if self.address else "Ray did not start"
                raise EngineError(
                    f"{where}: {error}", fix="Start one with `ray start --head`, or correct AIVO_ENGINE_ADDRESS."
                ) from error
            self._refuse_other_code(ray)
        self.workers = self.workers or int(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]
        return ray

    @staticmethod
    def _refuse_other_code(ray: Any) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

        mine, ask = _package_version(), ray.remote(num_cpus=0, max_retries=0)(_code_here)
        nodes = [node for node in ray.nodes() if node["Alive"]]
        asked = [
            ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote()
            for node in nodes
        ]
        try:
            answers = ray.get(asked, timeout=SECONDS_TO_CONNECT)
        except ray.exceptions.RayError as error:
            raise EngineError(
                f"A Ray node cannot run this package: {str(error).splitlines()[-1]}",
                fix="Install the same release of aivo-training on every node.",
            ) from error
        other = [node["NodeManagerAddress"] for node, answer in zip(nodes, answers, strict=True) if answer != mine]
        if other:
            raise EngineError(
                f"Ray nodes {', '.join(sorted(other))} run another version of this package than the driver ({mine}).",
                fix="Install the same release everywhere, then start the nodes again.",
            )

    def close(self) -> None:
        """Leave the cluster; one that this process started ends."""
        import ray  # noqa: PLC0415

        if ray.is_initialized():
            ray.shutdown()


def _refuse_unreachable(address: str | None) -> None:
    """Look whether anything listens there: Ray itself waits for minutes, and may end the whole process then.

    Raises:
        EngineError: Nothing does.
    """
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return  # no address, or a word of Ray's such as `auto`
    try:
        with socket.create_connection((host, int(port)), timeout=SECONDS_TO_CONNECT):
            return
    except OSError as error:
        raise EngineError(
            f"No Ray cluster answers at {address}: {error}",
            fix="Start one with `ray start --head`, or correct AIVO_ENGINE_ADDRESS.",
        ) from error


def _package_version() -> str:
    return code_version(Path(errors.__file__).parent)


def _code_here() -> str:
    """The code of the node that runs this; a plain function, which Ray wants."""
    return _package_version()
