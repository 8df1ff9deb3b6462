"""The command line, `aivo`. Belongs here: what people type and read; the work is done elsewhere."""

from aivo_assets.cli.main import main

__all__ = ["main"]
