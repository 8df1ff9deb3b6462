"""The next exercise: the level in force, items that fit the learner of this moment, nothing that was just answered."""

import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aivo_assets.live.next_exercise import Advice, NextAsked, NextExercises, UnknownSkillError, next_exercises
from aivo_assets.live.predictions import predict
from aivo_assets.live.receiving import receive
from aivo_assets.tracing.fold.features import query
from aivo_assets_tests.live.school import ITEMS, NOW, LiveSchool, answer, copied


def following(school: LiveSchool, learner: str, asked: NextAsked | None = None) -> NextExercises:
    now = school.learners().now(school.pseudonym(learner), school.brain)
    advice = Advice(school.lake, time.monotonic)
    return next_exercises(asked or NextAsked(), now, school.brain, advice, school.settings, NOW)


def test_level_and_skill_are_those_in_force_and_the_reason_is_told(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    here.recommend("pupil-1", "skill-2", 7, override="pin")
    chosen = following(here, "pupil-1", NextAsked(count=3))
    assert (chosen.subject, chosen.skill, chosen.level, chosen.override) == ("geometry", "skill-2", 7, "pin")
    assert chosen.reasons == {"learner": "Carry on."}
    assert all("skill-2" in skills for skills in chosen.exercises["skill_ids"])
    assert 1 <= chosen.exercises.height <= 3


def test_an_app_may_ask_for_a_skill_and_leave_items_out(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    here.recommend("pupil-1", "skill-2", 7)
    first = following(here, "pupil-1", NextAsked(skill="skill-1", count=2))
    assert (first.skill, first.kind) == ("skill-1", None)
    left_out = frozenset(first.exercises["item_id"])
    second = following(here, "pupil-1", NextAsked(skill="skill-1", count=2, exclude=left_out))
    assert not left_out & set(second.exercises["item_id"])


def test_what_was_just_answered_is_not_next(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    here.recommend("pupil-6", "skill-3", 5)
    for n in range(4):
        item = following(here, "pupil-6").exercises["item_id"][0]
        row = answer("pupil-6", int(item.removeprefix("item-")), NOW - timedelta(seconds=60 - n), 1, f"n{n}")
        receive([row], here.inbox, here.key, now=NOW, subject="general")
        assert item not in following(here, "pupil-6", NextAsked(count=50)).exercises["item_id"].to_list()


def test_a_skill_that_nothing_is_left_of_gives_no_exercise(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    everything = frozenset(f"item-{n}" for n in range(ITEMS))
    assert following(here, "pupil-1", NextAsked(exclude=everything)).exercises.is_empty()


def test_a_learner_whom_nobody_knows_gets_an_exercise(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    chosen = following(here, "a-new-pupil")
    assert chosen.exercises.height == 1
    assert (chosen.review, chosen.kind) == (False, None)


def test_a_skill_that_there_is_not_is_named(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    with pytest.raises(UnknownSkillError, match="no skill 'alchemy'"):
        following(here, "pupil-1", NextAsked(skill="alchemy"))


def test_a_skill_comes_back_as_a_review_after_days_without_practice(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    now = here.learners().now(here.pseudonym("pupil-1"), here.brain)
    advice = Advice(here.lake, time.monotonic)
    last = now.states.skills.filter(pl.col("skill_id") == "skill-1")["last_event_at"][0]
    for days, review in ((13, False), (14, True)):
        at = last + timedelta(days=days)
        asked = NextAsked(skill="skill-1")
        assert next_exercises(asked, now, here.brain, advice, here.settings, at).review is review


def test_probabilities_are_the_champions_and_lie_in_their_band(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    now = here.learners().now(here.pseudonym("pupil-7"), here.brain)
    items = Advice(here.lake, time.monotonic).items(["item-3", "item-9", "item-3"])
    answers = predict(now.learner, items, now.states, here.brain, here.settings.students, NOW)
    asked = items.with_columns(learner=pl.lit(now.learner), at=pl.lit(NOW).cast(pl.Datetime("us", "UTC")))
    said = here.brain.predict(query(asked, here.brain.statistics, now.states, here.brain.fold_settings))
    assert np.array_equal(answers["probability"].to_numpy(), said)
    assert answers.select((pl.col("lower") < pl.col("probability")) & (pl.col("probability") < pl.col("upper")))[
        "lower"
    ].all()
