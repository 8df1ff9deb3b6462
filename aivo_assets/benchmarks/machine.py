"""What a benchmark ran on. Belongs here: versions, cores and memory as text; nothing is measured."""

import os
import platform
from importlib.metadata import version

_LIBRARIES = ("lightgbm", "numba", "polars", "scikit-learn")


def machine() -> dict[str, str]:
    """Cores that the process may use, memory, load of the last minute, Python and the libraries that matter."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return {
        "machine": f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, load {os.getloadavg()[0]:.1f} at the end",
        "versions": f"Python {platform.python_version()}, {libraries}",
    }
