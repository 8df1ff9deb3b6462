"""Small made-up histories in the shape of ANONYMISED_INTERACTIONS. Belongs here: making events; no expectations."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS

START = datetime(2024, 1, 1, 8, 0, tzinfo=UTC)  # a Monday


def events(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Events from rows with learner, at (seconds after START), item, correct and optionally more columns.

    Exact times become what privacy leaves of them: minutes, and gaps within the day.
    """
    made: list[dict[str, Any]] = []
    last: dict[str, tuple[datetime, int]] = {}
    for number, row in enumerate(rows):
        exact = START + timedelta(seconds=row["at"])
        before, place = last.get(row["learner"], (None, -1))
        same_day = before is not None and before.date() == exact.date()
        sequence = place + 1 if same_day else 0
        last[row["learner"]] = (exact, sequence)
        made.append(
            {
                "event": f"e{number}",
                "shard": int(row["learner"][-1], 36) % 4,
                "day": exact.date(),
                "occurred_at": exact.replace(second=0),
                "sequence": sequence,
                "gap_s": int((exact - before).total_seconds()) if same_day and before is not None else None,
                "skill_ids": row.get("skills", ["s" + row["item"][-1]]),
                "subject": "maths",
                "item_id": row["item"],
                **{key: value for key, value in row.items() if key not in ("at", "item", "skills")},
            }
        )
    schema = dict(ANONYMISED_INTERACTIONS.schema)
    return pl.DataFrame(made, schema=schema)


def school(learners: int, each: int, seed: int) -> pl.DataFrame:
    """A seeded school: some answers a learner over some days, two subjects, one to three skills, some times unknown."""
    random = np.random.default_rng(seed)
    rows = []
    for learner in range(learners):
        at = 0.0
        for _ in range(each):
            at += float(random.choice([20.0, 200.0, 4_000.0, 90_000.0], p=[0.5, 0.3, 0.1, 0.1]))
            item = int(random.integers(0, 30))
            known = random.random() < 0.7
            rows.append(
                {
                    "learner": f"l{learner:03d}",
                    "at": int(at),
                    "item": f"i{item}",
                    "skills": [f"s{item % 7}", *(["s9", f"s{item % 3}"] if item % 4 == 0 else [])],
                    "subject": "maths" if item % 5 else "reading",
                    "correct": int(random.random() < 0.3 + 0.6 * (item % 10) / 10),
                    "response_time_ms": int(random.integers(500, 60_000)) if known else None,
                    "hint_count": int(random.integers(0, 3)) if known else None,
                }
            )
    return events(rows)


@st.composite
def histories(draw: st.DrawFn) -> pl.DataFrame:
    """Any small school."""
    return school(draw(st.integers(1, 6)), draw(st.integers(1, 25)), draw(st.integers(0, 2**16)))
