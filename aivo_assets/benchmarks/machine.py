"""What a benchmark ran on and took. Belongs here: versions, cores, memory; no clock, no scores."""

import os
import platform
import resource
import sys
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = ("lightgbm", "numba", "polars", "scikit-learn")


def machine() -> dict[str, str]:
    """Cores that the process may use, memory, load of the last minute, Python and the libraries that matter."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return {
        "machine": f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, load {os.getloadavg()[0]:.1f} at the end",
        "versions": f"Python {platform.python_version()}, {libraries}",
    }


def peak_bytes() -> int:
    """Most memory that this process held at any time so far, bytes.

    Linux's own mark of the process is read where there is one: `ru_maxrss` of a new process begins with the memory of
    the one that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
