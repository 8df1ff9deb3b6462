"""The lake that the settings name. Belongs here: from settings to a `Lake`, and nothing of what lies in it.

A lake says itself how many shards it has. One from before lakes did is asked by its rows.
"""

import math
from collections.abc import Iterator

import polars as pl
from upath import UPath

from aivo_assets.errors import LakeError
from aivo_assets.lake.commits.manifest import parsed
from aivo_assets.lake.lake_reader import MANIFEST, polars_options
from aivo_assets.lake.layout.made_with import RESOLUTION, Value, change_value, shards_of
from aivo_assets.lake.shards import SHARDS_OF_A_NEW_LAKE, shards_that_give
from aivo_assets.lake.storage.storage import S3Access, Storage, open_storage
from aivo_assets.lake.store import Lake
from aivo_assets.settings import Settings

_ENOUGH_FILES = 64
_ENOUGH_MOMENTS = 24  # different ones: by chance all of them are not on the full hour
_DAY_SECONDS = 86_400


def open_lake(settings: Settings) -> Lake:
    """The lake that the settings name; nothing is written yet.

    Raises:
        LakeError: It was made with other shards, or another time resolution, than the settings ask for.
    """
    access = _access(settings)
    wanted = settings.lake.shards
    _, storage = open_storage(UPath(settings.lake_url), access)
    recorded = shards_of(storage)
    shards = wanted or recorded or SHARDS_OF_A_NEW_LAKE
    if recorded is None:
        shards = _agreed(storage, wanted)
    seconds = settings.privacy.time_resolution_seconds
    if recorded is None:
        _refuse_other_resolution(storage, seconds)
    return Lake(settings.lake_url, shards=shards, access=access, made_with={RESOLUTION: time_resolution(seconds)})


def change_resolution(settings: Settings, seconds: int) -> Lake:
    """Keep another time resolution in the lake, and open it with that; what was made with the old one stays.

    Raises:
        LakeError: The lake was made with other shards than the settings ask for.
    """
    privacy = settings.privacy.model_copy(update={"time_resolution_seconds": seconds})
    access = _access(settings)
    _, storage = open_storage(UPath(settings.lake_url), access)
    if shards_of(storage) is None:
        open_lake(settings).prepare()  # a lake from before lakes kept it
    change_value(storage, RESOLUTION, seconds)
    return open_lake(settings.model_copy(update={"privacy": privacy}))


def time_resolution(seconds: int) -> Value:
    """The time resolution as something that a lake is made with."""
    return Value(
        seconds,
        "the time resolution (AIVO_PRIVACY_TIME_RESOLUTION_SECONDS)",
        f"Set it back; or, if the new one is wanted, run `aivo lake resolution {seconds}`: the lake takes it; you are"
        " told how to make the derived days again.",
    )


def _agreed(storage: Storage, wanted: int | None) -> int:
    """The number of shards of a lake that does not say it.

    Raises:
        LakeError: Its rows say another number than the settings.
    """
    rows = _sharded_rows(storage)
    if rows is None:
        return wanted or SHARDS_OF_A_NEW_LAKE
    possible = shards_that_give(rows.select("learner", "shard").unique())
    asked = wanted or SHARDS_OF_A_NEW_LAKE
    if asked in possible:
        return asked
    if wanted is None and len(possible) == 1:
        return possible[0]
    numbers = ", ".join(map(str, possible[:3])) or "unknown"
    raise LakeError(
        f"The lake at {storage.location('')} was made with another number of shards: {numbers} by its rows,"
        f" {asked} by AIVO_LAKE_SHARDS",
        fix=f"Set AIVO_LAKE_SHARDS={numbers.split(', ', maxsplit=1)[0]}; `aivo lake reshard {asked}` changes it then.",
    )


def _refuse_other_resolution(storage: Storage, seconds: int) -> None:
    """Refuse a lake that does not say its time resolution and whose rows show another one.

    Raises:
        LakeError: They do.
    """
    rows = _sharded_rows(storage)
    if rows is None or rows.is_empty():
        return
    moments = (rows["occurred_at"].dt.epoch("s") % _DAY_SECONDS).unique()
    resolution = math.gcd(_DAY_SECONDS, *moments.to_list())
    if resolution % seconds or (resolution > seconds and len(moments) >= _ENOUGH_MOMENTS):
        wanted = time_resolution(seconds)
        raise LakeError(
            f"The lake at {storage.location('')} was made with another value of {wanted.meaning}: {resolution} by its"
            f" rows, {seconds} in the settings",
            fix=wanted.way_out,
        )


def _sharded_rows(storage: Storage) -> pl.DataFrame | None:
    """learner, shard and occurred_at of some anonymised answers; None where there are none."""
    files: list[str] = []
    for place in _newest_manifests(storage):
        document = storage.read(place)
        entries = [] if document is None else parsed(document.content, place)["files"]
        folder = place.removesuffix(MANIFEST)
        files += [folder + entry["path"] for entry in entries if str(entry["path"]).startswith("shard=")]
        if len(files) >= _ENOUGH_FILES:
            break
    if not files:
        return None
    locations = [storage.location(file) for file in files[:_ENOUGH_FILES]]
    rows = pl.scan_parquet(locations, hive_partitioning=False, glob=False, storage_options=polars_options(storage))
    return rows.select("learner", "shard", "occurred_at").collect()


def _newest_manifests(storage: Storage) -> Iterator[str]:
    """Manifests of the anonymised answers' days, the newest first: every lake with shards has some."""
    path = "anonymised/interactions"
    for day in reversed(storage.folders(path, "day=")):
        yield f"{path}/{day}/{MANIFEST}"


def _access(settings: Settings) -> S3Access:
    lake = settings.lake
    return S3Access(
        endpoint=lake.endpoint,
        key=None if lake.key is None else lake.key.get_secret_value(),
        secret=None if lake.secret is None else lake.secret.get_secret_value(),
        region=lake.region,
    )
