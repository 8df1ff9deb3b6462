"""What commands print to. Belongs here: the terminal itself; what is printed is each command's.

Data is shown as it is: a skill called `[/]` or `ratio :100:` is a name and no markup. So no console of ours reads
markup, and what is to stand out is said with `rich.text.Text`, which takes words and their style apart. The title of a
`Panel` is always a `Text`: Rich reads markup there whatever the console says.
"""

import sys

from rich.console import Console


def terminal(*, of_errors: bool = False, width: int | None = None) -> Console:
    """The terminal itself, also while what libraries print goes elsewhere.

    Args:
        of_errors: Where errors go, instead of where answers go.
        width: Characters of a line; the terminal's own where it is None.
    """
    stream = sys.stderr if of_errors else sys.stdout
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=of_errors)
