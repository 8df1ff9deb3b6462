"""An error that nobody foresaw, for a person. Belongs here: what they read, and where the traceback is kept.

A traceback in a terminal tells a teacher nothing and a developer only as long as the window is open. So the whole of it
goes to a file, and the terminal says what happened in a line.
"""

import os
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aivo_assets.errors import AivoError, RunError, ServiceError

KEPT: Final = "unexpected_errors.log"


def as_ours(error: Exception) -> AivoError:
    """An error of ours that says what another one is, with its traceback kept.

    Args:
        error: What was raised.
    """
    place = _keep(error)
    if isinstance(error, OSError):
        name = f" ({error.filename})" if error.filename else ""
        return ServiceError(
            f"{error.strerror or error}{name}",
            fix=f"Check that the place exists, that this user may use it and that there is room. Details: {place}",
        )
    message = " ".join(str(error).split())
    return RunError(
        f"{type(error).__name__}: {message}" if message else type(error).__name__,
        fix=f"This is an unexpected error of the platform. Report it with {place}",
    )


def _keep(error: Exception) -> str:
    """Append the traceback to the log of the home, or of the machine where there is none to write into."""
    text = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n{''.join(traceback.format_exception(error))}\n"
    for folder in (Path(os.environ.get("AIVO_HOME", ".aivo")) / "logs", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / KEPT).open("a") as file:
                file.write(text)
        except OSError:
            continue
        return str((folder / KEPT).absolute())
    return "(its traceback could not be written anywhere)"
