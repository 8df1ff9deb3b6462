"""A model is made anew where the code that computes it changed, and not where a word about it did or a file moved."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aivo_assets.tracing.model import provenance
from aivo_assets.tracing.model.provenance import FITTING, code_version, computation, import_closure, imported

SEARCH = "model.search.hyperparameters"
COMPUTING = {
    f"fold.{name}"
    for name in (
        "kernel", "layout", "features", "encoding", "states", "statistics", "difficulty", "behaviour", "population",
    )
}  # fmt: skip
FITS = {f"model.trees.{name}" for name in ("boosting", "trees", "ensemble")} | {
    f"model.{name}" for name in ("calibration", "splits", "main_brain", "training")
}
ABOUT_IT = {f"card.{name}" for name in ("measures", "measure_plots", "model_card", "plots")} | {"model.importance"}
AFTERWARDS = {
    f"judging.{name}"
    for name in ("promotion", "admission", "registry", "registry_store", "shadow", "evaluation", "slices", "champions")
}


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package's sources in another place, where they may be changed."""
    here = tmp_path / "tracing"
    shutil.copytree(Path(provenance.__file__).parents[1], here, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "__file__", str(here / "model" / "provenance.py"))
    return here


def version(*entries: str) -> str:
    code_version.cache_clear()
    try:
        return code_version(*entries)
    finally:
        code_version.cache_clear()


def source(root: Path, name: str) -> Path:
    return root.joinpath(*name.split(".")).with_suffix(".py")


def append(root: Path, name: str, line: str) -> None:
    path = source(root, name)
    path.write_text(f"{path.read_text()}\n{line}\n")


def test_what_computes_is_in_and_what_tells_or_judges_is_out() -> None:
    found = import_closure(*FITTING)
    assert found >= COMPUTING | FITS
    assert not found & (ABOUT_IT | AFTERWARDS)
    assert import_closure(SEARCH) >= found | {"model.search.sampling", "model.search.studies"}


def test_what_python_really_loads_is_what_was_found() -> None:
    """Nothing is reached in a way that the search does not see."""
    load = "; ".join(f"import {provenance.PACKAGE}.{name}" for name in FITTING)
    told = "import sys; print(*(name for name in sys.modules if name.startswith('aivo_assets.tracing.')))"
    done = subprocess.run([sys.executable, "-c", f"{load}; {told}"], capture_output=True, text=True, check=True)
    loaded = {name.removeprefix(f"{provenance.PACKAGE}.") for name in done.stdout.split()}
    assert loaded == import_closure(*FITTING)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("from aivo_assets.tracing.fold.kernel import run", {"fold", "fold.kernel"}),
        ("from aivo_assets.tracing.fold import kernel, nothing_of_ours", {"fold", "fold.kernel"}),
        ("import aivo_assets.tracing.fold.kernel as k", {"fold", "fold.kernel"}),
        ("from .training import run", {"model", "model.training"}),
        ("from . import training", {"model", "model.training"}),
        ("from ..fold.kernel import run", {"fold", "fold.kernel"}),
        ("from .search import studies", {"model", "model.search", "model.search.studies"}),
        ("def later():\n    from aivo_assets.tracing.fold.kernel import run", {"fold", "fold.kernel"}),
        ("import polars\nfrom aivo_assets.lake import Lake", set()),
    ],
)
def test_every_way_of_importing_is_seen(text: str, names: set[str]) -> None:
    found = imported(text, of="model.main_brain")
    closed = found | {name.rsplit(".", count)[0] for name in found for count in range(1, name.count(".") + 1)}
    assert closed == names


def test_another_computation_is_another_version(copied: Path) -> None:
    seen = [version()]
    for name in sorted(COMPUTING | FITS):
        append(copied, name, "X = 1")
        seen.append(version())
    assert len(set(seen)) == len(seen)


def test_a_reworded_card_is_the_same_version(copied: Path) -> None:
    before = version(), version(SEARCH)
    for name in ABOUT_IT | AFTERWARDS:
        append(copied, name, "X = 1")
    assert (version(), version(SEARCH)) == before


def test_reworded_docstrings_and_comments_are_the_same_version(copied: Path) -> None:
    before = version()
    kernel = source(copied, "fold.kernel")
    kernel.write_text(kernel.read_text().replace('"""', '"""Said otherwise. ', 1) + "\n# A reason more.\n")
    assert version() == before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("def f(a=1):\n    return a", "def f(a=2):\n    return a"),
        ("from m import a", "from m import b"),
        ("TEXT = 'a'", "TEXT = 'b'"),
    ],
)
def test_what_can_change_a_result_counts(one: str, other: str) -> None:
    assert computation(one) != computation(other)


@pytest.mark.parametrize(("room", "new"), [("fold", "folding"), ("model.trees", "model.forest")])
def test_moving_files_makes_no_new_version(copied: Path, room: str, new: str) -> None:
    """A whole room gets another name, and whoever imports from it says so."""
    before = version()
    shutil.move(source(copied, room).with_suffix(""), source(copied, new).with_suffix(""))
    for path in copied.rglob("*.py"):
        path.write_text(
            re.sub(rf"aivo_assets\.tracing\.{re.escape(room)}\b", f"aivo_assets.tracing.{new}", path.read_text())
        )
    assert f"{new}.kernel" in import_closure(*FITTING) or f"{new}.boosting" in import_closure(*FITTING)
    assert version() == before


def test_a_module_that_becomes_part_of_the_computation_is_part_of_the_version(copied: Path) -> None:
    (copied / "fold" / "brand_new.py").write_text("X = 1\n")
    assert "fold.brand_new" not in import_closure(*FITTING)
    kernel = source(copied, "fold.kernel")
    kernel.write_text("from aivo_assets.tracing.fold.brand_new import X\n" + kernel.read_text())
    assert "fold.brand_new" in import_closure(*FITTING)


def test_a_package_passes_names_on_and_computes_nothing() -> None:
    """So its `__init__` may be left out of the version: there are only text, imports and the public names in it."""
    for name in import_closure(*FITTING, SEARCH):
        path = Path(provenance.__file__).parents[1].joinpath(*name.split("."), "__init__.py")
        if not path.is_file():
            continue
        for statement in ast.parse(path.read_text()).body:
            text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            face = isinstance(statement, ast.Assign) and ast.unparse(statement).startswith(
                ("(__getattr__", "__getattr__")
            )
            assert text or face or isinstance(statement, ast.ImportFrom), ast.unparse(statement)


def test_the_present_code_goes_on_with_the_models_of_earlier_code_that_computes_the_same() -> None:
    """Where this fails, either the results changed, and the new version belongs here.

    Or they did not (the golden folds and `test_reproducible` hold), and `EQUAL_TO` has to name the version that the
    code has without it.
    """
    assert code_version() == "bc8fdb3bb8fa8dda"
    assert code_version(SEARCH) == "3988e9e096eb1b99"
