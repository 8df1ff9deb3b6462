"""A measurement in a process of its own, so that its peak memory is its own. Belongs here: starting it; no measuring.

Not `multiprocessing`: its children import whatever the parent was started from, and that would count as theirs.
"""

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ParamSpec, TypeVar

from aivo_assets.errors import AivoError, RunError

_P = ParamSpec("_P")
_R = TypeVar("_R")
_ASKED, _ANSWER = "asked.pickle", "answer.pickle"


def in_own_process(function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Call a function of a module in a new process; what it prints goes to this one's stderr.

    Args:
        function: Found again by its module and name.
        args: Whatever can be pickled.
        kwargs: The same.

    Raises:
        AivoError: What the function raised.
        RunError: The process ended otherwise, for example because the machine had no memory left.
    """
    with TemporaryDirectory() as folder:
        (Path(folder) / _ASKED).write_bytes(pickle.dumps((function, args, kwargs)))
        command = [sys.executable, "-m", "aivo_assets.benchmarks.child", folder]
        done = subprocess.run(command, stdout=sys.__stderr__, check=False)  # noqa: S603 - our own module
        if done.returncode != 0:
            raise RunError(
                f"The process of {function.__name__} ended with code {done.returncode}",
                fix="Its last lines are above; -9 usually means that the machine ran out of memory: take fewer rows.",
            )
        answer, error = pickle.loads((Path(folder) / _ANSWER).read_bytes())  # noqa: S301 - written by ourselves
    if error is not None:
        kind, what, fix = error
        raise kind(what, fix=fix)
    return answer  # type: ignore[no-any-return]


def _serve(folder: Path) -> None:
    function, args, kwargs = pickle.loads((folder / _ASKED).read_bytes())  # noqa: S301 - written by ourselves
    answer, failure = None, None
    try:
        answer = function(*args, **kwargs)
    except AivoError as error:
        failure = (type(error), error.what, error.fix)  # an exception with keywords is not unpickled
    (folder / _ANSWER).write_bytes(pickle.dumps((answer, failure)))


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
