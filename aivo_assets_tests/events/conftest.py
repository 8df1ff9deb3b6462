"""Fixtures of the events tests: the present, a lake, and a real PostgreSQL server."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aivo_assets.lake import Lake

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", shards=4)
