"""Every dataset that the package declares, found by walking it, so that a new one is tested without being named."""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import aivo_assets
from aivo_assets.lake import Dataset, Layered


@cache
def datasets() -> tuple[Dataset, ...]:
    """All that is replaced unit by unit, by path."""
    found = {value.path: value for value in _values() if isinstance(value, Dataset) and value.unit != "layers"}
    return tuple(found[path] for path in sorted(found))


@cache
def layered() -> tuple[Layered, ...]:
    """All that is kept in layers."""
    found = {value.path: value for value in _values() if isinstance(value, Layered)}
    return tuple(found[path] for path in sorted(found))


def _values() -> Iterator[object]:
    for module in _modules():
        yield from vars(module).values()


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(aivo_assets.__path__, "aivo_assets."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)
