"""Looking at all days a few at a time. Belongs here: which of them it is the turn of; nothing is read.

What looks every minute may not cost more with every day that a lake grows older. So it looks at the newest days each
time, and at the others in turns.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

AT_ONCE: Final = 31
"""So many of the newest days each time, and so many of the others."""


def looked_at(days: Sequence[date], turn: int) -> list[date]:
    """The days that are looked at in one turn, ascending; in turns that follow each other it is all of them.

    Args:
        days: All, ascending.
        turn: A number that grows by one from turn to turn.
    """
    newest, others = days[-AT_ONCE:], days[:-AT_ONCE]
    turns = -(-len(others) // AT_ONCE)
    first = AT_ONCE * (turn % turns) if turns else 0
    return [*others[first : first + AT_ONCE], *newest]


def turn(now: datetime, seconds: float) -> int:
    """The turn of an instant, for what looks every so many seconds."""
    return int(now.timestamp() // seconds)
