"""A learner's recommendations: the newest day, by rank, under the pseudonym alone."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.api.app import build_app
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings

LEARNER, OTHER = "a" * 32, "b" * 32


def recommended(lake: Lake, day: date, *rows: dict[str, Any]) -> None:
    whole = {
        "shard": 0,
        "day": day,
        "subject": "mathematics",
        "kind": "maintain",
        "current_level": 4,
        "recommended_level": 4,
        "priority": "medium",
    }
    frame = pl.DataFrame(
        [{**dict.fromkeys(RECOMMENDATIONS.schema), **whole, **row} for row in rows], schema=dict(RECOMMENDATIONS.schema)
    )
    lake.write(RECOMMENDATIONS, frame, day=day)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(Settings(home=tmp_path).lake_url, shards=4)


def get(home: Path, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(build_app(Settings(home=home)))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8009") as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_the_newest_day_counts_and_the_order_is_that_of_importance(tmp_path: Path, lake: Lake) -> None:
    recommended(lake, date(2026, 3, 9), {"learner": LEARNER, "rank": 1, "skill_id": "old"})
    evidence = [{"signal": "recent_accuracy", "value": 0.3, "threshold": 0.6, "direction": "<"}]
    recommended(
        lake,
        date(2026, 3, 10),
        {"learner": LEARNER, "rank": 2, "skill_id": "second"},
        {"learner": LEARNER, "rank": 1, "skill_id": "first", "kind": "level_down", "evidence": evidence},
        {"learner": OTHER, "rank": 1, "skill_id": "another's"},
    )
    answer = get(tmp_path, f"/v1/learners/{LEARNER}/recommendations").json()
    assert (answer["learner"], answer["day"]) == (LEARNER, "2026-03-10")
    assert [row["skill_id"] for row in answer["recommendations"]] == ["first", "second"]
    assert answer["recommendations"][0]["evidence"] == evidence
    assert answer["recommendations"][1]["content"] == []


def test_a_learner_without_recommendations_is_unknown(tmp_path: Path, lake: Lake) -> None:
    assert get(tmp_path, f"/v1/learners/{LEARNER}/recommendations").status_code == 404


@pytest.mark.parametrize("name", ["anna", "A" * 32, "a" * 31, "../" + "a" * 32])
def test_what_is_no_pseudonym_is_refused(name: str, tmp_path: Path) -> None:
    assert get(tmp_path, f"/v1/learners/{name}/recommendations").status_code in (404, 422)
