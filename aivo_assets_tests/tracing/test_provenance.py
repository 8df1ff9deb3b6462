"""A model is made anew where the code that computes it changed, and not where a word about it did."""

import subprocess
import sys
from pathlib import Path

import pytest

from aivo_assets.tracing import provenance
from aivo_assets.tracing.provenance import FITTING, code_version, import_closure, imported

COMPUTING = {
    "kernel", "layout", "features", "encoding", "states", "statistics", "difficulty", "behaviour", "population",
}  # fmt: skip
FITS = {"boosting", "trees", "ensemble", "calibration", "splits", "main_brain", "training"}
ABOUT_IT = {"card_document", "card_measures", "card_plots", "model_card", "plots", "importance"}
AFTERWARDS = {"promotion", "admission", "registry", "registry_store", "shadow", "evaluation", "slices", "champions"}


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package's sources in another place, where they may be changed."""
    for path in Path(provenance.__file__).parent.glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    return tmp_path


def version(*entries: str) -> str:
    code_version.cache_clear()
    try:
        return code_version(*entries)
    finally:
        code_version.cache_clear()


def test_what_computes_is_in_and_what_tells_or_judges_is_out() -> None:
    found = import_closure(*FITTING)
    assert found >= COMPUTING | FITS
    assert not found & (ABOUT_IT | AFTERWARDS)
    assert import_closure("hyperparameters") >= found | {"sampling", "studies"}


def test_what_python_really_loads_is_what_was_found() -> None:
    """Nothing is reached in a way that the search does not see."""
    load = "; ".join(f"import {provenance.PACKAGE}.{name}" for name in FITTING)
    told = "import sys; print(*(name for name in sys.modules if name.startswith('aivo_assets.tracing.')))"
    done = subprocess.run([sys.executable, "-c", f"{load}; {told}"], capture_output=True, text=True, check=True)
    loaded = {name.removeprefix(f"{provenance.PACKAGE}.") for name in done.stdout.split()}
    assert loaded == import_closure(*FITTING)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("from aivo_assets.tracing.kernel import run", {"kernel"}),
        ("from aivo_assets.tracing import kernel, nothing_of_ours", {"kernel"}),
        ("import aivo_assets.tracing.kernel as k", {"kernel"}),
        ("from .kernel import run", {"kernel"}),
        ("from . import kernel", {"kernel"}),
        ("def later():\n    from aivo_assets.tracing.kernel import run", {"kernel"}),
        ("import polars\nfrom aivo_assets.lake import Lake", set()),
    ],
)
def test_every_way_of_importing_is_seen(source: str, names: set[str]) -> None:
    assert imported(source) == names


def test_another_computation_is_another_version(copied: Path) -> None:
    seen = [version()]
    for name in sorted(COMPUTING | FITS):
        (copied / f"{name}.py").write_text((copied / f"{name}.py").read_text() + "\nX = 1\n")
        seen.append(version())
    assert len(set(seen)) == len(seen)


def test_a_reworded_card_is_the_same_version(copied: Path) -> None:
    before = version(), version("hyperparameters")
    for name in ABOUT_IT | AFTERWARDS:
        (copied / f"{name}.py").write_text((copied / f"{name}.py").read_text() + "\nX = 1\n")
    assert (version(), version("hyperparameters")) == before


def test_a_module_that_becomes_part_of_the_computation_is_part_of_the_version(copied: Path) -> None:
    (copied / "brand_new.py").write_text("X = 1\n")
    assert "brand_new" not in import_closure(*FITTING)
    kernel = copied / "kernel.py"
    kernel.write_text("from aivo_assets.tracing.brand_new import X\n" + kernel.read_text())
    assert "brand_new" in import_closure(*FITTING)
