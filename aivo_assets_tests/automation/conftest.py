"""An instance and an empty lake of its own for every test of what happens by itself."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from aivo_assets.lake import Lake


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    folder = tmp_path / "dagster"
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        yield instance


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """One instance for all tests of a module."""
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance:
        yield instance


@pytest.fixture
def emptied(kept: dg.DagsterInstance) -> dg.DagsterInstance:
    """The same instance for every test of a module, empty for each: for many tests of runs alone."""
    kept.wipe()
    return kept


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", shards=2)
