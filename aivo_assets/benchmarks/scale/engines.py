"""The engines that are compared. Belongs here: starting and ending them, two Ray nodes on loopback included."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Literal

from aivo_assets.benchmarks.scale.metered import idle
from aivo_assets.engine import Engine, InProcess
from aivo_assets.engine.worker import THREAD_VARIABLES
from aivo_assets.errors import EngineError, SettingsError

Kind = Literal["1 process", "2 processes", "2 Ray nodes"]
KINDS: tuple[Kind, ...] = ("1 process", "2 processes", "2 Ray nodes")
WORKERS: dict[Kind, int] = {"1 process": 1, "2 processes": 2, "2 Ray nodes": 2}
SECONDS_IDLE = 0.5
OBJECT_STORE_BYTES = 256 * 2**20


class NotStartedError(EngineError):
    """Workers of an engine did not start here, so that nothing was measured with it."""


def kind_named(name: str) -> Kind:
    """The kind of this name.

    Raises:
        SettingsError: There is none.
    """
    for kind in KINDS:
        if kind == name:
            return kind
    raise SettingsError(f"No engine is called {name!r}", fix=f"Choose among: {', '.join(KINDS)}.")


def why_absent(kind: Kind) -> str | None:
    """Why an engine cannot be measured here, in a sentence; None where it can."""
    if kind == "2 Ray nodes" and find_spec("ray") is None:
        return "Ray is not installed (pip install 'aivo-training[ray]')"
    return None


@contextmanager
def started(kind: Kind) -> Iterator[Engine]:
    """An engine whose workers run; they end with the block."""
    if kind == "1 process":
        yield InProcess()
    elif kind == "2 processes":
        from aivo_assets.engine.processes import Processes  # noqa: PLC0415 - only where it is used

        processors = len(os.sched_getaffinity(0))
        yield from _warm(Processes(2, max(1, processors // 2)))
    else:
        yield from _on_two_nodes()


def _warm(engine: Engine) -> Iterator[Engine]:
    try:
        list(engine.map(idle, SECONDS_IDLE, range(engine.workers)))
        yield engine
    finally:
        engine.close()


def _on_two_nodes() -> Iterator[Engine]:
    """Two nodes of one processor each, with an object store and workers of their own, that talk over loopback."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - an extra

    from aivo_assets.engine.on_ray import OnRay  # noqa: PLC0415 - an extra

    for name in THREAD_VARIABLES:  # read by the workers, which inherit them; this process has its threads already
        os.environ[name] = "1"
    cluster = Cluster()
    try:
        try:
            for _ in range(2):
                cluster.add_node(num_cpus=1, include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES)
        except Exception as error:  # Ray raises a bare Exception
            raise NotStartedError(
                f"Two Ray nodes did not start: {str(error).splitlines()[0]}",
                fix="Most often the machine was too busy: Ray waits for 30 s. Try again with --engines '2 Ray nodes'.",
            ) from error
        yield from _warm(OnRay(address=cluster.address, workers=2))
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]
