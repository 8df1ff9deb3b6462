"""Which code made a model. Belongs here: a version of the modules that can change a prediction; nothing is trained.

They are not listed but found: whatever a fitting or predicting module imports of `aivo_assets.tracing`, however far
away. So a new feature is in the version by being imported, and a reworded model card is not in it.

The version is made from what the modules compute, not from how they are written or where they stand: docstrings,
comments, layout, the names of modules and the paths of imports are left out. Moving a file makes no new model.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

PACKAGE: Final = "aivo_assets.tracing"
FITTING: Final = ("model.training", "model.main_brain")  # events to features, features to a model and its predictions

EQUAL_TO: Final = {"0327a78e02fbb174": "bc8fdb3bb8fa8dda", "ec52b5bfb7dd5e5d": "3988e9e096eb1b99"}
"""Versions of code that computes the same as an earlier version, which its models go on to bear: modules moved, or the
same sums are made with less work."""


@cache
def code_version(*entries: str) -> str:
    """Hash of what the modules compute that these reach.

    Args:
        entries: Modules below `aivo_assets.tracing`, by dotted name; default those that fit and predict.

    Returns:
        16 hex characters.
    """
    digests = sorted(
        hashlib.sha256(computation(path.read_text()).encode()).digest()
        for path in map(_path, import_closure(*(entries or FITTING)))
        if path.name != "__init__.py"  # it passes names on and computes nothing, which a test holds it to
    )
    version = hashlib.sha256(b"".join(digests)).hexdigest()[:16]
    return EQUAL_TO.get(version, version)


def import_closure(*entries: str) -> frozenset[str]:
    """Dotted names of the modules below `aivo_assets.tracing` that these import, wherever in their source, and these.

    A package counts by its `__init__`, which Python runs before any module in it.
    """
    closure: set[str] = set()
    open_ends = list(entries)
    while open_ends:
        name = open_ends.pop()
        if name not in closure:
            closure.add(name)
            open_ends += sorted(imported(_path(name).read_text(), of=name) | set(_packages_around(name)))
    return frozenset(closure)


def imported(source: str, *, of: str = "module") -> set[str]:
    """Names of the modules below `aivo_assets.tracing` that a source imports, in any of the ways in which Python can.

    Args:
        source: Python.
        of: Dotted name of the module whose source it is; relative imports are read from its package.
    """
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, of)
            names += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    inner = (name.removeprefix(f"{PACKAGE}.") for name in names if name.startswith(f"{PACKAGE}."))
    return {name for name in inner if _path(name).is_file()}


def computation(source: str) -> str:
    """A source without what does not change its results: docstrings, comments, layout, and where it imports from."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _says_nothing(statement)]
        elif isinstance(node, ast.ImportFrom):
            node.module, node.level = None, 0
    return ast.dump(tree)


def _says_nothing(statement: ast.stmt) -> bool:
    """Whether a statement is text alone: the docstring of a module, class, function or attribute."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _absolute(node: ast.ImportFrom, of: str) -> str:
    module = node.module or ""
    if not node.level:
        return module
    package = f"{PACKAGE}.{of}".split(".")
    inside = package if _path(of).name == "__init__.py" else package[:-1]
    return ".".join([*inside[: len(inside) - node.level + 1], *([module] if module else [])])


def _packages_around(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts)))


def _path(name: str) -> Path:
    """File of a module, or of a package its `__init__`."""
    inside = Path(__file__).parent.parent.joinpath(*name.split("."))
    return inside / "__init__.py" if inside.is_dir() else inside.with_suffix(".py")
