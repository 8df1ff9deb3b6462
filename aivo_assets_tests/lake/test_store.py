"""The lake: a unit is the old one or the new one, equal content is equal, and readers see what they ask for."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aivo_assets.errors import LakeError
from aivo_assets.lake import Dataset, Lake, atomic_file
from aivo_assets.lake.lake_reader import MANIFEST

SCHEMA = {"learner": pl.String, "shard": pl.Int32, "value": pl.Float64, "tags": pl.List(pl.String)}
WHOLE = Dataset("zone/whole", SCHEMA)
DAILY = Dataset("zone/daily", SCHEMA, unit="day")
SHARDED_DAYS = Dataset("zone/sharded_days", SCHEMA, unit="day", sharded=True)
SHARDS = Dataset("zone/shards", SCHEMA, unit="shard")
MONDAY, TUESDAY = date(2024, 1, 1), date(2024, 1, 2)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", shards=4)


def frame(*values: float, shards: list[int] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "learner": [f"l{n}" for n in range(len(values))],
            "shard": shards or [0] * len(values),
            "value": list(values),
            "tags": [["a", "b"]] * len(values),
        },
        schema=SCHEMA,
    )


def values(lake: Lake, dataset: Dataset, **chosen: object) -> list[float]:
    return lake.scan(dataset, **chosen).collect()["value"].to_list()


def parquet_files(lake: Lake, dataset: Dataset) -> list[Path]:
    return sorted(Path(str(lake.root / dataset.path)).rglob("*.parquet"))


def test_what_is_written_is_read_back_in_its_order(lake: Lake) -> None:
    lake.write(WHOLE, frame(3, 1, 2))
    assert_frame_equal(lake.scan(WHOLE).collect(), frame(3, 1, 2))


def test_what_was_never_written_reads_as_an_empty_frame_of_the_schema(lake: Lake) -> None:
    for dataset in (WHOLE, DAILY, SHARDED_DAYS, SHARDS):
        assert lake.scan(dataset).collect().schema == dataset.empty().schema
        assert lake.manifest(dataset, **_unit(dataset)) is None
    assert lake.days(DAILY) == []


def test_a_unit_without_rows_is_kept_and_reads_as_empty(lake: Lake) -> None:
    lake.write(SHARDED_DAYS, frame(), day=MONDAY)
    assert lake.days(SHARDED_DAYS) == [MONDAY]
    assert lake.scan(SHARDED_DAYS).collect().is_empty()


def test_a_write_replaces_its_unit_and_no_other(lake: Lake) -> None:
    lake.write(DAILY, frame(1), day=MONDAY)
    lake.write(DAILY, frame(2), day=TUESDAY)
    lake.write(DAILY, frame(3, 4), day=MONDAY)
    assert values(lake, DAILY, days=[MONDAY]) == [3, 4]
    assert values(lake, DAILY, days=[TUESDAY]) == [2]


def test_days_until_and_shards_choose_what_is_read(lake: Lake) -> None:
    lake.write(SHARDED_DAYS, frame(1, 2, 3, shards=[0, 2, 2]), day=MONDAY)
    lake.write(SHARDED_DAYS, frame(4, shards=[3]), day=TUESDAY)
    assert values(lake, SHARDED_DAYS) == [1, 2, 3, 4]
    assert values(lake, SHARDED_DAYS, until=MONDAY) == [1, 2, 3]
    assert values(lake, SHARDED_DAYS, days=[TUESDAY, date(2024, 1, 9)]) == [4]
    assert values(lake, SHARDED_DAYS, shards=[2, 3]) == [2, 3, 4]
    assert values(lake, SHARDED_DAYS, days=[MONDAY], shards=[3]) == []
    assert values(lake, SHARDED_DAYS, days=[]) == []


def test_a_dataset_of_shards_replaces_and_reads_them_one_by_one(lake: Lake) -> None:
    for shard in range(3):
        lake.write(SHARDS, frame(shard, shards=[shard]), shard=shard)
    lake.write(SHARDS, frame(9, shards=[1]), shard=1)
    assert values(lake, SHARDS) == [0, 9, 2]
    assert values(lake, SHARDS, shards=[1]) == [9]


@pytest.mark.parametrize("dataset", [WHOLE, DAILY, SHARDS])
def test_a_unit_must_be_named_exactly(dataset: Dataset, lake: Lake) -> None:
    for unit in ({}, {"day": MONDAY}, {"shard": 0}, {"day": MONDAY, "shard": 0}):
        if unit.keys() == _unit(dataset).keys():
            continue
        with pytest.raises(ValueError, match="is replaced by"):
            lake.write(dataset, frame(1), **unit)


def test_other_columns_are_refused_with_every_difference(lake: Lake) -> None:
    lake.write(WHOLE, frame(1))
    wrong = frame(2).with_columns(pl.col("value").cast(pl.Float32), more=pl.lit(1)).drop("tags")
    with pytest.raises(
        LakeError, match=r"more: expected absent.*tags: .*got absent.*value: expected Float64, got Float32"
    ):
        lake.write(WHOLE, wrong)
    with pytest.raises(LakeError, match="another order"):
        lake.write(WHOLE, frame(2).select(*reversed(SCHEMA)))
    assert values(lake, WHOLE) == [1]


def test_units_of_other_columns_are_read_together(lake: Lake) -> None:
    """As after an upgrade: Monday was written without `tags` and with a column that is gone since."""
    before = {**{name: dtype for name, dtype in SCHEMA.items() if name != "tags"}, "gone": pl.Int64}
    old = frame(1).drop("tags").with_columns(gone=pl.lit(7, pl.Int64))
    lake.write(Dataset(DAILY.path, before, unit="day"), old, day=MONDAY)
    assert lake.scan(DAILY).collect().schema == DAILY.empty().schema
    lake.write(DAILY, frame(2), day=TUESDAY)
    both = lake.scan(DAILY).collect()
    assert_frame_equal(both, pl.concat([frame(1).with_columns(tags=pl.lit(None, SCHEMA["tags"])), frame(2)]))
    assert lake.scan(DAILY).filter(pl.col("tags").is_null()).select("value").collect()["value"].to_list() == [1]


def test_a_column_whose_type_has_changed_is_named(lake: Lake) -> None:
    lake.write(
        Dataset(DAILY.path, {**SCHEMA, "value": pl.String}, unit="day"), frame(1).cast({"value": pl.String}), day=MONDAY
    )
    with pytest.raises(pl.exceptions.SchemaError, match="value"):
        lake.scan(DAILY).collect()


# --- content versions ---------------------------------------------------------------------------------------------


def test_the_same_content_again_changes_nothing(lake: Lake) -> None:
    first = lake.write(DAILY, frame(1, 2), day=MONDAY, made_by={"code": "1"})
    before = {path: path.stat().st_mtime_ns for path in Path(str(lake.root)).rglob("*") if path.is_file()}
    again = lake.write(DAILY, frame(1, 2), day=MONDAY, made_by={"code": "1"})
    after = {path: path.stat().st_mtime_ns for path in Path(str(lake.root)).rglob("*") if path.is_file()}
    assert (first.changed, again.changed) == (True, False)
    assert again.version == first.version
    assert after == before


def test_a_version_is_of_the_content_and_not_of_who_made_it(lake: Lake, tmp_path: Path) -> None:
    written = lake.write(WHOLE, frame(1), made_by={"run": "one"})
    other = Lake(tmp_path / "other", shards=4).write(WHOLE, frame(1), made_by={"run": "two"})
    assert written.version == other.version
    assert not lake.write(WHOLE, frame(1), made_by={"run": "two"}).changed
    manifest = lake.manifest(WHOLE)
    assert manifest is not None
    assert manifest["made_by"] == {"run": "two"}


def test_a_version_moves_with_the_days_it_is_asked_of(lake: Lake) -> None:
    lake.write(DAILY, frame(1), day=MONDAY)
    monday = lake.version(DAILY, days=[MONDAY])
    lake.write(DAILY, frame(2), day=TUESDAY)
    assert lake.version(DAILY, days=[MONDAY]) == lake.version(DAILY, until=MONDAY) == monday
    assert lake.version(DAILY) != monday
    whole = lake.version(DAILY)
    lake.write(DAILY, frame(3), day=MONDAY)
    assert lake.version(DAILY) != whole


def test_content_that_moved_to_another_shard_has_another_version(lake: Lake) -> None:
    written = lake.write(SHARDED_DAYS, frame(1, 2, shards=[0, 1]), day=MONDAY)
    moved = lake.write(SHARDED_DAYS, frame(1, 2, shards=[0, 2]), day=MONDAY)
    assert moved.changed
    assert moved.version != written.version


@pytest.mark.parametrize("cuts", [[100], [1, 150_000], [130_000]])
def test_a_version_does_not_depend_on_how_a_frame_is_chunked(cuts: list[int], lake: Lake) -> None:
    """Parquet pages follow the chunks of a large frame, which say how it came about and not what it holds."""
    whole = pl.concat([frame(1, 2)] * 150_000, rechunk=True)
    ends = [*cuts, whole.height]
    chunked = pl.concat([whole[start:end] for start, end in zip([0, *cuts], ends, strict=True)], rechunk=False)
    assert chunked.n_chunks() == len(ends)
    lake.write(WHOLE, whole)
    assert not lake.write(WHOLE, chunked).changed


# --- whole or not at all ------------------------------------------------------------------------------------------


class Crash(BaseException):
    """The process dies."""


@pytest.mark.parametrize("dies_at", [0, 1, 2])
def test_a_crash_at_any_point_of_a_write_leaves_the_old_unit(
    dies_at: int, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files and a manifest are put in place one after another; the process dies before the n-th."""
    lake.write(SHARDED_DAYS, frame(1, 2, shards=[0, 1]), day=MONDAY)
    version = lake.version(SHARDED_DAYS)
    replace, done = Path.replace, []

    def dying(self: Path, target: Path) -> Path:
        if len(done) == dies_at:
            raise Crash
        done.append(target)
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying)
        with pytest.raises(Crash):
            lake.write(SHARDED_DAYS, frame(8, 9, shards=[0, 1]), day=MONDAY)
    assert lake.version(SHARDED_DAYS) == version
    assert values(lake, SHARDED_DAYS) == [1, 2]
    assert lake.write(SHARDED_DAYS, frame(8, 9, shards=[0, 1]), day=MONDAY).changed
    assert values(lake, SHARDED_DAYS) == [8, 9]


