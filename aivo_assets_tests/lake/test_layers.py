"""Layers: the newest row counts, remade owners begin anew, one commit for all frames; and a day's single shards."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.errors import LakeError
from aivo_assets.lake import Dataset, Lake, Layered, Layers

OWN = Dataset("kept/own", {"who": pl.String, "value": pl.Int64}, unit="layers")
PAIRS = Dataset("kept/pairs", {"who": pl.String, "what": pl.String, "value": pl.Int64}, unit="layers")
KEPT = Layered("kept", {"own": (OWN, ("who",)), "pairs": (PAIRS, ("who", "what"))})
DAILY = Dataset("daily", {"shard": pl.Int32, "value": pl.Int64}, unit="day", sharded=True)
MONDAY = date(2024, 1, 1)


def frames(own: dict[str, int], pairs: dict[tuple[str, str], int]) -> dict[str, pl.DataFrame]:
    return {
        "own": pl.DataFrame(sorted(own.items()), schema=dict(OWN.schema), orient="row"),
        "pairs": pl.DataFrame(
            [(*key, value) for key, value in sorted(pairs.items())], schema=dict(PAIRS.schema), orient="row"
        ),
    }


def read(layers: Layers, where: pl.Expr | None = None) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    shard = layers.shard(0)
    assert shard is not None
    own, pairs = (layers.read(shard, name, where).rows() for name in KEPT.frames)
    return dict(own), {(who, what): value for who, what, value in pairs}


@pytest.fixture
def layers(tmp_path: Path) -> Layers:
    made = Layers(Lake(tmp_path, shards=1), KEPT)
    made.commit(
        made.stage_base(
            0, [frames({"a": 1}, {("a", "x"): 1, ("a", "y"): 1}), frames({"b": 1}, {("b", "x"): 1})], {"n": 0}
        )
    )
    return made


def test_the_newest_row_of_each_key_counts_and_others_stay(layers: Layers) -> None:
    layers.commit(layers.stage(0, [(frames({"a": 2}, {("a", "x"): 2, ("a", "z"): 2}), None)], {"n": 1}))
    assert read(layers) == ({"a": 2, "b": 1}, {("a", "x"): 2, ("a", "y"): 1, ("a", "z"): 2, ("b", "x"): 1})
    assert read(layers, pl.col("who") == "b") == ({"b": 1}, {("b", "x"): 1})


def test_older_rows_of_who_was_remade_are_void_and_later_ones_count(layers: Layers) -> None:
    layers.commit(layers.stage(0, [(frames({"a": 3}, {("a", "z"): 3}), pl.Series(["a", "b"]))], {}))
    assert read(layers) == ({"a": 3}, {("a", "z"): 3})
    layers.commit(layers.stage(0, [(frames({"b": 4}, {("b", "x"): 4}), None)], {}))
    assert read(layers) == ({"a": 3, "b": 4}, {("a", "z"): 3, ("b", "x"): 4})


def test_merging_changes_nothing_that_is_read_and_leaves_later_layers(layers: Layers) -> None:
    layers.commit(layers.stage(0, [(frames({"a": 2}, {("a", "x"): 2}), None)], {}))
    layers.commit(layers.stage(0, [(frames({"c": 3}, {}), pl.Series(["b", "c"]))], {"n": 2}))
    before = read(layers)
    merged = layers.compact(0, until=2)
    assert merged is not None
    assert (len(merged.layers), merged.sequence, merged.notes) == (2, 3, {"n": 2})
    assert read(layers) == before
    assert layers.changed_since(merged, 2).to_list() == ["b", "c"]  # type: ignore[union-attr]
    whole = layers.compact(0)
    assert whole is not None
    assert len(whole.layers) == 1
    assert read(layers) == before
    assert layers.changed_since(whole, 3).to_list() == []  # type: ignore[union-attr]
    assert layers.changed_since(whole, 2) is None


def test_only_files_of_the_last_two_commits_are_left(layers: Layers, tmp_path: Path) -> None:
    for value in range(2, 5):
        layers.commit(layers.stage_base(0, [frames({"a": value}, {("a", "x"): value})], {}))
    assert sorted(pl.concat(pl.read_parquet(file) for file in tmp_path.rglob("own/**/*.parquet"))["value"]) == [3, 4]


def test_a_layer_needs_a_base_and_layered_data_is_not_read_as_days_or_shards(tmp_path: Path) -> None:
    lake = Lake(tmp_path, shards=1)
    with pytest.raises(LakeError, match="does not exist"):
        Layers(lake, KEPT).commit(Layers(lake, KEPT).stage(0, [(frames({}, {}), None)], {}))
    with pytest.raises(ValueError, match="kept in layers"):
        lake.scan(OWN)
    with pytest.raises(ValueError, match="kept in layers"):
        lake.write(OWN, OWN.empty())


def of(shard: int, *values: int) -> pl.DataFrame:
    return pl.DataFrame({"shard": [shard] * len(values), "value": values}, schema=dict(DAILY.schema))


def test_a_days_single_shard_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    lake = Lake(tmp_path, shards=2)
    lake.replace_shard(DAILY, of(0, 1, 2), day=MONDAY, shard=0, made_by={"by": "me"})
    lake.replace_shard(DAILY, of(1, 3), day=MONDAY, shard=1)
    version = lake.version(DAILY)
    assert lake.scan(DAILY).collect()["value"].to_list() == [1, 2, 3]
    assert not lake.replace_shard(DAILY, of(1, 3), day=MONDAY, shard=1).changed
    assert lake.version(DAILY) == version
    lake.replace_shard(DAILY, of(0), day=MONDAY, shard=0)
    assert lake.scan(DAILY).collect()["value"].to_list() == [3]
    manifest = lake.manifest(DAILY, day=MONDAY)
    assert manifest is not None
    assert manifest["made_by"] == {"shard=0000": {"by": "me"}}
    assert {shard: {day: rows for day, (_, rows) in parts.items()} for shard, parts in lake.parts(DAILY).items()} == {
        0: {}, 1: {MONDAY: 1}}  # fmt: skip


def test_written_at_once_or_shard_by_shard_a_day_has_the_same_version(tmp_path: Path) -> None:
    one, other = Lake(tmp_path / "one", shards=2), Lake(tmp_path / "other", shards=2)
    one.write(DAILY, pl.concat([of(0, 1, 2), of(1, 3)]), day=MONDAY)
    other.replace_shard(DAILY, of(1, 3), day=MONDAY, shard=1)
    other.replace_shard(DAILY, of(0, 1, 2), day=MONDAY, shard=0)
    assert one.version(DAILY) == other.version(DAILY)
