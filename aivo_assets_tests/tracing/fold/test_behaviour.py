"""What items do beyond being hard: the fit and the fold agree, and each part finds what was put there."""

import math

import numpy as np
import polars as pl
import pytest

from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.features import fold, query
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.fold.statistics import Statistics, fit_statistics
from aivo_assets_tests.tracing.histories import events, school

SETTINGS = FeatureSettings()


def surprises(table: FeatureTable) -> pl.DataFrame:
    """Each row's answer less what the factors expected, with the item before it."""
    expected = 1.0 / (1.0 + np.exp(-table.column("factor_logit").astype(np.float64)))
    return table.keys.select(
        "learner",
        "item_id",
        "correct",
        previous=pl.col("item_id").shift().over("learner"),
        outcome=pl.col("correct").shift().over("learner"),
        surprise=pl.Series(table.target - expected),
        place=pl.int_range(pl.len()).over("learner", "item_id"),
    )


@pytest.fixture(scope="module")
def fitted() -> tuple[Statistics, pl.DataFrame]:
    history = school(30, 40, 4)
    statistics = fit_statistics(history, SETTINGS)
    return statistics, surprises(fold(history, statistics, None, SETTINGS).features)


def test_the_means_after_another_item_are_those_of_what_the_fold_expects(fitted):
    statistics, rows = fitted
    prior = SETTINGS.transition_prior_events
    drawn = pl.col("surprise").sum() / (pl.len() + prior)
    after = (
        rows.drop_nulls("previous")
        .group_by("item_id", "previous")
        .agg(
            drawn.alias("any"),
            pl.len().cast(pl.Int64).alias("events"),
            *(
                (
                    pl.col("surprise").filter(pl.col("outcome") == right).sum()
                    / ((pl.col("outcome") == right).sum() + prior)
                ).alias(name)
                for right, name in ((0, "wrong"), (1, "right"))
            ),
        )
        .sort("item_id", "previous")
    )
    lists = ["previous", "previous_events", "previous_surprise", "previous_surprise_wrong", "previous_surprise_right"]
    stored = (
        statistics.items.select("item_id", *lists).explode(lists).drop_nulls("previous").sort("item_id", "previous")
    )
    assert (
        stored.select("item_id", "previous", "previous_events").rows()
        == after.select("item_id", "previous", "events").rows()
    )
    for ours, theirs in zip(lists[2:], ("any", "wrong", "right"), strict=True):
        np.testing.assert_allclose(stored[ours].to_numpy(), after[theirs].to_numpy(), atol=1e-5)


def test_the_means_of_first_tries_are_those_of_what_the_fold_expects(fitted):
    statistics, rows = fitted
    first = (
        rows.filter(pl.col("place") == 0)
        .group_by("item_id")
        .agg(
            pl.col("surprise").sum() / (pl.len() + SETTINGS.repeat_prior_events),
            pl.len().cast(pl.Int64).alias("events"),
        )
    )
    joined = statistics.items.join(first, on="item_id", how="left", maintain_order="left", suffix="_found")
    stored = joined.select(pl.col("repeat_surprise").list.get(0), pl.col("repeat_events").list.get(0))
    np.testing.assert_allclose(stored["repeat_surprise"], joined["surprise"].fill_null(0.0), atol=1e-5)
    assert stored["repeat_events"].to_list() == joined["events_found"].fill_null(0).to_list()


def drill(learners: int) -> pl.DataFrame:
    """i1 is answered rightly after i0 and wrongly after i2; i3 is right at the second try only."""
    order = ["i0", "i1", "i2", "i1", "i3", "i3"]
    answers = [1, 1, 1, 0, 0, 1]
    return events(
        [
            {"learner": f"l{learner}", "at": 60 * place, "item": item, "correct": correct, "skills": ["s"]}
            for learner in range(learners)
            for place, (item, correct) in enumerate(zip(order, answers, strict=True))
        ]
    )


