"""An open-loop load on the live endpoints: calls go out at their intended times, whether or not others were answered.

A call's latency counts from its intended time, so a service that falls behind cannot hide it (Tene's "coordinated
omission"). One arrival is an answer of a learner and, after it was acknowledged, the question what comes next.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx
import numpy as np

from aivo_assets.errors import ServiceError

_WORKERS: Final = 32
_KINDS: Final = ("answer", "next", "both")


@dataclass(frozen=True)
class LiveFigures:
    """What a load found.

    Attributes:
        arrivals: Answers that were sent.
        rate: Arrivals a second that were intended.
        failed: Arrivals of which a call was not answered with success.
        milliseconds: By kind of call (answer, next, both from the intended time) the 50th, 95th and 99th percentile.
        first_seconds: From the start of the load to the first exercise.
    """

    arrivals: int
    rate: float
    failed: int
    milliseconds: dict[str, tuple[float, float, float]]
    first_seconds: float


@dataclass(frozen=True)
class _Arrival:
    sent: float
    answered: float
    both: float
    ended: float
    ok: bool


def measure_live(
    url: str, learners: Sequence[str], items: Sequence[dict[str, object]], *, rate: float, seconds: float, seed: int = 1
) -> LiveFigures:
    """Send answers of learners at a rate, and ask what comes next after each.

    Args:
        url: Of the HTTP service.
        learners: As the source has them.
        items: item_id, skill_ids and subject of exercises.
        rate: Arrivals a second.
        seconds: How long.
        seed: Of the choice of learners, items and outcomes.

    Raises:
        ServiceError: The service does not answer at all.
    """
    random = np.random.default_rng(seed)
    count = max(1, round(rate * seconds))
    chosen = random.integers(0, [len(learners), len(items), 2], (count, 3))
    run = f"benchmark-{time.time_ns()}"
    begin = time.perf_counter() + 0.5
    with httpx.Client(base_url=url, timeout=30, limits=httpx.Limits(max_connections=_WORKERS)) as client:
        try:
            client.get("/health").raise_for_status()
        except httpx.HTTPError as error:
            raise ServiceError(f"No service answers at {url}", fix="Start it first: aivo up.") from error

        def arrive(number: int) -> _Arrival:
            learner, item, correct = chosen[number]
            due = begin + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            answer = {
                **items[item], "event_id": f"{run}-{number}", "learner_id": learners[learner],
                "occurred_at": datetime.now(UTC).isoformat(), "correct": int(correct),
            }  # fmt: skip
            sent = time.perf_counter()
            try:
                kept = client.post("/v1/answers", json=answer)
                between = time.perf_counter()
                told = client.post(f"/v1/learners/{learners[learner]}/next", json={})
            except httpx.HTTPError:
                return _Arrival(0.0, 0.0, 0.0, time.perf_counter(), ok=False)
            end = time.perf_counter()
            return _Arrival(between - sent, end - between, end - due, end, kept.is_success and told.is_success)

        with ThreadPoolExecutor(_WORKERS) as pool:
            arrivals = list(pool.map(arrive, range(count)))
    return _figures(arrivals, rate, begin)


def _figures(arrivals: list[_Arrival], rate: float, begin: float) -> LiveFigures:
    good = [each for each in arrivals if each.ok]
    if not good:
        raise ServiceError("No call was answered with success", fix="Look into the log of the HTTP service.")
    times = np.array([(each.sent, each.answered, each.both) for each in good]) * 1000
    tenths = np.percentile(times, [50, 95, 99], axis=0)
    return LiveFigures(
        arrivals=len(arrivals),
        rate=rate,
        failed=len(arrivals) - len(good),
        milliseconds={kind: (*map(float, tenths[:, place]),) for place, kind in enumerate(_KINDS)},  # type: ignore[misc]
        first_seconds=min(each.ended for each in good) - begin,
    )
