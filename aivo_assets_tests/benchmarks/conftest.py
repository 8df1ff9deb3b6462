"""What every test of the benchmarks runs under."""

from collections.abc import Iterator

import lightgbm  # noqa: F401 - its OpenMP must be loaded before it can be limited
import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """OpenMP threads that wait for each other spin; on a busy machine that makes small fits forty times slower."""
    with threadpool_limits(limits=1, user_api="openmp"):
        yield
