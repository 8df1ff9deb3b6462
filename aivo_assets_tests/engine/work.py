"""Work for the engines' tests: functions of a module, so that worker processes find them."""

import logging
import os
import signal
import time
from pathlib import Path

from aivo_assets.errors import LakeError


def multiply(shared: int, item: int) -> int:
    return shared * item


def slow_first(shared: Path, item: int) -> int:
    time.sleep(0.3 if item == 0 else 0.0)
    (shared / str(item)).touch()
    return item


def fails_at_three(shared: object, item: int) -> int:
    if item == 3:
        raise ValueError("cannot halve an odd shard")
    return item


def refuses_two(shared: object, item: int) -> int:
    if item == 2:
        raise LakeError("the day is damaged", fix="Materialize it again.")
    return item


def dies_once(shared: Path, item: int) -> int:
    """Kills its own process the first time that it is asked for item 2."""
    mark = shared / "died"
    if item == 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item * 10


def always_dies(shared: object, item: int) -> int:
    if item == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def tells(shared: object, item: int) -> int:
    logging.getLogger("aivo_assets.engine").info("folding")
    return item


def process_of(shared: object, item: int) -> int:
    time.sleep(0.2)
    return os.getpid()


def waits_for_ever(shared: Path, item: int) -> int:
    (shared / f"{os.getpid()}").touch()
    time.sleep(600)
    return item
