"""A main brain as a folder of files, and back. Belongs here: writing, reading, verifying; not where the folder lies.

The trees are LightGBM's plain text; tables are Parquet; the rest is JSON. Loading runs no code from a file.
`manifest.json` lists the SHA-256 of every other file, so that a model is loaded as it was saved or not at all.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from aivo_assets.arrays import Floats
from aivo_assets.errors import ModelError
from aivo_assets.tracing.fold.schema import FeatureSchema
from aivo_assets.tracing.fold.statistics import Statistics
from aivo_assets.tracing.model.calibration import Calibration
from aivo_assets.tracing.model.main_brain import MadeBy, MainBrain, Summary
from aivo_assets.tracing.model.trees.trees import Trees

FORMAT = 2
MANIFEST = "manifest.json"
DESCRIPTION = "main_brain.json"

MOST_KEPT = 2
"""Models that a process keeps of what it has read: the champion, and whom it is compared with."""
_made: dict[str, tuple[MainBrain, tuple[float, ...]]] = {}  # by the SHA-256 of the manifest, which names all the others

_AGAIN = "Train the model again, or roll back to an earlier version (aivo registry rollback)."


class _Description(BaseModel):
    """Everything of a main brain that is neither trees nor tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature_names: tuple[str, ...]
    feature_hash: str
    calibration: Calibration
    parameters: dict[str, Any]
    made_by: MadeBy
    summary: Summary
    estimators: int
    statistics_version: str
    probe: tuple[float, ...]


def save(brain: MainBrain, folder: Path) -> str:
    """Write a model into a new folder and return the SHA-256 of its manifest, by which `load` knows it again.

    Raises:
        FileExistsError: The folder exists; a stored model is never changed.
    """
    description = _Description(
        feature_names=brain.schema.names,
        feature_hash=brain.schema.hash,
        calibration=brain.calibration,
        parameters=brain.parameters,
        made_by=brain.made_by,
        summary=brain.summary,
        estimators=len(brain.estimators),
        statistics_version=brain.statistics.version,
        probe=tuple(_probe(brain).tolist()),
    )
    contents = {DESCRIPTION: description.model_dump_json(indent=1).encode()}
    contents |= {f"statistics_{name}.parquet": _parquet(table) for name, table in brain.statistics.to_frames().items()}
    contents |= {f"trees_{place}.txt": trees.text.encode() for place, trees in enumerate(brain.estimators)}
    manifest = {"format": FORMAT, "files": {name: _sha256(content) for name, content in contents.items()}}
    contents[MANIFEST] = json.dumps(manifest, indent=1, sort_keys=True).encode()
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return _sha256(contents[MANIFEST])


def load(folder: Path, *, digest: str | None = None) -> MainBrain:
    """Read a model back.

    Its files are verified each time; what was made of the same files before in this process is given again.

    Args:
        folder: Where it was saved.
        digest: What `save` returned; without it the manifest itself is taken on trust.

    Raises:
        ModelError: A file is missing or is not the one that was saved (the message names it), or the installed
            libraries no longer predict from it what it predicted when it was saved.
    """
    contents = verified(folder, digest=digest)
    same = _sha256(contents[MANIFEST])
    if same not in _made:
        _made[same] = _made_of(contents, folder)
        while len(_made) > MOST_KEPT:
            del _made[next(iter(_made))]
    brain, predicted = _made[same]
    if not np.allclose(_probe(brain), predicted, rtol=0, atol=1e-9):
        raise ModelError(f"The model in {folder} predicts otherwise than when it was saved", fix=_AGAIN)
    return brain


def _made_of(contents: dict[str, bytes], folder: Path) -> tuple[MainBrain, tuple[float, ...]]:
    """The model, and what it predicted when it was saved."""
    try:
        description = _Description.model_validate_json(contents[DESCRIPTION])
    except ValidationError as error:
        raise ModelError(f"This code cannot read the model's {folder / DESCRIPTION}: {error}", fix=_AGAIN) from error
    brain = MainBrain(
        schema=FeatureSchema(names=description.feature_names, hash=description.feature_hash),
        estimators=tuple(Trees(contents[f"trees_{place}.txt"].decode()) for place in range(description.estimators)),
        calibration=description.calibration,
        statistics=_statistics(contents, description),
        parameters=description.parameters,
        made_by=description.made_by,
        summary=description.summary,
    )
    return brain, description.probe


def verified(folder: Path, *, digest: str | None = None) -> dict[str, bytes]:
    """The files of a stored model with its manifest, by name, each with the SHA-256 that it was saved with.

    Raises:
        ModelError: A file is missing or is not the one that was saved; the message names it.
    """
    manifest_bytes = _read(folder / MANIFEST, digest)
    try:
        manifest = json.loads(manifest_bytes)
        files: dict[str, str] = manifest["files"]
        written_in = manifest["format"]
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"The model's {folder / MANIFEST} is not a manifest: {error}", fix=_AGAIN) from error
    if written_in != FORMAT:
        raise ModelError(f"The model in {folder} has format {written_in}, this code reads {FORMAT}", fix=_AGAIN)
    return {MANIFEST: manifest_bytes, **{name: _read(folder / name, expected) for name, expected in files.items()}}


def _read(path: Path, expected: str | None) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"The model's file {path} cannot be read: {error.strerror}", fix=_AGAIN) from error
    if expected is not None and _sha256(content) != expected:
        raise ModelError(
            f"The model's file {path} is corrupt: its SHA-256 is {_sha256(content)}, saved was {expected}", fix=_AGAIN
        )
    return content


def _statistics(contents: dict[str, bytes], description: _Description) -> Statistics:
    tables = {
        name.removeprefix("statistics_").removesuffix(".parquet"): pl.read_parquet(io.BytesIO(content))
        for name, content in contents.items()
        if name.endswith(".parquet")
    }
    statistics = Statistics.from_frames(tables)
    if statistics.version != description.statistics_version:
        raise ModelError(
            f"The model's statistics have version {statistics.version}, saved was {description.statistics_version}: "
            "this code reads them otherwise",
            fix=_AGAIN,
        )
    return statistics


def _parquet(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd", compression_level=1)
    return buffer.getvalue()


def _probe(brain: MainBrain) -> Floats:
    """Logits of the trees at fixed made-up rows: they show whether other libraries read the same trees."""
    random = np.random.default_rng(0)
    shape = (64, len(brain.schema.names))
    rows = (random.normal(size=shape) * 10.0 ** random.uniform(-2, 3, size=shape)).astype(np.float32)
    logits: Floats = np.stack([trees.decision_function(rows) for trees in brain.estimators]).mean(axis=0)
    return logits


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
