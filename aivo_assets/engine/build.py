"""The engine that the settings name. Nothing else belongs here."""

import os

from aivo_assets.engine.engine import Engine, InProcess
from aivo_assets.settings import Settings

GIB = 1024**3


def build_engine(settings: Settings) -> Engine:
    """An engine, not started yet.

    Args:
        settings: Kind, workers, memory and address.
    """
    memory = None if settings.engine_memory_gib is None else int(settings.engine_memory_gib * GIB)
    processors = os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(os.sched_getaffinity(0))
    if settings.engine == "processes":
        from aivo_assets.engine.processes import Processes  # noqa: PLC0415 - only where it is used

        workers = settings.engine_workers or processors
        return Processes(workers, max(1, processors // workers), memory, settings.engine_retries)
    if settings.engine == "ray":
        from aivo_assets.engine.on_ray import OnRay  # noqa: PLC0415 - an extra

        return OnRay(settings.engine_address, settings.engine_workers, memory, settings.engine_retries)
    return InProcess()
