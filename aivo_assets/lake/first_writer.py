"""Small files in AIVO_HOME that are written once, by whichever process is first. No dataset is kept this way."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_once(path: Path, content: Mapping[str, str]) -> None:
    """Write a JSON file whole unless another process was first.

    Raises:
        OSError: The folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(content, file)
        path.hardlink_to(beside)
    except FileExistsError:
        pass
    finally:
        Path(beside).unlink()
