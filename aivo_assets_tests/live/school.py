"""A small school with a champion and folded states, to which apps send answers. No expectations here."""

import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import sqlalchemy as sa
from pydantic import SecretStr

from aivo_assets.adaptive.policy.levels import item_bank, subject_levels
from aivo_assets.adaptive.schema import ITEM_BANK, RECOMMENDATIONS
from aivo_assets.events.inbox import TABLE, Inbox, open_inbox
from aivo_assets.events.landing.events import land
from aivo_assets.events.sources.inbox import inbox_source
from aivo_assets.lake import Lake, open_lake
from aivo_assets.live.standing import Learners
from aivo_assets.privacy.anonymise import AnonymiseTask, stage_days
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.model.main_brain import MadeBy, fit_main_brain
from aivo_assets.tracing.model.training import training_set
from aivo_assets.tracing.students.state_store import StateStore
from aivo_assets.tracing.students.state_update import Folder, update
from aivo_assets.tracing.students.student_models import Brain
from aivo_assets_tests.events.memory_source import MemorySource, extract
from aivo_assets_tests.tracing import small_lake
from aivo_assets_tests.tracing.judging.test_shadow_asset import Stage

FIRST, DAYS = date(2026, 3, 2), 8
LAST = FIRST + timedelta(days=DAYS - 1)
NOW = datetime(2026, 3, 9, 20, 30, 15, tzinfo=UTC)  # the evening of LAST
ITEMS = 24


def answer(learner: str, item: int, at: datetime, correct: int, name: str | None = None) -> dict[str, object]:
    """One answer with raw identifiers."""
    return {
        "event_id": name or f"{learner}-{at:%d%H%M%S%f}-{item}",
        "learner_id": learner,
        "item_id": f"item-{item}",
        "skill_ids": [f"skill-{item % 4}"],
        "subject": "algebra" if item % 2 else "geometry",
        "occurred_at": at,
        "correct": correct,
        "response_time_ms": 9_000 + 100 * item,
    }


def history(learners: int = 30, seed: int = 3) -> list[dict[str, object]]:
    """Three answers a day of each learner, mornings."""
    random = np.random.default_rng(seed)
    ability, difficulty = random.normal(0, 1, learners), random.normal(0, 1, ITEMS)
    rows = []
    for day in range(DAYS):
        for learner in range(learners):
            for place in range(3):
                item = int(random.integers(ITEMS))
                right = random.random() < 1 / (1 + np.exp(difficulty[item] - ability[learner]))
                at = datetime(2026, 3, 2 + day, 8, 10 * place + learner % 10, 7, tzinfo=UTC)
                rows.append(answer(f"pupil-{learner}", item, at, int(right)))
    return rows


