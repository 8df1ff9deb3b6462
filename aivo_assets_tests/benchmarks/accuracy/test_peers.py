"""Another library is asked in its own interpreter, or it is said why it cannot be."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aivo_assets.benchmarks.accuracy.peers import predict_peer, refuse_absent_peer
from aivo_assets.benchmarks.partitions import part_by_time, parts_by_learner
from aivo_assets.errors import SettingsError
from aivo_assets.tracing.model.scores import Scores
from aivo_assets_tests.benchmarks.practice import practice

PYTHON = os.environ.get("AIVO_PYBKT_PYTHON", sys.executable)


def usable() -> bool:
    if "AIVO_PYBKT_PYTHON" not in os.environ and importlib.util.find_spec("pyBKT") is None:
        return False
    return subprocess.run([PYTHON, "-c", "import pyBKT.models"], capture_output=True, check=False).returncode == 0


def test_an_interpreter_without_it_is_refused_with_a_way_to_have_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be started"):
        refuse_absent_peer("pybkt", python=str(tmp_path / "python"))
    if importlib.util.find_spec("pyBKT") is None:
        with pytest.raises(SettingsError, match="ModuleNotFoundError: No module named 'pyBKT'") as refused:
            refuse_absent_peer("pybkt")
        assert "--peer-python" in refused.value.fix
        assert "numpy<2.3" in refused.value.fix


@pytest.mark.skipif(not usable(), reason="no interpreter with a working pyBKT; name one with AIVO_PYBKT_PYTHON")
def test_it_predicts_every_row_and_the_usual_share_where_it_knows_no_skill() -> None:
    (part,) = parts_by_learner(practice(60), folds=3, seed=0, only=0)
    said = predict_peer("pybkt", part, python=PYTHON)
    correct = part.test.sort("learner", "day", "sequence")["correct"].cast(pl.Float64).to_numpy()
    base = part.train["correct"].cast(pl.Float64).to_numpy().mean()
    assert Scores.of(correct, said).log_loss < Scores.of(correct, np.full(correct.size, base)).log_loss

    strange = part.test.with_columns(skill_ids=pl.lit(["of another school"], pl.List(pl.String)))
    unknown = predict_peer("pybkt", type(part)("x", part.train, part.past, strange), python=PYTHON)
    assert np.unique(unknown).tolist() == [base]

    with pytest.raises(SettingsError, match="cannot go on from a learner's past"):
        predict_peer("pybkt", part_by_time(practice(30)), python=PYTHON)
