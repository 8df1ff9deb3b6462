"""A program that runs `aivo` and dies by SIGKILL at a chosen moment. Belongs here: when it dies, not what it does.

    python -m aivo_assets_tests.chaos.dies MOMENT aivo-arguments …

`MOMENT` is `rename:PATTERN` (the first time a finished file is about to take a place whose path the pattern is found
in, with the file written and its place still the old one) or `call:module:Class.method` (the first time it is entered;
`call:module:Class.method#5`: the fifth), or `never`. `told:` instead of `call:` is a
SIGTERM, from which it may end in order. `clock:SECONDS` does not die: its clock goes wrong by so much.
The code of the platform is what it is: renames are seen by an audit hook of the interpreter, and an entered function
gets one line in front of it.
"""

import functools
import importlib
import os
import re
import signal
import sys
from datetime import timedelta
from typing import Any


def die_at(moment: str) -> None:
    """Arrange for the end."""
    kind, _, where = moment.partition(":")
    if kind == "rename":
        _die_before_a_rename(re.compile(where))
    elif kind == "call":
        module, _, name = where.partition(":")
        name, _, times = name.partition("#")
        _die_on_entering(module, name, int(times or 1))
    elif kind == "told":  # to end, by SIGTERM: what comes of it is up to the process
        module, _, name = where.partition(":")
        name, _, times = name.partition("#")
        _die_on_entering(module, name, int(times or 1), signal.SIGTERM)
    elif kind == "clock":
        _put_the_clock_wrong(float(where))
    elif kind != "never":
        raise ValueError(moment)


def _put_the_clock_wrong(seconds: float) -> None:
    from aivo_assets.resources.clock import SystemClock

    right = SystemClock.now
    SystemClock.now = lambda clock: right(clock) + timedelta(seconds=seconds)  # type: ignore[method-assign]


def _die(number: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), number)


def _die_before_a_rename(pattern: re.Pattern[str]) -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.rename" and pattern.search(os.fsdecode(arguments[1])):
            _die()

    sys.addaudithook(hook)


def _die_on_entering(module: str, name: str, times: int, number: int = signal.SIGKILL) -> None:
    owner: Any = importlib.import_module(module)
    *parents, last = name.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    entered = getattr(owner, last)
    left = times

    @functools.wraps(entered)
    def dying(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            _die(number)
        return entered(*arguments, **named)

    setattr(owner, last, dying)


if __name__ == "__main__":
    die_at(sys.argv[1])
    sys.argv = ["aivo", *sys.argv[2:]]
    from aivo_assets.cli.main import main

    main()
