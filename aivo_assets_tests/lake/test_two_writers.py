"""Two processes write every dataset that there is, and a third one reads: nothing is lost, no reader sees an error."""

import os
from pathlib import Path

import pytest

from aivo_assets_tests.lake import declared, hammer

CHAOS_SECONDS = float(os.environ.get("AIVO_TEST_HAMMER_SECONDS", "60"))


def test_the_walk_finds_datasets_of_every_kind() -> None:
    units = {dataset.unit for dataset in declared.datasets()}
    assert units == {"whole", "day", "batch"}
    assert any(dataset.sharded for dataset in declared.datasets())
    assert declared.layered()


def test_two_processes_on_every_dataset_lose_nothing(tmp_path: Path) -> None:
    work = hammer.Work(str(tmp_path / "lake"), declared.datasets(), declared.layered(), seconds=4)
    hammer.begin(work)
    assert hammer.hammered(work) == []


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.parametrize("dataset", declared.datasets(), ids=lambda dataset: dataset.path)
def test_two_processes_hammer_a_dataset(dataset: hammer.Dataset, tmp_path: Path) -> None:
    assert hammer.hammered(hammer.Work(str(tmp_path / "lake"), (dataset,), (), CHAOS_SECONDS)) == []


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.parametrize("layered", declared.layered(), ids=lambda layered: layered.path)
def test_two_processes_hammer_layers(layered: hammer.Layered, tmp_path: Path) -> None:
    work = hammer.Work(str(tmp_path / "lake"), (), (layered,), CHAOS_SECONDS)
    hammer.begin(work)
    assert hammer.hammered(work) == []
