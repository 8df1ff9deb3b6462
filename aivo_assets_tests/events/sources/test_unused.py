"""A setting that the chosen source cannot use is said, never ignored."""

import pytest

from aivo_assets.events.sources.unused import USED_BY, unused_settings
from aivo_assets.settings import SourceSettings


def test_every_setting_of_a_source_belongs_to_a_kind() -> None:
    assert set(USED_BY) == set(SourceSettings.model_fields)
    assert all(USED_BY.values())


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("datashop", {"skill_separator": "|"}, "AIVO_SOURCE_SKILL_SEPARATOR=| is not used by the source datashop: "),
        ("datashop", {"columns": {"learner_id": "x"}}, 'AIVO_SOURCE_COLUMNS={"learner_id": "x"} is not used'),
        ("assistments", {"timezone": "Asia/Tokyo"}, "an order and no times"),
        ("csv", {"skill_model": "KTracedSkills"}, "AIVO_SOURCE_SKILL_MODEL=KTracedSkills is not used"),
        ("postgres", {"learner_path": "l.csv"}, "AIVO_SOURCE_LEARNER_TABLE"),
        ("parquet", {"path": "a.parquet", "encoding": "cp1252"}, "always UTF-8"),
        ("simulator", {"path": "a.csv"}, "AIVO_SOURCE_PATH=a.csv is not used"),
    ],
)
def test_a_setting_that_is_not_used_is_named_with_its_value(kind: str, given: dict[str, object], said: str) -> None:
    (sentence,) = unused_settings(SourceSettings(kind=kind, **given))
    assert said in sentence


def test_a_database_address_is_never_shown() -> None:
    (sentence,) = unused_settings(SourceSettings(kind="csv", url="postgresql://me:hidden@host/db"))
    assert sentence == "AIVO_SOURCE_URL is not used by the source csv."


def test_settings_that_are_used_or_at_their_default_are_not_named() -> None:
    used = SourceSettings(kind="csv", path="a.csv", skill_separator="~~", timezone="Asia/Tokyo", encoding="cp1252")
    assert unused_settings(used) == []
    assert unused_settings(SourceSettings(kind="datashop", skill_separator=";")) == []
    assert unused_settings(SourceSettings(kind="parquet", path="a.csv.gz", encoding="cp1252")) == []