def test_what_came_before_and_which_try_it_is_are_seen():
    history = drill(12)
    statistics = fit_statistics(history, SETTINGS)
    asked = fold(history.filter(pl.col("learner") == "l0"), statistics, None, SETTINGS).features
    rows = [dict(zip(asked.names, map(float, row), strict=True)) for row in asked.values]
    assert math.isnan(rows[0]["transition_surprise"])
    assert rows[1]["transition_surprise"] > 0 > rows[3]["transition_surprise"]
    assert rows[1]["transition_outcome_surprise"] > 0  # i0 was right, and after a right i0 all were right
    assert rows[1]["transition_log_events"] == pytest.approx(math.log1p(12))
    assert rows[1]["transition_rarity"] == pytest.approx(0.0)
    assert rows[2]["transition_rarity"] == pytest.approx(math.log1p(24) - math.log1p(12))  # i1 leads on to i2 and i3
    assert rows[4]["repeat_surprise"] < 0 < rows[5]["repeat_surprise"]
    assert rows[5]["repeat_log_events"] == pytest.approx(math.log1p(12))


def test_a_pair_that_nobody_met_is_zero_and_so_is_a_typical_item_of_the_skills():
    history = drill(12)
    statistics = fit_statistics(history, SETTINGS)
    states = fold(history, statistics, None, SETTINGS).states
    at = history["occurred_at"].max()
    asked = query(
        pl.DataFrame(
            {"learner": ["l0", "l0"], "subject": ["maths"] * 2, "skill_ids": [["s"]] * 2, "item_id": ["i0", None]}
        ).with_columns(at=pl.lit(at)),
        statistics,
        states,
        SETTINGS,
    )
    assert asked.column("transition_log_events")[0] == 0.0
    assert asked.column("transition_rarity")[0] == pytest.approx(math.log1p(24), rel=1e-6)  # i3 was answered 24 times
    assert asked.column("transition_rarity")[1] == asked.column("transition_rarity")[0]
    assert asked.column("transition_surprise").tolist() == [0.0, 0.0]
    assert asked.column("repeat_surprise")[1] == 0.0
    assert asked.column("repeat_log_events")[1] == pytest.approx(math.log1p(12))  # of most items
    nobody = query(
        pl.DataFrame({"learner": ["x"], "subject": ["maths"], "skill_ids": [["s"]]}).with_columns(at=pl.lit(at)),
        statistics,
        states,
        SETTINGS,
    )
    assert np.isnan(nobody.column("transition_surprise")[0])


def two_talents(learners: int, first: int = 0) -> pl.DataFrame:
    """Of eight skills half need one talent, half another; a learner has exactly one of them."""
    random = np.random.default_rng(first)
    rows = []
    for learner in range(first, first + learners):
        talent = learner % 2
        for place in range(60):
            skill = int(random.integers(0, 8))
            chance = 0.85 if skill % 2 == talent else 0.25
            rows.append(
                {
                    "learner": f"l{learner:03d}",
                    "at": 60 * place,
                    "item": f"i{skill}",
                    "skills": [f"s{skill}"],
                    "correct": int(random.random() < chance),
                }
            )
    return events(rows)


def test_success_on_one_skill_says_something_of_related_ones():
    statistics = fit_statistics(two_talents(150), SETTINGS)
    table = fold(two_talents(40, first=500), statistics, None, SETTINGS).features
    late = table.column("learner_opportunities") > 15
    new = table.column("skill_opportunities") < 2  # nothing but related skills can tell
    talent = table.keys["learner"].str.slice(1).cast(pl.Int64).to_numpy() % 2
    suits = table.keys["item_id"].str.slice(1).cast(pl.Int64).to_numpy() % 2 == talent
    offset = table.column("factor_offset")[late & new]
    assert offset[suits[late & new]].mean() > offset[~suits[late & new]].mean() + 0.3


def test_an_item_that_parts_the_able_from_the_others_discriminates():
    random = np.random.default_rng(3)
    rows = []
    for learner in range(150):
        able = learner % 2
        for place in range(30):
            sharp = place % 5 == 4
            chance = (0.95 if able else 0.1) if sharp else (0.7 if able else 0.4)
            rows.append(
                {
                    "learner": f"l{learner:03d}",
                    "at": 60 * place,
                    "item": "i9" if sharp else f"i{place % 5}",
                    "skills": ["s"],
                    "correct": int(random.random() < chance),
                }
            )
    items = fit_statistics(events(rows), SETTINGS).items.sort("discrimination")
    assert items["item_id"][-1] == "i9"
    assert items["discrimination"][-1] > 0
