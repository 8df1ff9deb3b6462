"""The terminal that commands print to. What is printed is each command's."""

import sys

from rich.console import Console


def terminal() -> Console:
    """The terminal itself, also while what libraries print goes elsewhere."""
    return Console(file=sys.stdout, highlight=False)
