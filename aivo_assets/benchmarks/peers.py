"""Other libraries on the same rows, where they are installed. Belongs here: how each is asked; none is a dependency."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl

from aivo_assets.benchmarks.partitions import Part
from aivo_assets.errors import SettingsError
from aivo_assets.tracing.scores import Floats

PEERS = {"pybkt": "pyBKT"}
_ORDER = ["learner", "day", "sequence"]


def predict_peer(name: str, part: Part) -> Floats:
    """Fit a peer on the training events and predict the test events.

    Args:
        name: A key of `PEERS`.
        part: Training and test; the test learners must be new.

    Returns:
        float64 [test events], ascending by learner, day, sequence.

    Raises:
        SettingsError: There is no such peer, it is not installed, or it cannot take up a past.
    """
    refuse_absent_peer(name)
    if not part.past.is_empty():
        raise SettingsError(f"{name} cannot go on from a learner's past", fix="Use --protocol learners.")
    return _predict_pybkt(part)


def refuse_absent_peer(name: str) -> None:
    """Refuse a peer that cannot run here.

    Raises:
        SettingsError: There is no such peer, or it is not installed.
    """
    if name not in PEERS:
        raise SettingsError(f"There is no peer {name!r}", fix=f"Known are {', '.join(PEERS)}.")
    if find_spec(PEERS[name]) is None:
        raise SettingsError(f"{PEERS[name]} is not installed", fix=f"pip install {PEERS[name]}, or leave --peer out.")


def _predict_pybkt(part: Part) -> Floats:
    """Bayesian knowledge tracing of each combination of skills (Corbett and Anderson 1995; Badrinath et al. 2021)."""
    from pyBKT.models import Model  # type: ignore[import-not-found]  # noqa: PLC0415 - no dependency

    model: Any = Model(seed=0, num_fits=1)
    columns = {"order_id": "order_id", "user_id": "user_id", "skill_name": "skill_name", "correct": "correct"}
    model.fit(data=_as_asked(part.train).to_pandas(), defaults=columns)
    test = _as_asked(part.test).to_pandas()
    said = pl.from_pandas(model.predict(data=test)[["order_id", "correct_predictions"]]).sort("order_id")
    base = float(part.train["correct"].cast(pl.Float64).to_numpy().mean())
    predicted = said["correct_predictions"].cast(pl.Float64).fill_nan(None)
    return np.asarray(predicted.fill_null(base).to_numpy(), dtype=np.float64)  # null: training does not know the skill


def _as_asked(events: pl.DataFrame) -> pl.DataFrame:
    return events.sort(_ORDER).select(
        order_id=pl.int_range(pl.len()),
        user_id="learner",
        skill_name=pl.col("skill_ids").list.sort().list.join("+"),
        correct=pl.col("correct").cast(pl.Int64),
    )
