"""Which rows are the same event."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.events.landing.identity import CONFLICT, DUPLICATE, NEW, resolve, with_ordinals
from aivo_assets.events.values.hashes import digest, identity_hash


def keys(rows: list[tuple[str, str | None, str | None]]) -> pl.DataFrame:
    """Rows of (location, given id, derived hash) in reading order."""
    frame = pl.DataFrame(rows, schema={"location": pl.String, "given": pl.String, "derived": pl.String}, orient="row")
    return frame.with_columns(order=pl.int_range(pl.len(), dtype=pl.Int64))


def statuses(rows: list[tuple[str, int]], held: list[tuple[str, int]]) -> list[str]:
    schema = {"event_id": pl.String, "content": pl.UInt64}
    read = pl.DataFrame(rows, schema=schema, orient="row").with_columns(order=pl.int_range(pl.len(), dtype=pl.Int64))
    return resolve(read, pl.DataFrame(held, schema=schema, orient="row")).sort("order")["status"].to_list()


def test_identity_hashes_are_the_same_on_every_machine() -> None:
    """Golden: BLAKE2b with 16 bytes of `a`, by the reference implementation (RFC 7693)."""
    assert identity_hash(pl.Series("t", ["a", None])).to_list() == ["27c35e6e9373877f29e562464e46497e", None]


def test_a_digest_knows_where_one_part_ends() -> None:
    assert digest(["ab", "c"]) != digest(["a", "bc"])


def test_identical_rows_of_one_file_are_events_of_their_own() -> None:
    given_ids = with_ordinals(keys([("f", None, "h"), ("f", None, "h"), ("f", None, "x"), ("f", None, "h")]))
    assert given_ids["event_id"].to_list() == ["h", "h.1", "x", "h.2"]


def test_identical_rows_of_two_files_are_the_same_events() -> None:
    given_ids = with_ordinals(keys([("f", None, "h"), ("f", None, "h"), ("g", None, "h"), ("g", None, "h")]))
    assert given_ids["event_id"].to_list() == ["h", "h.1", "h", "h.1"]


def test_an_id_that_the_source_gives_is_believed() -> None:
    assert with_ordinals(keys([("f", "1", None), ("f", "1", None)]))["event_id"].to_list() == ["1", "1"]


def test_the_first_row_stays_and_the_lake_was_first() -> None:
    assert statuses([("a", 1), ("a", 1), ("a", 2)], []) == [NEW, DUPLICATE, CONFLICT]
    assert statuses([("a", 1), ("a", 2), ("b", 3)], [("a", 2)]) == [CONFLICT, DUPLICATE, NEW]


rows = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=12)


@settings(deadline=None)
@given(rows, rows)
def test_resolving_is_reading_one_row_after_another(
    read: list[tuple[str, int]], earlier: list[tuple[str, int]]
) -> None:
    known: dict[str, int] = {}
    for event_id, content in earlier:
        known.setdefault(event_id, content)
    held = list(known.items())
    expected = []
    for event_id, content in read:
        first = known.setdefault(event_id, -1)
        if first == -1:
            known[event_id] = content
            expected.append(NEW)
        else:
            expected.append(DUPLICATE if first == content else CONFLICT)
    assert statuses(read, held) == expected
