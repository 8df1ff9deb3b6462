"""What the columns of a file hold, learnt from sound lines. Belongs here: whether a line could be a row.

Where quotes do not match, a line is judged by whether its values fit the columns they would stand in.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_NUMBER = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?")
_TIME = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?")
_TOKEN = re.compile(r"\S+")
_KINDS: Final = (_NUMBER, _TIME, _TOKEN)
_MOST = 0.98
"""Share of a column's values that must be of a kind: a damaged line or two among hundreds change nothing."""


@dataclass(frozen=True)
class ColumnKinds:
    """The kind of each column: number, time, text without white space; None for text of any form."""

    kinds: tuple[re.Pattern[str] | None, ...]

    @classmethod
    def learn(cls, rows: Iterable[Sequence[str]], width: int) -> "ColumnKinds":
        """The strictest kind of each column that nearly all of its values are of.

        Args:
            rows: Values of lines without a quote that have the right number of values.
            width: That number.
        """
        columns: list[list[str]] = [[] for _ in range(width)]
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                if value.strip():
                    column.append(value.strip())
        return cls(tuple(_kind(column) for column in columns))

    def fits(self, values: Sequence[str]) -> bool:
        """Whether these could be the values of one row. A value with a quote or a line break is not judged."""
        return len(values) == len(self.kinds) and all(
            kind is None or '"' in value or "\n" in value or not value.strip() or kind.fullmatch(value.strip())
            for kind, value in zip(self.kinds, values, strict=True)
        )

    def is_free(self, column: int) -> bool:
        """Whether a column holds text of any form."""
        return self.kinds[column] is None


def _kind(values: list[str]) -> re.Pattern[str] | None:
    if not values:
        return None
    for kind in _KINDS:
        if sum(kind.fullmatch(value) is not None for value in values) >= _MOST * len(values):
            return kind
    return None
