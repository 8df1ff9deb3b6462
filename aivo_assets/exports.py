"""Public names of a package, imported at first use. Belongs here: that one function.

A package's face may name what needs numba, LightGBM or MLflow, and a small question must not load them. A name of a
package's face must not be the name of one of its modules.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def public(package: str, names: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], list[str]]:
    """The `__getattr__` and the `__all__` of a package that passes on what its modules hold.

    Args:
        package: Dotted name of the package.
        names: Public names of each module; modules are named relative to the package.
    """
    homes = {name: module for module, of_module in names.items() for name in of_module}

    def attribute(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return attribute, sorted(homes)
