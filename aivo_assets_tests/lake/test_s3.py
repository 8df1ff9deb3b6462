"""A lake in an S3 store, on a real server: moto's in the quick suite, Ceph's gateway in the slow one."""

import multiprocessing as mp
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path

import deltalake
import polars as pl
import pytest
from botocore.awsrequest import AWSRequest

from aivo_assets.errors import LakeError
from aivo_assets.lake import Dataset, Lake
from aivo_assets.lake.commits.reading_marks import MARK
from aivo_assets.lake.delta import publish, standing, unpublish
from aivo_assets.lake.storage.s3_storage import S3Storage, s3_root
from aivo_assets.lake.storage.storage import S3Access
from aivo_assets.warehouse.kept_marts import keep_marts
from aivo_assets_tests import s3_servers
from aivo_assets_tests.lake import declared, hammer

DAYS = Dataset("things/by_day", {"name": pl.String, "count": pl.Int64}, unit="day")
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


@pytest.fixture(scope="module", params=["moto", pytest.param("ceph", marks=pytest.mark.slow)])
def access(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Access]:
    if request.param == "ceph" and (why := s3_servers.why_no_ceph()):
        pytest.skip(why)
    server = {"moto": s3_servers.moto, "ceph": s3_servers.ceph}[request.param]
    with server(tmp_path_factory.mktemp(request.param)) as reached:
        yield reached


@pytest.fixture
def root(request: pytest.FixtureRequest) -> str:
    return f"s3://{s3_servers.BUCKET}/{request.node.name.replace('[', '-').replace(']', '')}"


@pytest.fixture
def environment(access: S3Access, monkeypatch: pytest.MonkeyPatch) -> None:
    """For processes that are told nothing but the lake's address."""
    assert access.endpoint
    assert access.key
    assert access.secret
    monkeypatch.setenv("AWS_ENDPOINT_URL", access.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", access.secret)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")


def things(*names: str) -> pl.DataFrame:
    return pl.DataFrame({"name": list(names), "count": [len(name) for name in names]}, schema=dict(DAYS.schema))


def test_what_is_written_is_read_replaced_and_removed(access: S3Access, root: str) -> None:
    lake = Lake(root, shards=4, access=access)
    lake.write(DAYS, things("pear", "fig"), day=MONDAY)
    lake.write(DAYS, things("plum"), day=TUESDAY)
    assert lake.days(DAYS) == [MONDAY, TUESDAY]
    assert lake.scan(DAYS, days=[MONDAY]).collect().equals(things("pear", "fig"))
    lake.write(DAYS, things("quince"), day=MONDAY)
    assert lake.scan(DAYS).collect().equals(things("quince", "plum"))
    lake.remove(DAYS, day=TUESDAY)
    assert lake.scan(DAYS).collect().equals(things("quince"))


def test_the_same_content_has_the_version_that_a_folder_gives_it(access: S3Access, root: str, tmp_path: Path) -> None:
    lakes = [Lake(root, shards=4, access=access), Lake(tmp_path / "lake", shards=4)]
    for lake in lakes:
        lake.write(DAYS, things("medlar", "sloe"), day=MONDAY)
        lake.update(DAYS, lambda before: pl.concat([before, things("rowan")]), day=MONDAY)
    assert lakes[0].version(DAYS) == lakes[1].version(DAYS)


def test_a_process_sees_what_another_wrote_after_it_had_listed(access: S3Access, root: str) -> None:
    lake = Lake(root, shards=4, access=access)
    lake.write(DAYS, things("pear"), day=MONDAY)
    assert lake.days(DAYS) == [MONDAY]
    with ProcessPoolExecutor(1, mp_context=mp.get_context("spawn")) as other:
        other.submit(write_tuesday, root, access).result(timeout=60)
    assert lake.days(DAYS) == [MONDAY, TUESDAY]


def write_tuesday(root: str, access: S3Access) -> None:
    Lake(root, shards=4, access=access).write(DAYS, things("plum"), day=TUESDAY)


def test_rewriting_leaves_the_files_of_two_generations(access: S3Access, root: str) -> None:
    lake = Lake(root, shards=4, access=access)
    for names in ("ash", "birch", "cedar", "elder", "fir", "holly"):
        lake.write(DAYS, things(names), day=MONDAY)
    files = lake.storage.files(DAYS.folder(day=MONDAY), "")
    assert len([name for name in files if name.endswith(".parquet")]) <= 2
    assert lake.scan(DAYS).collect().equals(things("holly"))