def test_a_crash_in_writing_a_file_leaves_nothing_that_counts(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.write(DAILY, frame(1), day=MONDAY)
    with monkeypatch.context() as patch:
        patch.setattr(atomic_file.os, "fsync", lambda _: (_ for _ in ()).throw(OSError("No space left on device")))
        with pytest.raises(OSError, match="No space"):
            lake.write(DAILY, frame(2), day=MONDAY)
    assert values(lake, DAILY) == [1]
    lake.write(DAILY, frame(3), day=MONDAY)
    assert values(lake, DAILY) == [3]


def test_a_failed_write_leaves_no_scrap_behind(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.write(DAILY, frame(1), day=MONDAY)
    before = sorted(Path(str(lake.root)).rglob("*"))
    with monkeypatch.context() as patch:
        patch.setattr(atomic_file.os, "fsync", lambda _: (_ for _ in ()).throw(OSError("No space left on device")))
        with pytest.raises(OSError, match="No space"):
            lake.write_bytes("reports/report.html", b"x")
    assert [path for path in sorted(Path(str(lake.root)).rglob("*")) if path.is_file() and path not in before] == []


def test_a_day_written_shard_by_shard_is_the_same_as_at_once(lake: Lake, tmp_path: Path) -> None:
    whole = frame(1, 2, 3, 4, shards=[0, 2, 0, 3])
    parts = [(shard, whole.filter(pl.col("shard") == shard)) for shard in range(4)]  # of shard 1 there is nothing
    written = lake.write_by_shard(SHARDED_DAYS, parts, day=MONDAY, made_by={"code": "c"})
    at_once = Lake(tmp_path / "other", shards=4)
    assert written == at_once.write(SHARDED_DAYS, whole, day=MONDAY, made_by={"code": "c"})
    assert lake.parts(SHARDED_DAYS) == at_once.parts(SHARDED_DAYS)
    assert not lake.write_by_shard(SHARDED_DAYS, parts, day=MONDAY, made_by={"code": "c"}).changed
    assert lake.write_by_shard(SHARDED_DAYS, parts[:1], day=MONDAY).rows == 2
    assert values(lake, SHARDED_DAYS) == [1, 3]


def test_a_day_whose_later_shard_fails_stays_as_it_was(lake: Lake) -> None:
    lake.write(SHARDED_DAYS, frame(1, 2, shards=[0, 1]), day=MONDAY)

    def parts() -> Iterator[tuple[int, pl.DataFrame]]:
        yield 0, frame(7, shards=[0])
        raise MemoryError

    with pytest.raises(MemoryError):
        lake.write_by_shard(SHARDED_DAYS, parts(), day=MONDAY)
    assert values(lake, SHARDED_DAYS) == [1, 2]
    with pytest.raises(LakeError):
        lake.write_by_shard(SHARDED_DAYS, [(0, frame(1).drop("tags"))], day=MONDAY)


def test_a_reader_that_began_before_a_write_reads_the_old_unit_to_its_end(lake: Lake) -> None:
    lake.write(DAILY, frame(1), day=MONDAY)
    reader = lake.scan(DAILY)
    lake.write(DAILY, frame(2), day=MONDAY)
    assert reader.collect()["value"].to_list() == [1]


def test_a_reader_that_looked_before_there_was_a_lake_is_waited_for(lake: Lake, tmp_path: Path) -> None:
    early = Lake(tmp_path / "lake", shards=4)
    assert early.days(DAILY) == []
    assert early.scan(DAILY).collect().is_empty()
    lake.write(DAILY, frame(1), day=MONDAY)
    reader = early.scan(DAILY)
    for value in (2, 3, 4):
        lake.write(DAILY, frame(value), day=MONDAY)
    assert reader.collect()["value"].to_list() == [1]


def test_files_of_units_long_gone_are_removed(lake: Lake) -> None:
    for value in range(5):
        lake.write(DAILY, frame(value), day=MONDAY)
    assert len(parquet_files(lake, DAILY)) == 2


def test_a_unit_may_go_back_to_what_it_was(lake: Lake) -> None:
    for value in (1, 2, 1, 2, 2, 1):
        lake.write(DAILY, frame(value), day=MONDAY)
        assert values(lake, DAILY) == [value]


def test_files_that_no_manifest_lists_are_not_read(lake: Lake) -> None:
    lake.write(DAILY, frame(1), day=MONDAY)
    frame(7).write_parquet(Path(str(lake.root / DAILY.folder(day=MONDAY))) / "stray.parquet")
    (Path(str(lake.root / DAILY.path)) / "day=2024-02-01").mkdir()
    assert values(lake, DAILY) == [1]
    assert lake.days(DAILY) == [MONDAY]


def test_a_manifest_that_is_not_json_says_which(lake: Lake) -> None:
    lake.write(DAILY, frame(1), day=MONDAY)
    (lake.root / DAILY.folder(day=MONDAY) / MANIFEST).write_text("{")
    with pytest.raises(LakeError, match=r"day=2024-01-01/_manifest.json is not JSON"):
        lake.scan(DAILY)


def test_a_removed_day_is_gone(lake: Lake) -> None:
    lake.write(DAILY, frame(1), day=MONDAY)
    lake.write(DAILY, frame(2), day=TUESDAY)
    lake.remove(DAILY, day=MONDAY)
    assert lake.days(DAILY) == [TUESDAY]
    assert values(lake, DAILY) == [2]
    assert len(parquet_files(lake, DAILY)) == 1


def test_a_manifest_says_what_made_a_unit_and_how_much_it_holds(lake: Lake) -> None:
    written = lake.write(SHARDED_DAYS, frame(1, 2, shards=[0, 3]), day=MONDAY, made_by={"run": "r"})
    manifest = lake.manifest(SHARDED_DAYS, day=MONDAY)
    assert manifest is not None
    assert (manifest["version"], manifest["rows"], manifest["made_by"]) == (written.version, 2, {"run": "r"})
    assert [entry["rows"] for entry in manifest["files"]] == [1, 1]
    assert written.bytes == sum(path.stat().st_size for path in parquet_files(lake, SHARDED_DAYS))


def test_documents_are_written_whole(lake: Lake) -> None:
    lake.write_bytes("reports/a.json", json.dumps({"n": 1}).encode())
    place = lake.write_bytes("reports/a.json", json.dumps({"n": 2}).encode())
    assert json.loads(place.read_text()) == {"n": 2}


def test_a_place_that_cannot_tell_two_writers_apart_is_refused() -> None:
    with pytest.raises(LakeError, match="could not tell two writers apart"):
        Lake("memory://somewhere", shards=4)


operations = st.lists(
    st.tuples(st.sampled_from([MONDAY, TUESDAY]), st.lists(st.integers(0, 3), max_size=3), st.booleans()), max_size=12
)


@settings(deadline=None, max_examples=25)
@given(operations)
def test_a_lake_holds_what_was_written_last(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[date, list[int], bool]]
) -> None:
    """Against a dictionary: writes and removals in any order."""
    lake = Lake(tmp_path_factory.mktemp("lake"), shards=4)
    model: dict[date, list[int]] = {}
    for day, shards, removed in steps:
        if removed:
            lake.remove(SHARDED_DAYS, day=day)
            model.pop(day, None)
        else:
            lake.write(SHARDED_DAYS, frame(*range(len(shards)), shards=shards), day=day)
            model[day] = sorted(shards)
        assert lake.days(SHARDED_DAYS) == sorted(model)
        found = lake.scan(SHARDED_DAYS).collect()["shard"].to_list()
        assert found == [shard for held in sorted(model) for shard in model[held]]


def _unit(dataset: Dataset) -> dict[str, object]:
    return {"day": {"day": MONDAY}, "shard": {"shard": 0}, "whole": {}}[dataset.unit]
