"""Which expectations are judged, and how: by hand."""

from typing import Any

import polars as pl
import pytest

from aivo_assets.adaptive.advice.outcomes import judge
from aivo_assets.adaptive.schema import OUTCOMES, RECOMMENDATIONS
from aivo_assets.privacy.overrides import OVERRIDES
from aivo_assets_tests.adaptive.learners import SETTINGS, SUBJECT, TODAY, answers, day, ladder

BANK = ladder("fractions")


def said(back: int, **known: Any) -> pl.DataFrame:
    """A recommendation so many days back: level 5, at least 7 of 10."""
    usual = {
        "learner": "ada",
        "shard": 1,
        "day": day(back),
        "subject": SUBJECT,
        "skill_id": "fractions",
        "rank": 1,
        "kind": "maintain",
        "policy_kind": "maintain",
        "recommended_level": 5,
        "confidence": 0.8,
        "confidence_model": 0.9,
        "expected_successes": 7,
        "expected_attempts": 10,
    }
    row = {**dict.fromkeys(RECOMMENDATIONS.schema), **usual, **known}
    return pl.DataFrame([row], schema=dict(RECOMMENDATIONS.schema))


def judged(made: pl.DataFrame, given: pl.DataFrame, **options: Any) -> pl.DataFrame:
    return judge(made.lazy(), given.lazy(), BANK.lazy(), as_of=TODAY, settings=SETTINGS, **options)


def test_it_holds_where_enough_of_the_next_answers_are_right_and_fails_by_one() -> None:
    for right, held in ((7, True), (6, False)):
        given = pl.concat([answers(back=3, correct=[1] * right), answers(back=1, correct=[0] * (10 - right))])
        found = judged(said(8), given).row(0, named=True)
        assert (found["held"], found["successes"], found["judged_on"]) == (held, right, day(1))
        assert (found["recommended_on"], found["day"], found["confidence"]) == (day(8), TODAY, 0.8)


def test_the_next_ten_count_and_no_more() -> None:
    given = pl.concat([answers(back=3, correct=[1] * 10), answers(back=2, correct=[0] * 10)])
    assert judged(said(8), given)["successes"].to_list() == [10]


@pytest.mark.parametrize(
    "given",
    [
        answers(back=3, correct=[1] * 9),
        answers(back=8, correct=[1] * 10),
        answers(back=3, correct=[1] * 10, item="fractions-7"),
        answers(back=3, correct=[1] * 10, skills=("ratios",)),
        answers("bob", back=3, correct=[1] * 10),
        answers(back=3, correct=[1] * 10, item="nobody-knows"),
    ],
    ids=["too few", "before", "another level", "another skill", "another learner", "unknown items"],
)
def test_what_cannot_be_judged_is_not(given: pl.DataFrame) -> None:
    assert judged(said(8), given).is_empty()


def test_answers_within_the_tolerance_count() -> None:
    given = answers(back=3, correct=[1] * 10, item=["fractions-4", "fractions-6"] * 5)
    assert judged(said(8), given)["held"].to_list() == [True]


def test_what_comes_after_the_active_days_is_too_late() -> None:
    made = said(SETTINGS.active_days + 5)
    assert judged(made, answers(back=4, correct=[1] * 10)).is_empty()
    assert judged(made, answers(back=5, correct=[1] * 10)).height == 1


def test_later_answers_than_the_as_of_day_are_not_known() -> None:
    late = answers(back=-1, correct=[1] * 10)
    assert judged(said(8), late).is_empty()


def test_of_a_week_the_first_recommendation_counts() -> None:
    made = pl.concat([said(back) for back in range(8, 15)])  # a Wednesday to the Tuesday after it
    found = judged(made, answers(back=3, correct=[1] * 10))
    assert found["recommended_on"].to_list() == [day(14), day(9)]


def test_only_so_many_learners_are_judged() -> None:
    made = pl.concat([said(8, learner=name) for name in ("ada", "bob", "cid")])
    given = pl.concat([answers(name, back=3, correct=[1] * 10) for name in ("ada", "bob", "cid")])
    few = SETTINGS.model_copy(update={"outcome_learners": 2})
    found = judge(made.lazy(), given.lazy(), BANK.lazy(), as_of=TODAY, settings=few)
    assert found["learner"].to_list() == ["ada", "bob"]


def test_what_a_teacher_said_of_it_stands_beside_it() -> None:
    word = {"learner": "ada", "shard": 1, "subject": SUBJECT, "skill_id": "fractions", "kind": "maintain"}
    words = pl.DataFrame(
        [
            {**word, "action": "accept", "given_on": day(7)},
            {**word, "action": "reject", "given_on": day(9)},
            {**word, "action": "reject", "given_on": day(8), "learner": "bob"},
        ],
        schema=dict(OVERRIDES.schema),
    )
    found = judged(said(8, override="pin"), answers(back=3, correct=[1] * 10), overrides=words)
    assert found.select("override", "answered").rows() == [("pin", "accept")]


def test_no_recommendations_give_no_outcomes_of_the_right_columns() -> None:
    found = judged(RECOMMENDATIONS.empty(), answers(correct=[1]))
    assert found.is_empty()
    assert dict(found.schema) == dict(OUTCOMES.schema)
