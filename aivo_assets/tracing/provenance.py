"""Which code made a model. Belongs here: a version of the modules that can change a prediction; nothing is trained.

They are not listed but found: whatever a fitting or predicting module of this package imports of this package, however
far away. So a new feature is in the version by being imported, and a reworded model card is not in it.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = "aivo_assets.tracing"
FITTING = ("training", "main_brain")  # events to features, features to a model and its predictions


@cache
def code_version(*entries: str) -> str:
    """Hash of the source of the modules that these reach.

    Args:
        entries: Modules of this package, by name without it; default those that fit and predict.
    """
    digest = hashlib.sha256()
    for name in sorted(import_closure(*(entries or FITTING))):
        digest.update(name.encode() + _path(name).read_bytes())
    return digest.hexdigest()[:16]


def import_closure(*entries: str) -> frozenset[str]:
    """Names of the modules of this package that these import, wherever in their source, and of these themselves."""
    found: set[str] = set()
    open_ends = list(entries)
    while open_ends:
        name = open_ends.pop()
        if name not in found:
            found.add(name)
            open_ends += sorted(imported(_path(name).read_text()))
    return frozenset(found)


def imported(source: str) -> set[str]:
    """Names of the modules of this package that a source imports, in any of the ways in which Python can."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                module = f"{PACKAGE}.{module}".rstrip(".")
            names += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    inner = (name.removeprefix(f"{PACKAGE}.").split(".")[0] for name in names if name.startswith(f"{PACKAGE}."))
    return {name for name in inner if _path(name).is_file()}


def _path(name: str) -> Path:
    return Path(__file__).parent / f"{name}.py"
