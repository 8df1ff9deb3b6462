"""What another account of the machine would see: a function called in a process without root's rights."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

NOBODY = 65534


def let_pass(folder: Path) -> None:
    """Let other accounts reach a folder, which pytest keeps below closed ones."""
    for step in (folder, *folder.parents):
        if not step.stat().st_mode & stat.S_IXOTH:
            step.chmod(step.stat().st_mode | stat.S_IXOTH)


def as_another_account(ask: Callable[[], Any]) -> Any:
    """What a function answers (as JSON) when `nobody` calls it; an exception is its text. Needs root."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            answer = ask()
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        answer = json.load(said)
    os.waitpid(child, 0)
    return answer
