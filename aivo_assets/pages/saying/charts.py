"""Small line charts as numbers for an SVG. Belongs here: places of points; what they mean stands in a table below."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from aivo_assets.pages.texts import Texts

WIDTH: Final = 640
HEIGHT: Final = 200
LEFT: Final = 48
BELOW: Final = 24
ABOVE: Final = 8


@dataclass(frozen=True)
class Point:
    """A share in [0, 1] on a day, with the band around it."""

    day: date
    value: float
    lower: float
    upper: float


def chart(points: Sequence[Point], texts: Texts) -> dict[str, Any] | None:
    """Shares over time; None for fewer than two days, which make no line."""
    if len(points) < 2:
        return None
    first, last = points[0].day, points[-1].day
    span = max((last - first).days, 1)

    def x(day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - 10) * (day - first).days / span, 1)

    def y(value: float) -> float:
        return round(ABOVE + (HEIGHT - BELOW - ABOVE) * (1 - min(max(value, 0.0), 1.0)), 1)

    upper = [f"{x(each.day)},{y(each.upper)}" for each in points]
    lower = [f"{x(each.day)},{y(each.lower)}" for each in reversed(points)]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "grid": [{"y": y(share), "says": texts.percent(share)} for share in (0.0, 0.5, 1.0)],
        "band": " ".join([*upper, *lower]),
        "points": " ".join(f"{x(each.day)},{y(each.value)}" for each in points),
        "dots": [{"x": x(each.day), "y": y(each.value)} for each in points],
        "marks": [],
        "ticks": [
            {"x": LEFT, "anchor": "start", "says": texts.date(first)},
            {"x": WIDTH - 4, "anchor": "end", "says": texts.date(last)},
        ],
    }
