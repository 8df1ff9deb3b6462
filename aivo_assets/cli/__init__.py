"""The one command people call, `aivo`. Belongs here: what they type and what they read; the work is done elsewhere."""

from aivo_assets.cli.main import main

__all__ = ["main"]
