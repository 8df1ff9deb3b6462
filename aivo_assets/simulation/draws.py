"""Random numbers addressed by what they are for. Belongs here: the counter-based generator only.

A number is a hash of (seed, stream, learner, day, step, column), never the next one of a sequence. So a learner's fate
does not depend on which other learners are simulated beside it, in which order, or for how many days: the laws "a
longer horizon keeps the earlier days" and "a part of the school gives that part's events" follow from this module.
The hash is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
"""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

Compiled = TypeVar("Compiled", bound=Callable[..., Any])


def compiled(function: Compiled) -> Compiled:
    """Compile with numba and keep the result on disk.

    Safe only for a function that calls nothing compiled in another module: numba's cache watches one file.
    """
    return cast(Compiled, numba.njit(cache=True, error_model="numpy")(function))


@compiled
def _mix(x: np.uint64) -> np.uint64:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def _fill(
    key: np.uint64,
    learners: npt.NDArray[np.int64],
    day: int,
    steps: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    golden = np.uint64(0x9E3779B97F4A7C15)
    for k in range(learners.shape[0]):
        state = _mix(key ^ _mix(np.uint64(learners[k]) + golden))
        state = _mix(state + np.uint64(day + 1) * golden)
        state = _mix(state + np.uint64(steps[k] + 1) * golden)
        for column in range(out.shape[1]):
            state += golden
            out[k, column] = (np.float64(_mix(state) >> np.uint64(11)) + 0.5) * 2.0**-53


class Draws:
    """The random numbers of one school.

    Args:
        seed: Seed of the school; any integer.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def uniforms(
        self,
        stream: str,
        learners: npt.NDArray[np.int64],
        columns: int,
        *,
        day: int = 0,
        steps: npt.NDArray[np.int64] | None = None,
    ) -> npt.NDArray[np.float64]:
        """Uniform numbers in (0, 1), one row a learner.

        Args:
            stream: What they are for; streams are independent.
            learners: Int64 [n], index of each learner (or class, or item) in the whole school.
            columns: Numbers per row.
            day: Day of the school, 0 for what does not change.
            steps: Int64 [n], step of each within the day; zeros when not given.

        Returns:
            Float64 [n, columns].
        """
        digest = hashlib.blake2b(f"{self.seed}/{stream}".encode(), digest_size=8).digest()
        key = np.uint64(int.from_bytes(digest, "little"))
        out = np.empty((learners.shape[0], columns), np.float64)
        _fill(key, learners, day, np.zeros_like(learners) if steps is None else steps, out)
        return out

    def normals(self, stream: str, learners: npt.NDArray[np.int64], columns: int) -> npt.NDArray[np.float64]:
        """Standard normal numbers, Float64 [n, columns], by the transform of Box and Muller (1958)."""
        uniforms = self.uniforms(stream, learners, 2 * columns)
        radius = np.sqrt(-2.0 * np.log(uniforms[:, :columns]))
        normals: npt.NDArray[np.float64] = radius * np.cos(2.0 * np.pi * uniforms[:, columns:])
        return normals
