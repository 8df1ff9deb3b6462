"""A stored main brain comes back as it was, or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest

from aivo_assets.errors import ModelError
from aivo_assets.tracing.model.artefact import load, save
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets_tests.tracing.synthetic_school import QUICK, School, school


@pytest.fixture(scope="module")
def taught() -> tuple[School, MainBrain]:
    made = school(days=20)
    return made, made.fit(QUICK.model_copy(update={"models": 2}))


FILES = [
    "main_brain.json",
    "statistics_items.parquet",
    "statistics_skill_sets.parquet",
    "statistics_skills.parquet",
    "statistics_totals.parquet",
    "trees_0.txt",
    "trees_1.txt",
]


def test_it_predicts_the_same_bits_after_storing(taught: tuple[School, MainBrain], tmp_path: Path) -> None:
    made, brain = taught
    digest = save(brain, tmp_path / "model")
    again = load(tmp_path / "model", digest=digest)
    assert (again.predict(made.table) == brain.predict(made.table)).all()
    assert again.fingerprint == brain.fingerprint
    assert again.summary == brain.summary
    assert again.statistics.version == brain.statistics.version
    assert again.schema == brain.schema
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == sorted([*FILES, "manifest.json"])


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_found_and_the_file_named(
    taught: tuple[School, MainBrain], tmp_path: Path, name: str
) -> None:
    digest = save(taught[1], tmp_path / "model")
    content = bytearray((tmp_path / "model" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "model" / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name} is corrupt: its SHA-256 is"):
        load(tmp_path / "model", digest=digest)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_missing_file_is_named(taught: tuple[School, MainBrain], tmp_path: Path, name: str) -> None:
    digest = save(taught[1], tmp_path / "model")
    (tmp_path / "model" / name).unlink()
    with pytest.raises(ModelError, match=f"{name} cannot be read: No such file"):
        load(tmp_path / "model", digest=digest)


def test_a_manifest_made_to_fit_other_files_is_found_by_its_own_digest(
    taught: tuple[School, MainBrain], tmp_path: Path
) -> None:
    made, brain = taught
    digest = save(brain, tmp_path / "model")
    save(made.fit(), tmp_path / "other")
    with pytest.raises(ModelError, match=r"manifest\.json is corrupt"):
        load(tmp_path / "other", digest=digest)


def test_a_file_that_is_no_manifest_is_refused(taught: tuple[School, MainBrain], tmp_path: Path) -> None:
    save(taught[1], tmp_path / "model")
    for content in ("not JSON", "[]", '{"format": 1}'):
        (tmp_path / "model" / "manifest.json").write_text(content)
        with pytest.raises(ModelError, match="is not a manifest"):
            load(tmp_path / "model")


def test_a_format_of_other_code_is_refused(taught: tuple[School, MainBrain], tmp_path: Path) -> None:
    save(taught[1], tmp_path / "model")
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    (tmp_path / "model" / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(ModelError, match="has format 99, this code reads 2"):
        load(tmp_path / "model")


def test_libraries_that_predict_otherwise_are_found(
    taught: tuple[School, MainBrain], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brain = taught[1]
    save(brain, tmp_path / "model")
    honest = type(brain.estimators[0]).decision_function
    monkeypatch.setattr(
        type(brain.estimators[0]), "decision_function", lambda self, rows: honest(self, rows) + np.float64(1e-6)
    )
    with pytest.raises(ModelError, match="predicts otherwise than when it was saved"):
        load(tmp_path / "model")


def test_a_stored_model_is_never_written_over(taught: tuple[School, MainBrain], tmp_path: Path) -> None:
    save(taught[1], tmp_path / "model")
    with pytest.raises(FileExistsError):
        save(taught[1], tmp_path / "model")
