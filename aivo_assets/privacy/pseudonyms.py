"""From identifiers to pseudonyms. Belongs here: the keyed hash over columns; the key comes from `keys.py`.

A pseudonym is HMAC-SHA256 (RFC 2104) under the key, over the kind and the identifier, cut to 128 bits and written as 32
hex characters. The kind parts the domains: learner "7" and class "7" have unrelated pseudonyms.
"""

from typing import Literal, get_args

import polars as pl

from aivo_assets.privacy.keys import PseudonymKey

Kind = Literal["learner", "teacher", "class", "school", "session", "assignment", "event"]
KINDS: tuple[Kind, ...] = get_args(Kind)
HEX_CHARACTERS = 32


def pseudonyms(values: pl.Series, kind: Kind, key: PseudonymKey) -> pl.Series:
    """Replace identifiers by pseudonyms; one hash per distinct identifier.

    Args:
        values: String identifiers of one kind, length n; null stays null.
        kind: What they identify.
        key: The secret.

    Returns:
        String series of length n and the same name, 32 hex characters each.
    """
    distinct = values.drop_nulls().unique()
    base = key.keyed_hash()
    base.update(f"{kind}\x00".encode())

    def pseudonym(value: str) -> str:
        keyed = base.copy()
        keyed.update(value.encode())
        return keyed.hexdigest()[:HEX_CHARACTERS]

    replaced = pl.Series([pseudonym(value) for value in distinct], dtype=pl.String)
    return values.replace_strict(distinct, replaced, return_dtype=pl.String).alias(values.name)
