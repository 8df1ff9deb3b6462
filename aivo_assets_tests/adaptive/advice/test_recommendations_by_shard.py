"""Recommendations made a shard after the other are those of all at once, and what is told of them counts them."""

import pickle
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aivo_assets.adaptive.advice.confidence import Confidence
from aivo_assets.adaptive.advice.recommendations import Known, recommend
from aivo_assets.adaptive.advice.recommendations_by_shard import (
    RecommendTask,
    Tally,
    known_to_all,
    provenance,
    recommendations_of,
)
from aivo_assets.adaptive.advice.wording import load_wording
from aivo_assets.adaptive.policy.prerequisites import read_prerequisites, skill_graph
from aivo_assets.adaptive.schema import SIGNALS
from aivo_assets.lake import Lake
from aivo_assets.privacy.overrides import OVERRIDES
from aivo_assets.settings import PolicySettings
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets_tests.adaptive.advice.consistency import consistent
from aivo_assets_tests.adaptive.advice.outcome_rows import outcomes
from aivo_assets_tests.adaptive.learners import SETTINGS, TODAY, day, ladder, signals, student
from aivo_assets_tests.adaptive.policy.cases import BASICS, EASY
from aivo_assets_tests.adaptive.policy.practised_skills import practised
from aivo_assets_tests.adaptive.policy.word_rows import word, words

BANK = ladder("fractions", "division", "counting", per_level=8)
WORDING = load_wording(SETTINGS)
SHARD_OF = {"ada": 0, "bob": 1, "cy": 1}
# Ada and Bob lack the basics, each another one; Cy finds it easy, and his teacher pinned him.
SIGNALS_OF = {"ada": BASICS, "bob": BASICS, "cy": EASY}
WEAK_AT = {"ada": "division", "bob": "counting"}
PINNED = word("pin", learner="cy", level=8, until=TODAY)


def of(learner: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The same row, of another learner."""
    return frame.with_columns(learner=pl.lit(learner), shard=pl.lit(SHARD_OF[learner], pl.Int32))


@pytest.fixture
def given() -> pl.DataFrame:
    return pl.concat([of(learner, signals(**consistent(known))) for learner, known in SIGNALS_OF.items()])


@pytest.fixture
def mastery() -> pl.DataFrame:
    return pl.concat([of(learner, practised(skill, 0.3)) for learner, skill in WEAK_AT.items()])


@pytest.fixture
def lake(tmp_path: Path, given: pl.DataFrame, mastery: pl.DataFrame) -> Lake:
    lake = Lake(tmp_path / "lake", shards=2)
    lake.write(SIGNALS, given, day=TODAY)
    students = pl.concat([of(learner, student()) for learner in SHARD_OF])
    for shard in range(lake.shards):
        for dataset, rows in ((SKILL_MASTERY, mastery), (STUDENT_MODELS, students)):
            lake.replace_shard(dataset, rows.filter(shard=shard), day=TODAY, shard=shard, made_by={"whole": True})
    lake.write(OVERRIDES, words({**PINNED, "shard": 1}))
    return lake


@pytest.fixture
def with_graph(tmp_path: Path) -> PolicySettings:
    path = tmp_path / "graph.csv"
    path.write_text("skill,prerequisite\nfractions,division\nfractions,counting\n")
    return SETTINGS.model_copy(update={"prerequisites": str(path)})


def by_shard(lake: Lake, known: Known) -> list[tuple[pl.DataFrame, Tally]]:
    task = RecommendTask(lake, BANK, known, TODAY, SETTINGS, WORDING, "test")
    return [recommendations_of(task, shard) for shard in range(lake.shards)]


def test_work_on_recommendations_can_be_sent_to_another_process(lake: Lake) -> None:
    task = RecommendTask(lake, BANK, known_to_all(lake, BANK, None, SETTINGS), TODAY, SETTINGS, WORDING, "test")
    there = pickle.loads(pickle.dumps(task))
    assert recommendations_of(there, 0)[0].equals(recommendations_of(task, 0)[0])


def test_shards_one_after_the_other_are_all_learners_at_once(
    lake: Lake, given: pl.DataFrame, mastery: pl.DataFrame, with_graph: PolicySettings
) -> None:
    judged = outcomes(2 * SETTINGS.confidence_minimum, offset=-1.0)
    known = known_to_all(lake, BANK, judged, with_graph)
    made = pl.concat([rows for rows, _ in by_shard(lake, known)])
    graph = skill_graph(read_prerequisites(Path(str(with_graph.prerequisites))), BANK["skill_ids"].explode())
    everything = Known(Confidence.fit(judged, SETTINGS), words(PINNED), graph, mastery)
    whole = recommend(given, BANK, settings=SETTINGS, wording=WORDING, made_by="test", known=everything)
    assert_frame_equal(made.sort("learner", "rank"), whole)
    assert made["confidence_outcomes"].min() == judged.height
    assert dict(made.select("learner", "content_skill").rows()) == {**WEAK_AT, "cy": "fractions"}
    assert made.filter(learner="cy")["override"].to_list() == ["pin"]


def test_without_a_skill_graph_what_was_practised_before_decides_nothing(lake: Lake) -> None:
    known = known_to_all(lake, BANK, None, SETTINGS)
    assert known.graph.closure.is_empty()
    made = pl.concat([rows for rows, _ in by_shard(lake, known)])
    assert made["content_skill"].unique().to_list() == ["fractions"]


def test_what_is_told_of_the_shards_is_added(lake: Lake) -> None:
    first, second = (told for _, told in by_shard(lake, known_to_all(lake, BANK, None, SETTINGS)))
    assert (first.rows_in, first.learners, first.overridden) == (1, 1, 0)
    assert (second.rows_in, second.learners, second.overridden) == (2, 2, 1)
    told = Tally() + first + second
    assert (told.rows_in, told.learners, told.overridden, told.changed) == (3, 3, 1, 3)
    assert told.kinds == Counter({"remediation": 2, "level_up": 1})


def test_other_data_of_the_day_or_other_words_are_another_provenance(lake: Lake, given: pl.DataFrame) -> None:
    before = provenance(lake, day=TODAY, wording=WORDING)
    lake.write(SIGNALS, given.with_columns(day=pl.lit(day(1))), day=day(1))
    assert provenance(lake, day=TODAY, wording=WORDING) == before
    lake.write(OVERRIDES, OVERRIDES.empty())
    without_words = provenance(lake, day=TODAY, wording=WORDING)
    lake.write(SIGNALS, given.head(1), day=TODAY)
    assert len({before, without_words, provenance(lake, day=TODAY, wording=WORDING)}) == 3
    assert before.endswith("; wording en")
