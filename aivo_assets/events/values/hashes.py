"""Hashes of texts, the same on every machine. Belongs here: the hashing; what makes two rows one event does not."""

import hashlib
from collections.abc import Iterable

import polars as pl

_ID_BYTES = 16


def identity_hash(texts: pl.Series) -> pl.Series:
    """128-bit BLAKE2b hashes (32 hex characters) of identity texts; null stays null. The same on every machine."""
    return pl.Series(texts.name, [None if text is None else _hash(text) for text in texts], dtype=pl.String)


def digest(parts: Iterable[str]) -> str:
    """Hash of several texts that cannot be confused with that of others; 32 hex characters."""
    return _hash("\x1f".join(parts))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=_ID_BYTES).hexdigest()
