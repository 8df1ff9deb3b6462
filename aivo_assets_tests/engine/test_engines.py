"""Every engine gives what the plain loop gives; a dead worker costs a retry, a failing shard fails by its name."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.engine import Engine, InProcess, build_engine
from aivo_assets.engine.on_ray import OnRay
from aivo_assets.engine.processes import Processes
from aivo_assets.errors import EngineError, LakeError
from aivo_assets.settings import Settings
from aivo_assets_tests.engine import work

ENGINES = ["in_process", "processes", pytest.param("ray", marks=[pytest.mark.ray, pytest.mark.slow])]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    made = build_engine(Settings(engine=request.param, engine_workers=2))
    yield made
    made.close()


def test_results_come_in_the_order_of_the_items(engine: Engine) -> None:
    assert list(engine.map(work.multiply, 3, [4, 1, 2, 9, 0])) == [12, 3, 6, 27, 0]


def test_nothing_to_do_is_done(engine: Engine) -> None:
    assert list(engine.map(work.multiply, 3, [])) == []


@given(items=st.lists(st.integers(), max_size=20), factor=st.integers())
def test_the_plain_loop_is_a_map(items: list[int], factor: int) -> None:
    assert list(InProcess().map(work.multiply, factor, items)) == [factor * item for item in items]


def test_order_holds_where_the_first_item_takes_longest(engine: Engine, tmp_path: Path) -> None:
    assert list(engine.map(work.slow_first, tmp_path, range(6))) == list(range(6))


def test_a_failing_shard_is_named_with_its_traceback(engine: Engine) -> None:
    results = []
    with pytest.raises(EngineError, match=r"shard 3 failed with ValueError: cannot halve") as caught:
        results.extend(engine.map(work.fails_at_three, None, range(6)))
    assert "fails_at_three" in caught.value.what
    assert "committed" in caught.value.fix


def test_an_error_of_ours_stays_one_of_ours(engine: Engine) -> None:
    with pytest.raises(LakeError, match="Shard 2: the day is damaged") as caught:
        list(engine.map(work.refuses_two, None, range(4)))
    assert caught.value.fix == "Materialize it again."


def test_progress_is_told(engine: Engine) -> None:
    sentences: list[str] = []
    list(engine.map(work.multiply, 1, [7, 8], say=sentences.append))
    assert sentences == ["shard 7 done, 1 of 2", "shard 8 done, 2 of 2"]


def test_what_a_worker_logs_is_in_the_log_of_the_step(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "aivo_assets"):
        list(engine.map(work.tells, None, [5]))
    assert any("folding" in record.getMessage() for record in caplog.records)


def test_a_killed_worker_costs_a_retry(tmp_path: Path) -> None:
    sentences: list[str] = []
    results = list(Processes(workers=2).map(work.dies_once, tmp_path, range(5), say=sentences.append))
    assert results == [0, 10, 20, 30, 40]
    assert any("died" in sentence for sentence in sentences)


def test_a_shard_that_always_kills_its_worker_fails_by_name() -> None:
    with pytest.raises(EngineError, match="shard 1 died 2 times"):
        list(Processes(workers=1, retries=1).map(work.always_dies, None, range(3)))


def test_both_processors_are_used() -> None:
    processes = set(Processes(workers=2).map(work.process_of, None, range(6)))
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_who_stops_reading_ends_the_workers(tmp_path: Path) -> None:
    """As a run does that is terminated: the generator is closed, and nothing goes on behind its back."""
    (tmp_path / "first").mkdir()
    before = set(psutil.Process().children())
    results = Processes(workers=2).map(work.slow_first, tmp_path / "first", range(4))
    next(results)
    workers = set(psutil.Process().children()) - before
    assert len(workers) >= 2
    results.close()
    assert psutil.wait_procs(workers, timeout=10)[1] == []


@pytest.mark.ray
@pytest.mark.slow
def test_a_killed_worker_of_ray_costs_a_retry(tmp_path: Path) -> None:
    engine = OnRay(workers=2)
    try:
        assert list(engine.map(work.dies_once, tmp_path, range(4))) == [0, 10, 20, 30]
    finally:
        engine.close()


@pytest.mark.ray
@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_named() -> None:
    engine = OnRay(address="127.0.0.1:1")
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:1"):
        list(engine.map(work.multiply, 1, [1]))