@dataclass
class LiveSchool:
    """What an HTTP service and the checks of a platform have.

    Attributes:
        home: AIVO_HOME.
        url: Of its PostgreSQL.
    """

    home: Path
    url: str

    @cached_property
    def settings(self) -> Settings:
        return small_lake.settings(
            self.home,
            pseudonym_key="a key of thirty-two characters or more",
            postgres_url=SecretStr(self.url),
            training={"max_iterations": 10, "minimum_events": 100, "minimum_part_events": 50, "min_samples_leaf": 20},
        )

    @cached_property
    def lake(self) -> Lake:
        return open_lake(self.settings)

    @property
    def key(self) -> PseudonymKey:
        secret = self.settings.pseudonym_key
        assert secret is not None
        return PseudonymKey(secret.get_secret_value())

    @cached_property
    def inbox(self) -> Inbox:
        inbox = open_inbox(self.settings)
        assert inbox is not None
        inbox.make()
        return inbox

    @cached_property
    def brain(self) -> Brain:
        kept = self.lake.scan(ANONYMISED_INTERACTIONS).collect()
        training = training_set(kept, self.settings.features, self.settings.training)
        made = fit_main_brain(
            training.table,
            training.split,
            self.settings.training,
            statistics=training.statistics,
            made_by=MadeBy(data_versions={}, code_version="a test"),
        )
        return Brain(made.predict, made.statistics, self.settings.features, "1")

    def serve(self) -> None:
        """Promote a champion, so that a service finds one; the states are those that it folds."""
        kept = self.lake.scan(ANONYMISED_INTERACTIONS).collect()
        training = training_set(kept, self.settings.features, self.settings.training)
        Stage(self.home, self.settings, (training, training), force="a small school")

    def learners(self) -> Learners:
        """What a service that has just started knows."""
        return Learners(self.settings, self.lake, self.key, self.inbox, time.monotonic)

    def pseudonym(self, learner: str) -> str:
        return self.learners().pseudonym(learner)

    def empty_inbox(self) -> None:
        with self.inbox.engine.begin() as connection:
            connection.execute(sa.text(f"TRUNCATE {TABLE}"))

    def land(self, rows: Sequence[dict[str, object]]) -> None:
        """What the source of the settings gives."""
        land(self.lake, MemorySource([extract(rows)]), window=None, now=NOW, run="a landing")
        self.anonymise({row["occurred_at"].date() for row in rows})  # type: ignore[attr-defined]

    def land_inbox(self, now: datetime = NOW) -> int:
        """As a check does; returns how many were kept."""
        receipt = land(self.lake, inbox_source(self.settings, now), window=None, now=now, run="a check")
        self.anonymise(receipt.days_changed)
        return receipt.kept

    def anonymise(self, days: Iterable[date]) -> None:
        staged, _ = stage_days(AnonymiseTask(self.lake, self.key, self.settings.privacy), sorted(days))
        self.lake.commit(staged)

    def fold(self) -> None:
        """As a check does."""
        store, parts = StateStore(self.lake), self.lake.parts(ANONYMISED_INTERACTIONS)
        folder = Folder(self.brain.statistics, self.settings.features, self.brain.version, 100_000)
        for shard in range(self.lake.shards):
            update(self.lake, store, shard, parts[shard], folder)

    def stored(self, learner: str) -> LearnerStates:
        """The learner's states of the last check."""
        store, one = StateStore(self.lake), pl.Series([self.pseudonym(learner)])
        return LearnerStates.concat([store.read(shard, one) for shard in range(self.lake.shards)])

    def publish_bank(self) -> None:
        items = self.brain.statistics.items
        levels = subject_levels(items, day=LAST, settings=self.settings.policy)
        self.lake.write(ITEM_BANK, item_bank(items, levels, day=LAST), day=LAST)

    def recommend(self, learner: str, skill: str, level: int, **others: object) -> None:
        """One recommendation in force."""
        subject = "algebra" if int(skill[-1]) % 2 else "geometry"
        row = {
            "learner": self.pseudonym(learner), "shard": 0, "day": LAST, "subject": subject, "skill_id": skill,
            "rank": 1, "kind": "maintain", "current_level": level, "recommended_level": level, "content_skill": skill,
            "reasoning_learner": "Carry on.", **others,
        }  # fmt: skip
        schema = RECOMMENDATIONS.schema
        frame = pl.DataFrame({name: [row.get(name)] for name in schema}, schema=dict(schema))
        self.lake.write(RECOMMENDATIONS, frame, day=LAST)


def opened(home: Path, url: str) -> LiveSchool:
    """A school with a week of answers, all of them folded."""
    school = LiveSchool(home, url)
    school.empty_inbox()
    school.land(history())
    school.fold()
    school.publish_bank()
    return school


def copied(school: LiveSchool, folder: Path) -> LiveSchool:
    """The same school in a place of its own, with nothing in the inbox."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(school.home, folder)
    other = LiveSchool(folder, school.url)
    other.__dict__["brain"] = school.brain
    other.empty_inbox()
    return other
