r"""Text without what nobody meant to write. Belongs here: white space, Unicode's spellings, words for "no value".

Two exports of one school write the same name differently: with a no-break space behind it, in composed (NFC) or
decomposed (NFD) letters, with a byte order mark before it. And what stands for no value differs: R writes `NA`, SQL
`NULL`, MySQL dumps `\N`, Python `None` and `nan`. Every text of every source passes here before it is anything else.
"""

from collections.abc import Collection, Sequence

import polars as pl

from aivo_assets.settings import SourceSettings

MISSING = SourceSettings().missing_values
"""What stands for no value, beside the empty text, where no setting (AIVO_SOURCE_MISSING) says otherwise."""

OUTER = (
    "".join(map(chr, (*range(0x00, 0x21), 0x7F, 0x85, 0xA0, 0x1680, *range(0x2000, 0x2010))))
    + "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
"""Characters that are cut off at both ends: white space, control characters, marks of no width."""


def tidied(frame: pl.DataFrame, missing: Collection[str] = MISSING) -> pl.DataFrame:
    """Every column of text, and of lists, trimmed, in NFC, and null where nothing was said.

    A list loses its empty members; a list that has no other is null. Columns whose name begins with `_` are places and
    reasons, not values, and stay, except `_zone`.

    Args:
        frame: Values as a source gave them.
        missing: Words for "no value", in any case.
    """
    absent = ["", *(word.strip(OUTER).lower() for word in missing)]
    columns = []
    for name, dtype in frame.schema.items():
        if name.startswith("_") and name != "_zone":
            continue
        if dtype == pl.String:
            columns.append(_said(pl.col(name), absent, ascii_only=_is_ascii(frame[name])))
        elif isinstance(dtype, pl.Categorical | pl.Enum):
            columns.append(_said(pl.col(name).cast(pl.String), absent, ascii_only=False))
        elif isinstance(dtype, pl.List):
            member = pl.element()
            if dtype.inner == pl.String:
                member = _said(member, absent, ascii_only=False)
            elif dtype.inner.is_float():
                member = member.fill_nan(None)
            members = pl.col(name).list.eval(member.drop_nulls())
            columns.append(pl.when(members.list.len() > 0).then(members).alias(name))
    return frame.with_columns(columns)


def composed(names: Sequence[str]) -> list[str]:
    """Names trimmed and in NFC, in their order."""
    return pl.Series(names, dtype=pl.String).str.strip_chars(OUTER).str.normalize("NFC").to_list()


def _said(text: pl.Expr, absent: Sequence[str], *, ascii_only: bool) -> pl.Expr:
    trimmed = text.str.strip_chars(OUTER)
    normal = trimmed if ascii_only else trimmed.str.normalize("NFC")
    return pl.when(~normal.str.to_lowercase().is_in(absent)).then(normal)


def _is_ascii(column: pl.Series) -> bool:
    """Whether NFC can change nothing."""
    return bool(column.str.len_bytes().sum() == column.str.len_chars().sum())
