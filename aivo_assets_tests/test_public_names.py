"""What newcomers are shown exists: public names of packages, and the files that CONTRIBUTING.md sends them to."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType

import pytest

import aivo_assets

REPOSITORY = Path(aivo_assets.__file__).parent.parent
PACKAGES = sorted(
    ["aivo_assets", *(each.name for each in walk_packages(aivo_assets.__path__, "aivo_assets.") if each.ispkg)]
)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_what_belongs_there(package: str) -> None:
    text = import_module(package).__doc__ or ""
    assert text.split(".")[0].strip(), f"{package} says nothing"


@pytest.mark.parametrize("package", [name for name in PACKAGES if hasattr(import_module(name), "__all__")])
def test_every_public_name_is_there_and_is_no_module(package: str) -> None:
    module = import_module(package)
    for name in module.__all__:
        assert not isinstance(getattr(module, name), ModuleType), name
    with pytest.raises(AttributeError):
        _ = module.nothing_of_this_name


def test_importing_the_package_loads_no_library() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import aivo_assets, sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True, cwd=REPOSITORY,
    )  # fmt: skip
    assert not {"polars", "numpy", "pydantic", "numba", "lightgbm", "mlflow", "dagster"} & set(told.stdout.split())


def changes() -> list[tuple[str, list[str]]]:
    """Rows of the table "where do I change": the change, and the paths it names."""
    section = (REPOSITORY / "CONTRIBUTING.md").read_text().partition("## Where do I change")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| a")]
    return [(change, re.findall(r"`([\w/.]+)`", files)) for change, files in rows]


def test_twelve_changes_are_told() -> None:
    assert len(changes()) == 12


@pytest.mark.parametrize(("change", "paths"), changes(), ids=lambda each: each if isinstance(each, str) else "")
def test_a_change_touches_at_most_four_places_and_each_is_there(change: str, paths: list[str]) -> None:
    paths = [path for path in paths if "/" in path]
    assert 1 <= len(paths) <= 4, change
    assert all((REPOSITORY / path).exists() for path in paths), paths
