"""What a worker process sets up before its first item. Belongs here: threads, memory, and dying with its driver.

It must not import polars or numba: how many threads they use is read when they are imported.
"""

import os
import resource
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait

THREAD_VARIABLES = ("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")


def prepare(threads: int, memory_bytes: int | None) -> None:
    """Set up this process as a worker.

    Args:
        threads: Threads that a library may use, so that all workers together use the machine once.
        memory_bytes: Most memory that this process may allocate; None: no bound.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the driver, which ends its workers
    for name in THREAD_VARIABLES:
        os.environ[name] = str(threads)
    if memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    threading.Thread(target=_die_with_driver, daemon=True).start()


def _die_with_driver() -> None:
    """End this process when its driver ends, however that ended: nobody would read the results."""
    driver = parent_process()
    if driver is not None:
        wait([driver.sentinel])
        os._exit(1)
