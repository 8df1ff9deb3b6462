"""A class of a few learners in a real lake: answers, models, signals, and what the real policy recommends."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import polars as pl

from aivo_assets.adaptive.advice.recommendations import recommend
from aivo_assets.adaptive.advice.wording import load_wording
from aivo_assets.adaptive.schema import RECOMMENDATIONS, SIGNALS
from aivo_assets.api.app import build_app
from aivo_assets.lake import Lake, open_lake
from aivo_assets.lake.shards import shard_of
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets_tests.adaptive.learners import SUBJECT, ladder, signals
from aivo_assets_tests.answers import land_answers

SECRET = "lighthouse" * 4
TODAY = date(2024, 3, 20)
NOW = datetime(2024, 3, 20, 15, tzinfo=UTC)
CLASS = "c" * 32
OTHER_CLASS = "d" * 32
HARD = {"recent_successes": 2, "recent_accuracy": 0.2, "p_level": 0.3, "p_level_lower": 0.2, "p_level_upper": 0.4,
        "p_below": 0.4, "attempts_at_level": 12, "failures_at_level": 9}  # fmt: skip
EASY = {"recent_successes": 10, "recent_accuracy": 1.0, "p_level": 0.95, "p_level_lower": 0.9, "p_level_upper": 0.98,
        "p_above": 0.9, "attempts_at_level": 15}  # fmt: skip


def pseudonym(learner: str) -> str:
    return str(pseudonyms(pl.Series([learner]), "learner", PseudonymKey(SECRET))[0])


ADA, BEN, CID, EVE = (pseudonym(each) for each in ("ada", "ben", "cid", "eve"))


def settings_of(home: Any, **more: Any) -> Settings:
    return Settings.model_validate({"home": home, "pseudonym_key": SECRET, **more})


def fill(settings: Settings, *, standing: Mapping[str, Mapping[str, Any]] | None = None) -> Lake:
    """A lake with ada and ben, who find it hard, and cid, for whom it is easy, in one class; eve is in another."""
    lake = open_lake(settings)
    land_answers(lake, NOW, *((name, SUBJECT, ["fractions"]) for name in ("ada", "ben", "cid", "eve")))
    chosen = standing or {ADA: HARD, BEN: HARD, CID: EASY, EVE: HARD}
    rows = pl.concat([_signals(lake, learner, known) for learner, known in chosen.items()])
    made = recommend(
        rows, ladder("fractions"), settings=settings.policy, wording=load_wording(settings.policy), made_by="a test"
    )
    lake.write(SIGNALS, rows, day=TODAY)
    lake.write(RECOMMENDATIONS, made, day=TODAY)
    _models(lake, chosen)
    classes = {learner: OTHER_CLASS if learner == EVE else CLASS for learner in chosen}
    for back in (0, 7, 8):
        lake.write(ANONYMISED_INTERACTIONS, _answers(lake, classes, back), day=TODAY - timedelta(days=back))
    return lake


def shard(lake: Lake, learner: str) -> int:
    return int(pl.DataFrame({"learner": [learner]}).select(shard_of(pl.col("learner"), lake.shards)).item())


def get(settings: Settings, path: str, **given: Any) -> httpx.Response:
    """A page as one request sees it."""
    return ask(settings, lambda client: client.get(path, **given))


def ask(settings: Settings, send: Callable[[httpx.AsyncClient], Any]) -> httpx.Response:
    """What a service answers to a client that keeps cookies."""

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(build_app(settings, now=lambda: NOW))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8009") as client:
            answer: httpx.Response = await send(client)
            return answer

    return asyncio.run(run())


def _signals(lake: Lake, learner: str, known: Mapping[str, Any]) -> pl.DataFrame:
    return signals(learner=learner, shard=shard(lake, learner), day=TODAY, **known)


def _models(lake: Lake, learners: Mapping[str, Mapping[str, Any]]) -> None:
    common = {"day": TODAY, "model_version": "7"}
    students = [
        {**common, "learner": each, "shard": shard(lake, each), "events": 20, "ability": 0.4, "ability_sd": 0.2,
         "ability_lower": 0.1, "ability_upper": 0.7}
        for each in learners
    ]  # fmt: skip
    skills = [
        {**common, "learner": each, "shard": shard(lake, each), "subject": SUBJECT, "skill_id": "fractions",
         "opportunities": 20, "wins": 8, "mastery": 0.4, "mastery_lower": 0.25, "mastery_upper": 0.55,
         "mastery_sd": 0.1, "last_practised_at": NOW, "level": 5, "level_probabilities": [0.5] * 10}
        for each in learners
    ]  # fmt: skip
    note = {f"shard={number:04d}": {"whole": True, "stamp": "s", "sequence": 1} for number in range(lake.shards)}
    lake.write(SKILL_MASTERY, pl.DataFrame(skills, schema=dict(SKILL_MASTERY.schema)), day=TODAY)
    lake.write(STUDENT_MODELS, pl.DataFrame(students, schema=dict(STUDENT_MODELS.schema)), day=TODAY, made_by=note)


def _answers(lake: Lake, classes: Mapping[str, str], back: int) -> pl.DataFrame:
    day = TODAY - timedelta(days=back)
    rows = [
        {**dict.fromkeys(ANONYMISED_INTERACTIONS.schema), "event": f"{learner}{back}{number}", "learner": learner,
         "shard": shard(lake, learner), "day": day, "sequence": number, "item_id": f"fractions-{number + 3}",
         "occurred_at": datetime(day.year, day.month, day.day, 9, number, tzinfo=UTC), "skill_ids": ["fractions"],
         "subject": SUBJECT, "correct": int(number == 1), "class_": class_, "school": "e" * 32}
        for learner, class_ in classes.items()
        for number in range(3)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=dict(ANONYMISED_INTERACTIONS.schema)).sort("shard", "learner", "sequence")
