"""Dagster's private modules are behind one door."""

import ast
from collections.abc import Iterator
from pathlib import Path

import aivo_assets

PACKAGE = Path(aivo_assets.__file__).parent
DOOR = PACKAGE / "automation" / "_dagster.py"


def imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def private(source: str) -> set[str]:
    """What a source imports of Dagster's family that is not public."""
    names = (name for name in imported(source) if name.split(".")[0].startswith("dagster"))
    return {name for name in names if any(part.startswith("_") for part in name.split(".")[:-1])}


def test_only_the_door_imports_what_is_private_to_dagster() -> None:
    assert private(DOOR.read_text())
    assert {
        str(path): names for path in PACKAGE.rglob("*.py") if path != DOOR and (names := private(path.read_text()))
    } == {}


def test_only_automation_goes_through_the_door() -> None:
    users = {
        path
        for path in PACKAGE.rglob("*.py")
        if any("automation._dagster" in name for name in imported(path.read_text()))
    }
    assert users
    assert all(path.is_relative_to(DOOR.parent) for path in users)