@pytest.mark.usefixtures("environment")
def test_two_processes_lose_nothing(root: str) -> None:
    some = tuple(dataset for dataset in declared.datasets() if dataset.sharded or dataset.unit == "batch")[:3]
    work = hammer.Work(root, some, declared.layered()[:1], seconds=3)
    hammer.begin(work)
    assert hammer.hammered(work) == []


@pytest.mark.slow
@pytest.mark.chaos
@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("dataset", declared.datasets(), ids=lambda dataset: dataset.path)
def test_two_processes_hammer_a_dataset(dataset: Dataset, root: str) -> None:
    assert hammer.hammered(hammer.Work(root, (dataset,), (), seconds=5)) == []


def test_a_store_that_ignores_preconditions_is_refused(access: S3Access, root: str) -> None:
    place = s3_root(root, access)
    storage = S3Storage(place, access)
    storage.refuse_without_preconditions()
    session = storage._fs.s3.meta.events
    session.register("before-sign.s3.PutObject", _without_preconditions)
    try:
        with pytest.raises(LakeError, match="ignores If-Match or If-None-Match"):
            storage.refuse_without_preconditions()
    finally:
        session.unregister("before-sign.s3.PutObject", _without_preconditions)


def _without_preconditions(request: AWSRequest, **_: object) -> None:
    """What a store that ignores them would see: no precondition reaches it."""
    for name in ("If-Match", "If-None-Match"):
        if name in request.headers:
            del request.headers[name]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"secret": "another"}, "refuses these credentials"),
        ({"key": "nobody"}, "refuses these credentials"),
    ],
)
def test_wrong_credentials_are_named(
    access: S3Access, root: str, change: dict[str, str], message: str, request: pytest.FixtureRequest
) -> None:
    if "moto" in request.node.name:
        pytest.skip("moto lets everybody in")
    wrong = S3Access(**{**access.__dict__, **change})
    with pytest.raises(LakeError, match=message):
        Lake(root, shards=4, access=wrong).write(DAYS, things("pear"), day=MONDAY)


def test_a_bucket_that_is_not_there_is_named(access: S3Access) -> None:
    with pytest.raises(LakeError, match="There is no bucket nowhere"):
        Lake("s3://nowhere/lake", shards=4, access=access).write(DAYS, things("pear"), day=MONDAY)


def test_a_store_that_is_away_is_named(access: S3Access) -> None:
    away = S3Access("http://127.0.0.1:9", access.key, access.secret)
    with pytest.raises(LakeError, match=r"The object store at http://127\.0\.0\.1:9 cannot be reached"):
        Lake(f"s3://{s3_servers.BUCKET}/lake", shards=4, access=away).days(DAYS)


def test_a_delta_table_over_an_object_store_is_read_by_others_and_its_files_are_kept(
    access: S3Access, root: str, environment: None
) -> None:
    lake = Lake(root, shards=4, access=access)
    lake.write(DAYS, things("pear", "fig"), day=MONDAY)
    assert publish(lake, DAYS).version == 0
    for fruit in ("medlar", "quince", "sloe"):
        lake.storage.remove([MARK])
        lake.write(DAYS, things(fruit), day=MONDAY)
    table = deltalake.DeltaTable(f"{root}/{DAYS.path}")
    assert sorted(table.to_pyarrow_dataset().to_table()["name"].to_pylist()) == ["fig", "pear"]
    assert publish(lake, DAYS).version == 1
    assert pl.scan_delta(f"{root}/{DAYS.path}").collect().equals(things("sloe"))
    assert standing(lake, DAYS).differing == ()
    assert unpublish(lake, DAYS)
    assert not deltalake.DeltaTable.is_deltatable(f"{root}/{DAYS.path}")


def test_a_mart_in_an_object_store_gets_a_name_that_stays(access: S3Access, root: str) -> None:
    lake = Lake(root, shards=4, access=access)
    for fruit in ("pear", "fig"):
        with lake.root.joinpath("marts/fruit.parquet").open("wb") as file:
            things(fruit).write_parquet(file)
        (mart,) = keep_marts(lake)
        assert lake.scan(mart).collect().equals(things(fruit))
        assert publish(lake, mart).changed
    assert not publish(lake, keep_marts(lake)[0]).changed
