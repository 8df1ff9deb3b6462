"""Other libraries on the same rows, where they are installed. Belongs here: how each is asked; none is a dependency.

A peer runs in a process of its own, by the interpreter that has it: what it needs may not go with what we need.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from aivo_assets.arrays import Floats
from aivo_assets.benchmarks.partitions import Part
from aivo_assets.errors import RunError, SettingsError

PEERS = {"pybkt": "pyBKT"}
# pyBKT 1.4.3 imports beside no scikit-learn from 1.9 on and fits beside no numpy from 2.4 on; with these it does.
WORKS_WITH = {"pybkt": 'pyBKT "numpy<2.3" "scikit-learn<1.8" "pandas<3"'}
_ORDER = ["learner", "day", "sequence"]
_SCRIPT = Path(__file__).with_name("peer_pybkt.py")


def predict_peer(name: str, part: Part, *, python: str = sys.executable) -> Floats:
    """Fit a peer on the training events and predict the test events.

    Args:
        name: A key of `PEERS`.
        part: Training and test; the test learners must be new.
        python: Interpreter that has the peer.

    Returns:
        float64 [test events], ascending by learner, day, sequence; where training knows no skill of a row, the share of
        right answers in training.

    Raises:
        SettingsError: There is no such peer, the interpreter cannot use it, or it cannot take up a past.
        RunError: It failed on these rows.
    """
    refuse_absent_peer(name, python=python)
    if not part.past.is_empty():
        raise SettingsError(f"{name} cannot go on from a learner's past", fix="Use --protocol learners.")
    train, test = _as_asked(part.train), _as_asked(part.test)
    with TemporaryDirectory() as folder:
        files = [str(Path(folder) / f"{file}.csv") for file in ("train", "test", "said")]
        train.write_csv(files[0])
        test.write_csv(files[1])
        done = _run(python, str(_SCRIPT), *files)
        if done.returncode != 0:
            raise RunError(
                f"{name} failed: {_last_line(done.stderr)}", fix="Leave --peer out, or report it to its authors."
            )
        probability = pl.read_csv(files[2]).sort("order_id")["correct_predictions"].cast(pl.Float64)
    base = float(part.train["correct"].cast(pl.Float64).to_numpy().mean())
    known = test["skill_name"].is_in(train["skill_name"].unique().implode())  # of others pyBKT says 0.5
    predicted = pl.select(pl.when(known).then(probability.fill_nan(None)).otherwise(None).fill_null(base)).to_series()
    return np.asarray(predicted.to_numpy(), dtype=np.float64)


def refuse_absent_peer(name: str, *, python: str = sys.executable) -> None:
    """Refuse a peer that an interpreter cannot use.

    Raises:
        SettingsError: There is no such peer, it is not installed, or it does not go with what is.
    """
    if name not in PEERS:
        raise SettingsError(f"There is no peer {name!r}", fix=f"Known are {', '.join(PEERS)}.")
    try:
        done = _run(python, "-c", f"import {PEERS[name]}.models")
    except OSError as error:
        raise SettingsError(f"--peer-python {python} cannot be started: {error}", fix="Name a Python.") from error
    if done.returncode != 0:
        raise SettingsError(
            f"{PEERS[name]} cannot be used by {python}: {_last_line(done.stderr)}",
            fix=f"Make an environment of its own (python -m venv, then pip install {WORKS_WITH[name]}) and name its "
            "python with --peer-python, or leave --peer out.",
        )


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - what the caller named


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no word"])[-1]


def _as_asked(events: pl.DataFrame) -> pl.DataFrame:
    return events.sort(_ORDER).select(
        order_id=pl.int_range(pl.len()),
        user_id="learner",
        skill_name=pl.col("skill_ids").list.sort().list.join("+"),
        correct=pl.col("correct").cast(pl.Int64),
    )
