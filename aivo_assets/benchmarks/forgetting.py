"""What it costs to forget: one learner, and many together, of a lake of a given size. Belongs here: that measurement.

The lake is made of random answers, taken through the real privacy line; time counts from request to certificate, the
search of everything included. States are not part of it: they are rewritten by shard, as any other dataset is.
"""

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake
from aivo_assets.privacy.anonymise import AnonymiseTask, stage_days
from aivo_assets.privacy.erasure import forgetting
from aivo_assets.privacy.erasure.forgetting import Ground
from aivo_assets.privacy.erasure.requests import ask
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.settings import Settings

FIRST = date(2025, 9, 1)


@dataclass(frozen=True)
class Cost:
    """What one pass cost.

    Attributes:
        learners: Forgotten in it.
        removal_seconds: From the request until the last row was gone.
        search_seconds: Left-overs, the search of everything, and the certificate.
        rows: Raw answers that went.
        found: Places in which the search found something that could not be taken out.
    """

    learners: int
    removal_seconds: float
    search_seconds: float
    rows: int
    found: int


@dataclass(frozen=True)
class Costs:
    """What was measured, on a lake of which size."""

    learners: int
    answers: int
    days: int
    lake_mib: float
    passes: tuple[Cost, ...]

    def to_json(self) -> str:
        """The same in JSON."""
        return json.dumps(asdict(self), indent=1)


def measure(learners: int, answers: int, days: int, together: int, say: Callable[[str], None]) -> Costs:
    """Make a lake, and forget one of its learners, then many together.

    Args:
        learners: In the lake.
        answers: In the lake, over all days.
        days: Over which they are spread.
        together: Learners of the second pass.
        say: Takes a line about what is done.
    """
    with tempfile.TemporaryDirectory(prefix="aivo-forget-") as folder:
        home = Path(folder)
        settings = Settings.model_validate({"home": home, "forget": {"readers_seconds": 0}})
        lake, key = Lake(home / "lake", shards=max(4, learners // 250_000)), PseudonymKey("b" * 64)
        _fill(lake, key, settings, learners, answers, days, say)
        size = sum(file.stat().st_size for file in (home / "lake").rglob("*.parquet")) / 2**20
        where = Ground(lake, key, settings, (), lambda _: None, lambda _: None, say)
        passes = tuple(
            _forget(where, [f"learner-{number:09d}" for number in chosen]) for chosen in _chosen(learners, together)
        )
    return Costs(learners, answers, days, round(size, 1), passes)


def _chosen(learners: int, together: int) -> list[list[int]]:
    drawn = np.random.default_rng(11).permutation(learners)[: together + 1].tolist()
    return [drawn[:1], drawn[1:]]


def _fill(
    lake: Lake,
    key: PseudonymKey,
    settings: Settings,
    learners: int,
    answers: int,
    days: int,
    say: Callable[[str], None],
) -> None:
    random = np.random.default_rng(7)
    a_day = answers // days
    task = AnonymiseTask(lake, key, settings.privacy)
    for number in range(days):
        day = FIRST + timedelta(days=number)
        who = np.sort(random.integers(0, learners, a_day))
        begin = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
        frame = pl.DataFrame(
            {"who": who, "item": random.integers(0, 5000, a_day), "second": np.sort(random.integers(0, 86_400, a_day))}
        )
        named = frame.with_row_index("row").select(
            event_id=pl.format("e{}-{}", pl.lit(number), "row"),
            learner_id=pl.format("learner-{}", pl.col("who").cast(pl.String).str.zfill(9)),
            item_id=pl.format("item-{}", "item"),
            skill_ids=pl.concat_list(pl.format("skill-{}", pl.col("item") % 200)),
            subject=pl.lit("maths"),
            occurred_at=(pl.lit(begin) + pl.duration(seconds="second")).cast(pl.Datetime("us", "UTC")),
            correct=(pl.col("item") % 2).cast(pl.Int8),
        )
        empty = RAW_INTERACTIONS.empty()
        whole = pl.concat([empty, named], how="diagonal").select(empty.columns)
        lake.write(RAW_INTERACTIONS, whole, day=day)
        staged, _ = stage_days(task, [day])
        lake.commit(staged)
        if number % 30 == 29:
            say(f"{number + 1} of {days} days made")


def _forget(where: Ground, learners: list[str]) -> Cost:
    now = datetime.now(UTC)
    ask(where.lake, learners, "benchmark", asked_by="aivo benchmark forget", now=now)
    begun = time.perf_counter()
    forgetting.bury_learners(where, now)
    removed = forgetting.remove_from_lake(where, now)
    gone = time.perf_counter()
    standing = forgetting.close_requests(where, now)
    ended = time.perf_counter()
    return Cost(
        len(learners), round(gone - begun, 1), round(ended - gone, 1), removed.get(RAW_INTERACTIONS.path, 0),
        len(standing.found),
    )  # fmt: skip
