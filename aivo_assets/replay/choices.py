"""The settings of a replay: what a person changes, what the replay chooses itself, and how two are compared as text."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, SecretStr, ValidationError

from aivo_assets.errors import SettingsError
from aivo_assets.lake.shards import SHARDS_OF_A_NEW_LAKE
from aivo_assets.replay.feed import Feed
from aivo_assets.settings import Settings, SourceSettings

NO_BUDGET_BY_TIME: Final = 1e9
LEARNERS_A_SHARD: Final = 250_000  # as the setting says
OWN: Final = ("lake.url", "lake.shards", "tuning.seconds", "tuning.weekly_seconds", "api", "alerts", "source")
"""Settings that a replay chooses itself, or that no decision depends on; they are not compared."""


def own_settings(settings: Settings, home: Path, feed: Feed, learners: int) -> Settings:
    """The settings of the replayed platform: its own home and feed, no service outside, no budget by the wall clock.

    Its lake has no more shards than so many learners need; no decision depends on it.

    Args:
        settings: Of the platform.
        home: Of the replay.
        feed: What arrives.
        learners: How many are replayed.
    """
    shards = min(settings.lake.shards or SHARDS_OF_A_NEW_LAKE, math.ceil(learners / LEARNERS_A_SHARD))
    alerts = settings.alerts
    unset = {name: field.default for name, field in type(alerts).model_fields.items() if "url" in name}
    tuning = dict.fromkeys(("seconds", "weekly_seconds"), NO_BUDGET_BY_TIME)
    source = SourceSettings(
        kind="parquet", path=feed.events_path, learner_path=feed.learners_path, subject=settings.source.subject
    )
    return settings.model_copy(
        update={
            "home": home.absolute(),
            "postgres_url": None,
            "models_url": None,
            "lake": settings.lake.model_copy(update={"url": None, "shards": shards, "delta": False}),
            "source": source,
            "alerts": alerts.model_copy(update=unset),
            # In a replay a row arrives when it happened: none is late, and no day need be read twice.
            "schedule": settings.schedule.model_copy(update={"late_days": 0}),
            "tuning": settings.tuning.model_copy(update=tuning),
        }
    )


def with_values(settings: Settings, assignments: Sequence[str]) -> Settings:
    """Settings with some values replaced.

    Args:
        settings: The others.
        assignments: `group.field=value` each; a value is JSON where it is JSON, else text.

    Raises:
        SettingsError: There is no such setting, or the value cannot be used.
    """
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        group_name, dot, field = name.strip().partition(".")
        group = getattr(settings, group_name, None)
        if not equals or not dot or not isinstance(group, BaseModel) or field not in type(group).model_fields:
            raise SettingsError(
                f"--set {assignment} names no setting",
                fix="Write group.field=value, such as drift.retrain_score=0.2; `aivo settings` lists them all.",
            )
        try:
            made = type(group).model_validate({**group.model_dump(), field: _value(value)})
        except ValidationError as error:
            problems = "; ".join(str(problem["msg"]) for problem in error.errors())
            raise SettingsError(f"--set {assignment}: {problems}", fix="`aivo settings` says what it means.") from error
        settings = settings.model_copy(update={group_name: made})
    return settings


def as_text(settings: Settings) -> dict[str, str]:
    """Every setting that a decision may depend on, `group.field` to its value as text; no secret among them."""
    texts = {}
    for group_name in type(settings).model_fields:
        group = getattr(settings, group_name)
        if not isinstance(group, BaseModel) or group_name in OWN:
            continue
        for field in type(group).model_fields:
            value = getattr(group, field)
            if f"{group_name}.{field}" not in OWN and not isinstance(value, SecretStr):
                texts[f"{group_name}.{field}"] = json.dumps(value, default=str)
    return texts


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
