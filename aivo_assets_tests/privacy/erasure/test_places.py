"""The table of places names everything that the platform declares, and says how a learner is taken out of it."""

from pathlib import Path

import pytest

from aivo_assets.privacy.erasure.places import PLACES, place_of
from aivo_assets_tests.lake import declared

MARTS = Path(__file__).parents[3] / "dbt_project" / "models" / "marts"
NAMES_A_LEARNER = {"learner", "learner_id", "name", "email"}
EVERY_PATH = sorted(
    {dataset.path for dataset in declared.datasets()}
    | {layered.path for layered in declared.layered()}
    | {f"marts/{file.stem}" for file in MARTS.glob("*.sql")}
)


def named(path: str) -> bool:
    """Whether a line of the table is about this very dataset, and not one that fits anything."""
    return any(place.where == "lake" and place.path == path for place in PLACES)


@pytest.mark.parametrize("path", EVERY_PATH)
def test_every_dataset_of_the_platform_has_a_line_of_its_own(path: str) -> None:
    assert named(path), f"Add {path} to PLACES in privacy/erasure/places.py: `aivo forget` must know it."


def test_no_line_names_what_does_not_exist_any_more() -> None:
    zones = {"raw", "anonymised", "marts", "features", "main_brain", "drift", "student_models", "item_bank"}
    documents = {"raw/receipts", "raw/cursors", "raw/erasure", "main_brain/cards", "drift/reports"}
    lines = {place.path for place in PLACES if place.where == "lake" and place.path.split("/")[0] in zones}
    assert lines - documents <= set(EVERY_PATH)


@pytest.mark.parametrize("dataset", declared.datasets(), ids=lambda dataset: dataset.path)
def test_a_dataset_with_a_column_of_learners_is_cleared_by_rows(dataset) -> None:  # type: ignore[no-untyped-def]
    place = place_of("lake", dataset.path)
    assert place is not None
    if NAMES_A_LEARNER & dataset.schema.keys():
        assert place.removal in ("rows", "remade")
        assert place.by


def test_a_path_belongs_to_its_nearest_line_and_what_is_unknown_to_a_pattern() -> None:
    assert place_of("lake", "raw/learners/abc.parquet").path == "raw/learners"  # type: ignore[union-attr]
    assert place_of("lake", "new_stage/rows/x.parquet").path == "*.parquet"  # type: ignore[union-attr]
    assert place_of("home", "alerts/outbox/1.json").path == "alerts"  # type: ignore[union-attr]
    assert place_of("home", "brand_new.db").removal == "masked"  # type: ignore[union-attr]
    assert place_of("database", "bulk_actions") is not None
