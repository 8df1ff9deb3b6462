"""Population statistics: what they estimate, whose answers they hold, how they are kept."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.errors import ModelError
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.statistics import Statistics, fit_statistics, learner_folds, out_of_fold
from aivo_assets_tests.tracing.histories import events, histories, school

SETTINGS = FeatureSettings()
FEW = settings(max_examples=25, deadline=None)


def rasch_school(learners: int, items: int, seed: int, *, streamed: bool) -> tuple[pl.DataFrame, np.ndarray]:
    """Answers by the model itself; `streamed`: the able meet the hard items, so that raw shares mislead."""
    random = np.random.default_rng(seed)
    ability, difficulty = random.normal(size=learners), random.normal(size=items)
    rank = np.argsort(np.argsort(ability)) / learners
    hard = np.argsort(np.argsort(difficulty)) / items
    rows = []
    for one in range(learners):
        for at, item in enumerate(range(items)):
            if streamed and abs(rank[one] - hard[item]) > 0.4:
                continue
            p = 1 / (1 + math.exp(difficulty[item] - ability[one]))
            rows.append(
                {
                    "learner": f"l{one:04d}",
                    "at": 60 * at,
                    "item": f"i{item:02d}",
                    "skills": ["s"],
                    "correct": int(random.random() < p),
                }
            )
    return events(rows), difficulty


def test_difficulty_is_that_of_the_item_and_not_of_who_answers_it():
    history, truth = rasch_school(400, 30, 7, streamed=True)
    fitted = fit_statistics(history, FeatureSettings(difficulty_passes=12, difficulty_prior_events=2.0)).items
    found = fitted.sort("item_id")["difficulty"].to_numpy()
    share = (fitted["wins"] / fitted["events"]).to_numpy()
    raw = -np.log(share / (1 - share))
    assert np.corrcoef(found, truth)[0, 1] > 0.97
    assert np.corrcoef(found, truth)[0, 1] > np.corrcoef(raw, truth)[0, 1]
    assert np.polyfit(truth, found, 1)[0] > np.polyfit(truth, raw, 1)[0] + 0.2  # streaming flattens the raw shares
    assert np.abs(found - truth).mean() < 0.25


def test_the_given_uncertainty_of_a_difficulty_is_about_its_error():
    history, truth = rasch_school(300, 40, 3, streamed=False)
    fitted = fit_statistics(history, FeatureSettings(difficulty_passes=12)).items.sort("item_id")
    scaled = (fitted["difficulty"].to_numpy() - truth) / fitted["difficulty_sd"].to_numpy()
    assert 0.6 < np.std(scaled) < 1.5


def test_a_rare_item_is_taken_for_its_skills_and_a_frequent_one_for_itself():
    easy = [
        {"learner": f"l{n:03d}", "at": 10 * k, "item": f"i{k}", "skills": ["easy"], "correct": int((n + k) % 10 != 0)}
        for n in range(60)
        for k in range(3)
    ]
    hard = [
        {"learner": f"l{n:03d}", "at": 900, "item": "often", "skills": ["easy"], "correct": int(n % 10 == 0)}
        for n in range(60)
    ]
    rare = [{"learner": "l000", "at": 999, "item": "rare", "skills": ["easy"], "correct": 0}]
    strong = FeatureSettings(difficulty_passes=12, difficulty_prior_events=10.0)
    fitted = fit_statistics(events([*easy, *hard, *rare]), strong)
    items = {row["item_id"]: row for row in fitted.items.iter_rows(named=True)}
    skill = fitted.skills.row(0, named=True)["difficulty"]
    assert abs(items["rare"]["difficulty"] - skill) < 0.5  # one wrong answer moves it a little
    assert items["rare"]["difficulty"] > skill
    assert items["often"]["difficulty"] > skill + 1.5
    assert items["often"]["difficulty_sd"] < items["rare"]["difficulty_sd"]


def test_counts_skills_subjects_and_response_times_are_those_of_the_events():
    history = events(
        [
            {"learner": "a", "at": 0, "item": "i0", "skills": ["s2", "s1"], "correct": 1, "response_time_ms": 1000},
            {"learner": "b", "at": 0, "item": "i0", "skills": ["s2", "s1"], "correct": 0, "response_time_ms": None},
            {"learner": "b", "at": 9, "item": "i1", "skills": ["s2"], "correct": 1, "response_time_ms": 4000},
        ]
    )
    fitted = fit_statistics(history, SETTINGS)
    assert fitted.items.select("item_id", "subject", "skill_ids", "events", "wins").rows() == [
        ("i0", "maths", ["s1", "s2"], 2, 1),
        ("i1", "maths", ["s2"], 1, 1),
    ]
    assert fitted.skills.select("skill_id", "subject", "events", "wins").rows() == [
        ("s1", "maths", 2, 1),
        ("s2", "maths", 3, 2),
    ]
    assert fitted.base_rate == pytest.approx((2 + 1) / (3 + 2))
    mean = (math.log(1000) + math.log(4000)) / 2
    assert fitted.log_response_time == pytest.approx(mean)
    assert fitted.items["log_response_time"].to_list() == pytest.approx(
        [(math.log(1000) + 5 * mean) / 6, (math.log(4000) + 5 * mean) / 6]
    )


def test_without_any_response_time_none_is_typical():
    fitted = fit_statistics(school(4, 5, 1).with_columns(response_time_ms=pl.lit(None, pl.Int64)), SETTINGS)
    assert math.isnan(fitted.log_response_time)
    assert fitted.items["log_response_time"].null_count() == fitted.items.height


@FEW
@given(histories(), st.integers(0, 2**16))
def test_the_order_of_rows_changes_nothing(history, seed):
    shuffled = history.sample(fraction=1.0, shuffle=True, seed=seed)
    assert fit_statistics(shuffled, SETTINGS).version == fit_statistics(history, SETTINGS).version


@FEW
@given(st.integers(0, 2**16), st.integers(2, 4), st.integers(0, 1000))
def test_out_of_fold_holds_nothing_of_the_learners_own_fold(seed, folds, salt):
    """Whatever the learners of a fold answer, the statistics that their rows use stay the same to the last bit."""
    history = school(12, 8, seed)
    names = history["learner"].unique().sort()
    assigned = dict(zip(names, learner_folds(names, folds, salt), strict=True))
    if len(set(assigned.values())) < 2:
        return
    before = out_of_fold(history, SETTINGS, folds=folds, seed=salt)
    fold_of_row = history["learner"].replace_strict(assigned, return_dtype=pl.Int32)
    for k, part in enumerate(before.folds):
        mine = pl.Series(fold_of_row == k)
        other = history.with_columns(
            correct=pl.when(mine).then(1 - pl.col("correct")).otherwise("correct").cast(pl.Int8),
            response_time_ms=pl.when(mine).then(1).otherwise("response_time_ms"),
        )
        assert out_of_fold(other, SETTINGS, folds=folds, seed=salt).folds[k].version == part.version
        assert part.version == fit_statistics(history.filter(~mine), SETTINGS).version
        assert part.events == history.filter(~mine).height


def hashed(content: bytes, seed: int) -> int:
    """FNV-1a 64 begun at its offset xor seed, then the mixer of splitmix64, in whole numbers."""
    value = 0xCBF29CE484222325 ^ seed
    for byte in content:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return value ^ (value >> 31)


def test_a_learners_fold_depends_on_name_and_seed_only():
    names = pl.Series([f"learner {n}" for n in range(4000)])
    folds = learner_folds(names, 5, 0)
    assert folds[::7].tolist() == learner_folds(names[::7], 5, 0).tolist()
    assert np.bincount(folds, minlength=5).min() > 700
    other = learner_folds(names, 5, 1)
    assert 0.15 < np.mean(folds == other) < 0.25  # independent assignments agree one time in five
    some = ["a", "b", "", "é", "a longer name"]
    assert learner_folds(pl.Series(some), 1000, 3).tolist() == [hashed(name.encode(), 3) % 1000 for name in some]


def test_statistics_come_back_from_their_frames_and_damaged_ones_are_refused():
    fitted = fit_statistics(school(6, 9, 4), SETTINGS)
    again = Statistics.from_frames(fitted.to_frames())
    assert again.version == fitted.version
    assert again.items.equals(fitted.items)
    with pytest.raises(ModelError, match="no usable frame 'items'"):
        Statistics.from_frames({**fitted.to_frames(), "items": fitted.items.drop("wins")})


def test_the_version_follows_the_content():
    history = school(6, 9, 4)
    flipped = history.with_columns(correct=(1 - pl.col("correct")).cast(pl.Int8))
    assert fit_statistics(history, SETTINGS).version != fit_statistics(flipped, SETTINGS).version


def test_statistics_of_no_event_are_refused():
    with pytest.raises(ModelError, match="No event is left"):
        fit_statistics(school(2, 2, 1).clear(), SETTINGS)
    with pytest.raises(ModelError, match="No event is left"):
        out_of_fold(school(1, 5, 1), SETTINGS, folds=2, seed=0)
