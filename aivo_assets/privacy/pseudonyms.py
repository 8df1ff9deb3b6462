"""From identifiers to pseudonyms and shards. Belongs here: the keyed hash over columns; the key comes from `keys.py`.

A pseudonym is HMAC-SHA256 (RFC 2104) under the key, over the kind and the identifier, cut to 128 bits and written as 32
hex characters. The kind parts the domains: learner "7" and class "7" have unrelated pseudonyms.
"""

from typing import Literal, get_args

import polars as pl

from aivo_assets.privacy.keys import PseudonymKey

Kind = Literal["learner", "teacher", "class", "school", "session", "assignment", "event"]
KINDS: tuple[Kind, ...] = get_args(Kind)
HEX_CHARACTERS = 32
_SHARD_HEX_CHARACTERS = 8  # 32 bits of the pseudonym: uniform over any number of shards that a lake may have


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


def shard_of(learner: pl.Expr, shards: int) -> pl.Expr:
    """Shard of a learner, Int32 in [0, shards): a function of the pseudonym and of nothing else.

    Args:
        learner: Pseudonyms.
        shards: How many shards the lake has.
    """
    head = learner.str.slice(0, _SHARD_HEX_CHARACTERS).str.to_integer(base=16, dtype=pl.Int64)
    return (head % shards).cast(pl.Int32).alias("shard")
