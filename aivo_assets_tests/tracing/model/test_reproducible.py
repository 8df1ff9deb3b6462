"""Same data, settings and seed, same predictions: to the last bit, from one process to the next."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import hashlib, sys
from pathlib import Path
from aivo_assets.tracing.model.main_brain import MadeBy, fit_main_brain
from aivo_assets.tracing.model.training import training_set
from aivo_assets_tests.tracing.small_lake import events, settings

given = settings(Path(sys.argv[1]))
made = training_set(events(learners=40, days=20).sample(fraction=1, shuffle=True, seed=int(sys.argv[2])),
                    given.features, given.training)
brain = fit_main_brain(made.table, made.split, given.training, statistics=made.statistics,
                       made_by=MadeBy(data_versions={}, code_version="c"))
for bits in (made.table.values, brain.predict(made.table)):
    print(hashlib.sha256(bits.tobytes()).hexdigest())
print(made.statistics.version, brain.fingerprint)
"""


def said(folder: Path, *, threads: int, hashing: str, shuffle: int) -> str:
    """Digests of features and predictions, and both versions, of a training in a new process."""
    limits = ("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
    environment = {**os.environ, "PYTHONHASHSEED": hashing, **dict.fromkeys(limits, str(threads))}
    command = [sys.executable, "-c", PROGRAM, str(folder), str(shuffle)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_two_processes_make_the_same_bits_whatever_their_threads_hashes_and_order_of_rows(tmp_path: Path) -> None:
    one = said(tmp_path, threads=1, hashing="1", shuffle=1)
    other = said(tmp_path, threads=2, hashing="2", shuffle=2)
    assert one == other
    assert len(set(one.split())) == 4
