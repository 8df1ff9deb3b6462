"""Pseudonyms and shards."""

import hashlib
import hmac
from itertools import combinations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.lake.shards import shard_of
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import KINDS, pseudonyms
from aivo_assets_tests.privacy.raw_school import KEY

IDENTIFIERS = st.lists(st.none() | st.text(min_size=1, max_size=12), max_size=30)


def series(values: list[str | None]) -> pl.Series:
    return pl.Series("raw", values, dtype=pl.String)


def test_a_pseudonym_is_hmac_sha256_over_kind_and_identifier_cut_to_128_bits():
    secret = "the quick brown fox jumps over it"
    expected = hmac.new(secret.encode(), "learner\x00Zoë".encode(), hashlib.sha256).hexdigest()[:32]
    assert pseudonyms(series(["Zoë"]), "learner", PseudonymKey(secret)).to_list() == [expected]


@given(IDENTIFIERS)
@settings(deadline=None)
def test_equal_identifiers_and_only_those_have_equal_pseudonyms(raw: list[str | None]):
    hashed = pseudonyms(series(raw), "learner", KEY)
    assert len(set(zip(raw, hashed, strict=True))) == len(set(raw)) == hashed.n_unique() if raw else hashed.is_empty()
    assert hashed.name == "raw"
    for value, pseudonym in zip(raw, hashed, strict=True):
        assert (value is None) == (pseudonym is None)
        assert pseudonym is None or (len(pseudonym) == 32 and set(pseudonym) <= set("0123456789abcdef"))


def test_the_same_identifier_of_two_kinds_does_not_match():
    of_kind = {kind: pseudonyms(series(["7"]), kind, KEY)[0] for kind in KINDS}
    assert all(of_kind[a] != of_kind[b] for a, b in combinations(KINDS, 2))


def test_another_key_makes_other_pseudonyms():
    other = PseudonymKey("another key for tests, long enough")
    assert pseudonyms(series(["7"]), "learner", KEY)[0] != pseudonyms(series(["7"]), "learner", other)[0]


@given(IDENTIFIERS, st.integers(1, 4096))
@settings(max_examples=40, deadline=None)
def test_a_shard_depends_on_the_pseudonym_alone(raw: list[str | None], shards: int):
    frame = pl.DataFrame({"learner": pseudonyms(series(raw), "learner", KEY)})
    together = frame.select(shard_of(pl.col("learner"), shards))["shard"]
    assert together.dtype == pl.Int32
    for position in range(frame.height):
        alone = frame[position].select(shard_of(pl.col("learner"), shards))["shard"]
        assert alone.to_list() == [together[position]]
        assert together[position] is None or 0 <= together[position] < shards


def test_shards_are_about_equally_full():
    learner = pseudonyms(series([str(number) for number in range(20_000)]), "learner", KEY)
    sizes = pl.DataFrame({"learner": learner}).select(shard_of(pl.col("learner"), 4))["shard"].value_counts()["count"]
    assert len(sizes) == 4
    assert 4_700 < sizes.min() <= sizes.max() < 5_300  # 5000 ± 5 standard deviations
