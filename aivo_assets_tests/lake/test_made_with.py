"""A lake knows what it was made with: other shards, another time resolution and another key are refused at once."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.errors import LakeError, PrivacyError
from aivo_assets.events.schema import RAW_INTERACTIONS, Event
from aivo_assets.lake import Dataset, Lake, open_lake
from aivo_assets.lake.layout.made_with import LAKE
from aivo_assets.lake.opening import change_resolution
from aivo_assets.privacy.anonymise import anonymise_interactions
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.lake_key import keep_key, key_of_lake, refuse_other_settings
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings

WHOLE = Dataset("zone/whole", {"value": pl.Int64})
DAY = date(2026, 2, 3)
KEY, OTHER = "k" * 40, "another key, as long as it has to be"


def settings(home: Path, *, shards: int | None = None, seconds: int = 60, key: str = KEY) -> Settings:
    return Settings.model_validate(
        {
            "home": home,
            "pseudonym_key": key,
            "lake": {"shards": shards},
            "privacy": {"time_resolution_seconds": seconds},
        }
    )


def made(home: Path, *, shards: int = 3, seconds: int = 60, learners: int = 40) -> Settings:
    """A lake with a raw and an anonymised day."""
    chosen = settings(home, shards=shards, seconds=seconds)
    lake, key = open_lake(chosen), PseudonymKey(KEY)
    begin = datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=UTC)
    raw = pl.DataFrame(
        {
            "event_id": [f"e{n}" for n in range(learners)],
            "learner_id": [f"pupil {n}" for n in range(learners)],
            "item_id": "i",
            "skill_ids": [["s"]] * learners,
            "subject": "m",
            "occurred_at": [begin + timedelta(seconds=77 * n) for n in range(learners)],
            "correct": 1,
        }
    )
    columns = [
        pl.col(name).cast(dtype) if name in raw.columns else pl.lit(None).cast(dtype).alias(name)
        for name, dtype in Event.create_empty().schema.items()
    ]
    lake.write(RAW_INTERACTIONS, raw.select(columns), day=DAY)
    keep_key(lake, key)
    events = anonymise_interactions(lake.scan(RAW_INTERACTIONS), key, chosen.privacy, lake.shards)
    lake.write(ANONYMISED_INTERACTIONS, events, day=DAY)
    return chosen


def contents(home: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (home / "lake").rglob("*") if path.is_file()}


def forget(home: Path) -> None:
    """As a lake that was made before lakes kept what they were made with."""
    (home / "lake" / LAKE).unlink()


def test_other_shards_are_refused_with_both_numbers_and_the_way_out(tmp_path: Path) -> None:
    Lake(tmp_path, shards=6).write(WHOLE, pl.DataFrame({"value": [1]}))
    with pytest.raises(LakeError, match=r"made with 6 shards.* asks for 5") as refused:
        Lake(tmp_path, shards=5)
    assert "aivo lake reshard 5" in refused.value.fix
    assert Lake(tmp_path, shards=6).scan(WHOLE).collect().height == 1


def test_a_lake_that_another_process_made_meanwhile_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    early = Lake(tmp_path, shards=5)
    Lake(tmp_path, shards=6).write(WHOLE, pl.DataFrame({"value": [1]}))
    with pytest.raises(LakeError, match=r"made with 6 shards"):
        early.write(WHOLE, pl.DataFrame({"value": [2]}))
    assert Lake(tmp_path, shards=6).scan(WHOLE).collect()["value"].to_list() == [1]


def test_without_a_setting_the_number_of_shards_is_what_the_lake_has(tmp_path: Path) -> None:
    made(tmp_path, shards=7)
    assert open_lake(settings(tmp_path)).shards == 7
    assert open_lake(settings(tmp_path / "new")).shards == 4


@pytest.mark.parametrize("asked", [1, 2, 6, 12])
def test_a_lake_that_does_not_say_its_shards_is_asked_by_its_rows(tmp_path: Path, asked: int) -> None:
    made(tmp_path, shards=3)
    forget(tmp_path)
    assert open_lake(settings(tmp_path)).shards == 3
    assert open_lake(settings(tmp_path, shards=3)).shards == 3
    with pytest.raises(LakeError, match=f"3 by its rows, {asked} by AIVO_LAKE_SHARDS"):
        open_lake(settings(tmp_path, shards=asked))


def test_another_time_resolution_is_refused_and_may_be_taken(tmp_path: Path) -> None:
    made(tmp_path, shards=3, seconds=300)
    with pytest.raises(LakeError, match=r"300 there, 3600 in the settings") as refused:
        open_lake(settings(tmp_path, seconds=3600))
    assert "aivo lake resolution 3600" in refused.value.fix
    assert change_resolution(settings(tmp_path, seconds=3600), 3600).days(ANONYMISED_INTERACTIONS) == [DAY]
    open_lake(settings(tmp_path, seconds=3600))
    with pytest.raises(LakeError, match=r"3600 there, 300 in the settings"):
        open_lake(settings(tmp_path, seconds=300))


@pytest.mark.parametrize("asked", [7, 3600])
def test_a_lake_that_does_not_say_its_resolution_is_asked_by_its_rows(tmp_path: Path, asked: int) -> None:
    made(tmp_path, seconds=60)
    forget(tmp_path)
    open_lake(settings(tmp_path, seconds=60))
    with pytest.raises(LakeError, match="60 by its rows"):
        open_lake(settings(tmp_path, seconds=asked))


def test_another_key_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    made(tmp_path)
    other, before = settings(tmp_path, key=OTHER), contents(tmp_path)
    with pytest.raises(PrivacyError, match="not the key that the lake"):
        key_of_lake(other, create=False)
    with pytest.raises(PrivacyError, match="not the key that the lake"):
        refuse_other_settings(other)
    assert contents(tmp_path) == before
    assert key_of_lake(settings(tmp_path), create=False) == PseudonymKey(KEY)
    assert KEY not in (tmp_path / "lake" / LAKE).read_text()


def test_a_lake_that_does_not_say_its_key_is_asked_by_its_rows(tmp_path: Path) -> None:
    made(tmp_path)
    forget(tmp_path)
    with pytest.raises(PrivacyError, match="carry other pseudonyms"):
        key_of_lake(settings(tmp_path, key=OTHER), create=False)
    key_of_lake(settings(tmp_path), create=False)


def test_a_later_format_and_a_broken_document_say_what_to_do(tmp_path: Path) -> None:
    made(tmp_path)
    document = tmp_path / "lake" / LAKE
    document.write_text(json.dumps(json.loads(document.read_text()) | {"format": 99}))
    with pytest.raises(LakeError, match="format 99"):
        open_lake(settings(tmp_path))
    document.write_text("{")
    with pytest.raises(LakeError, match="cannot be read"):
        open_lake(settings(tmp_path))
