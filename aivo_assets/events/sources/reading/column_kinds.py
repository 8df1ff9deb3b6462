"""What the columns of a file hold, learnt from sound lines. Belongs here: whether a line could be a row.

Where quotes do not match, a line is judged by whether its values fit the columns they would stand in.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_NUMBER = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?")
_TIME = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?")
_LETTER_FIRST = re.compile(r"[^\W\d_]\S*\d\S*")
_WITH_DIGIT = re.compile(r"\S*\d\S*")
_TOKEN = re.compile(r"\S+")
_KINDS: Final = (_NUMBER, _TIME, _LETTER_FIRST, _WITH_DIGIT, _TOKEN)
_MOST = 0.98
"""Share of a column's values that must be of a kind: a damaged line or two among hundreds change nothing."""
_FEWEST = 20
"""Values from which a kind is learnt: of fewer, the next may well be the first of another kind."""


@dataclass(frozen=True)
class ColumnKinds:
    """What each column holds.

    Attributes:
        kinds: Number, time, text without white space (with a digit, a letter before it); None for text of any form.
        filled: Whether nearly all lines have a value there.
        learnt_from: How many lines this is learnt from.
    """

    kinds: tuple[re.Pattern[str] | None, ...]
    filled: tuple[bool, ...]
    learnt_from: int

    @classmethod
    def learn(cls, rows: Iterable[Sequence[str]], width: int) -> "ColumnKinds":
        """The strictest kind of each column that nearly all of its values are of.

        Args:
            rows: Values of sound lines; those of another width are left out.
            width: Number of columns.
        """
        sound = [row for row in rows if len(row) == width]
        columns = [[value for row in sound if (value := row[column].strip())] for column in range(width)]
        return cls(
            tuple(_kind(column) for column in columns),
            tuple(len(column) >= _MOST * len(sound) for column in columns),
            len(sound),
        )

    def fits(self, values: Sequence[str]) -> bool:
        """Whether these could be the values of one row. A value with a quote or a line break is not judged."""
        return len(values) == len(self.kinds) and all(
            kind is None or '"' in value or "\n" in value or not value.strip() or kind.fullmatch(value.strip())
            for kind, value in zip(self.kinds, values, strict=True)
        )

    def is_a_row(self, values: Sequence[str]) -> bool:
        """Whether these are surely the values of a row: they fit, and nothing is missing that all others have."""
        if not self.fits(values):
            return False
        return all(value.strip() or not filled for value, filled in zip(values, self.filled, strict=True))

    @property
    def telling(self) -> bool:
        """Whether a line that is no row is unlikely to fit: a column of numbers or times, or two of single words."""
        strict = [kind for kind, filled in zip(self.kinds, self.filled, strict=True) if filled and kind is not None]
        return any(kind in (_NUMBER, _TIME) for kind in strict) or len(strict) > 1

    def are_free(self, columns: int) -> bool:
        """Whether each of the first so many columns holds text of any form."""
        return all(kind is None for kind in self.kinds[:columns])


def _kind(values: list[str]) -> re.Pattern[str] | None:
    if len(values) < _FEWEST:
        return None
    for kind in _KINDS:
        if sum(kind.fullmatch(value) is not None for value in values) >= _MOST * len(values):
            return kind
    return None
