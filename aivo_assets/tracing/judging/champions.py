"""Who was champion, when and why. Belongs here: moves of the champion and what follows from them; no storing."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

MoveKind = Literal["promotion", "forced", "rollback"]


class Move(BaseModel):
    """One change of champion.

    Attributes:
        kind: By a verdict, by force against a verdict, or back.
        at: When, UTC.
        by: Who or what asked.
        reason: Why, one sentence.
        before: Version that was champion; None for the first.
        after: Version that became champion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: MoveKind
    at: datetime
    by: str
    reason: str
    before: int | None
    after: int


def line_of_champions(moves: Iterable[Move], pointed: int | None) -> list[int]:
    """The champion and those it stands on, latest first: promotions build the line up, rollbacks take it down.

    Args:
        moves: Every move, oldest first.
        pointed: The version that the alias points to. It is the truth: a move that was noted but cut short before the
            alias moved does not count, and an alias that somebody moved by hand does. None: the alias is gone, because
            the champion was deleted or somebody took the alias away; the moves then say who it was.
    """
    line: list[int] = []
    for move in moves:
        if move.kind == "rollback" and move.after in line:
            line = _up_to(line, move.after)
        else:
            line.append(move.after)
    if pointed is not None:
        line = _up_to(line, pointed) if pointed in line else [*line, pointed]
    return list(dict.fromkeys(reversed(line)))


def _up_to(line: list[int], number: int) -> list[int]:
    """The line cut off behind the last place of a number in it."""
    return line[: len(line) - line[::-1].index(number)]
