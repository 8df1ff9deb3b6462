"""How recurrences are compiled. Belongs here: the decorators and their options.

numba's cache on disk notices a change of the file a function stands in, but not of what it calls elsewhere: compiled
functions that call each other stand in one file.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile to machine code, kept on disk. Frees the GIL; a division by zero is inf or NaN, as in numpy."""
    return cast("Callable[_P, _R]", njit(cache=True, nogil=True, error_model="numpy")(function))


def allocation_free(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The same for functions that make no array, without counting references to those that they are given.

    The counters are atomic: with a hundred views a row they take half of the time of one thread, and several threads
    wait for each other. A function that does make an array does not compile under this.
    """
    return cast("Callable[_P, _R]", njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function))
