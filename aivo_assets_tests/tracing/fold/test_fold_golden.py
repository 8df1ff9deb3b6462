"""The fold's numbers by hand, on histories small enough to follow with a pencil."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.catalogue import FEATURES, NAMES, feature_schema
from aivo_assets.tracing.fold.features import fold, query
from aivo_assets.tracing.fold.statistics import ITEM_COLUMNS, SKILL_COLUMNS, Statistics, fit_statistics, out_of_fold
from aivo_assets_tests.tracing.histories import START, events
from aivo_assets_tests.tracing.synthetic_school import with_plain_behaviour

# Round numbers, so that the sums below can be followed; the defaults are others.
SETTINGS = FeatureSettings(
    ability_sd=1.0,
    subject_sd=0.4,
    skill_sd=0.8,
    ability_drift=0.02,
    skill_drift=0.02,
    ability_growth=0.002,
    skill_growth=0.02,
)
KNOWN = Statistics(
    items=with_plain_behaviour(
        pl.DataFrame(
            {
                "item_id": ["i0", "i1"],
                "subject": ["maths", "maths"],
                "skill_ids": [["s0"], ["s1"]],
                "events": [99, 19],
                "wins": [49, 5],
                "difficulty": [0.0, 1.0],
                "difficulty_sd": [0.2, 0.4],
                "log_response_time": [math.log(1000.0), math.log(2000.0)],
            },
        ),
        ITEM_COLUMNS,
    ),
    skills=with_plain_behaviour(
        pl.DataFrame(
            {
                "skill_id": ["s0", "s1"],
                "subject": ["maths", "maths"],
                "events": [99, 19],
                "wins": [49, 5],
                "difficulty": [0.1, 0.8],
                "difficulty_sd": [0.1, 0.3],
            },
        ),
        SKILL_COLUMNS,
    ),
    events=118,
    base_rate=0.5,
    difficulty=-0.3,
    prior_sd=0.6,
    log_response_time=math.log(1200.0),
)
STREAK = [
    {"learner": "a", "at": 0, "item": "i0", "correct": 1, "response_time_ms": 1000, "hint_count": 0},
    {"learner": "a", "at": 10, "item": "i0", "correct": 0, "response_time_ms": 4000, "hint_count": 2},
    {"learner": "a", "at": 30, "item": "i1", "correct": 0},
    {"learner": "a", "at": 30 + 7200, "item": "i0", "correct": 1, "response_time_ms": 1000, "hint_count": 0},
    {"learner": "a", "at": 3 * 86400, "item": "i0", "correct": 1},
]


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, float]]:
    """The features of the five events of STREAK."""
    table = fold(events(STREAK), KNOWN, None, SETTINGS).features
    return [dict(zip(table.names, map(float, row), strict=True)) for row in table.values]


def of(rows: list[dict[str, float]], name: str) -> list[float]:
    return [row[name] for row in rows]


def close(expected: list[float]) -> object:
    return pytest.approx(expected, rel=1e-5, abs=1e-6, nan_ok=True)


NAN = math.nan


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("learner_opportunities", [0, 1, 2, 3, 4]),
        ("learner_wins", [0, 1, 1, 1, 2]),
        ("learner_streak", [0, 1, -1, -2, 1]),
        ("outcome_1", [NAN, 1, 0, 0, 1]),
        ("outcome_3", [NAN, NAN, NAN, 1, 0]),
        ("outcome_4", [NAN, NAN, NAN, NAN, 1]),
        ("skill_opportunities", [0, 1, 0, 2, 3]),
        ("skill_wins", [0, 1, 0, 1, 2]),
        ("skill_streak", [0, 1, 0, -1, 1]),
        ("skill_outcome_2", [NAN, NAN, NAN, 1, 0]),
        ("skill_log_lag", [NAN, math.log(2), NAN, math.log(3), math.log(2)]),
        ("item_opportunities", [0, 1, 0, 2, 3]),
        ("item_wins", [0, 1, 0, 1, 2]),
        ("item_last_hints", [NAN, 0, NAN, 2, 0]),
        ("subject_opportunities", [0, 1, 2, 3, 4]),
        ("log_gap", [NAN, math.log(11), math.log(21), math.log(7201), math.log(1 + 3 * 86400 - 7230)]),
        ("item_log_gap", [NAN, math.log(11), NAN, math.log(7221), math.log(1 + 3 * 86400 - 7230)]),
        ("log_age", [NAN, math.log(11), math.log(31), math.log(7231), math.log(1 + 3 * 86400)]),
        ("session_position", [0, 1, 2, 0, 0]),  # two hours and three days are longer than the gap of a session
        ("session_minutes", [0, 10 / 60, 30 / 60, 0, 0]),
        ("today_events", [0, 1, 2, 3, 0]),
        ("last_pace", [NAN, 0, math.log(4), NAN, 0]),
        ("last_hints", [NAN, 0, 2, NAN, 0]),
        ("last_difficulty", [NAN, 0, 0, 1, 0]),
        ("item_difficulty", [0, 0, 1, 0, 0]),
        ("item_log_events", [math.log(100), math.log(100), math.log(20), math.log(100), math.log(100)]),
        ("skill_difficulty", [0.1, 0.1, 0.8, 0.1, 0.1]),
        ("item_log_response_time", [math.log(1000), math.log(1000), math.log(2000), math.log(1000), math.log(1000)]),
        ("skills", [1, 1, 1, 1, 1]),
        ("hour", [8, 8 + 10 / 3600, 8 + 30 / 3600, 10 + 30 / 3600, 8]),
        ("weekday", [0, 0, 0, 0, 3]),
    ],
)
def test_what_is_counted_and_timed(rows, name, expected):
    assert of(rows, name) == close(expected)


def test_a_residual_halves_its_weight_every_half_life_and_is_shrunk_by_the_prior(rows):
    easy, hard = 0.5, sigmoid(-1.0)  # expected from difficulty alone: i0, i1
    # Half-life 1: decay 1/2, weights of n events 1, 1.5, 1.75, 1.875, plus one prior event of no surprise.
    first = 1 - easy
    second = first / 2 + (0 - easy)
    third = second / 2 + (0 - hard)
    fourth = third / 2 + (1 - easy)
    assert of(rows, "learner_residual_1") == close([0, first / 2, second / 2.5, third / 2.75, fourth / 2.875])
    skill_third = second / 2 + (1 - easy)  # on s0 the answer to i1 does not count
    assert of(rows, "skill_residual_1") == close([0, first / 2, 0, second / 2.5, skill_third / 2.75])
    assert of(rows, "item_residual_1") == close([0, first / 2, 0, second / 2.5, skill_third / 2.75])
    decay = 0.5 ** (1 / 10)
    assert rows[2]["learner_residual_3"] == pytest.approx((0.5 * decay - 0.5) / (1 + decay + 1), rel=1e-5)


def test_pace_and_hints_are_weighted_means_of_what_is_known(rows):
    decay = 0.5 ** (1 / 10)
    pace = (0 * decay + math.log(4)) / (decay + 1)
    later = (math.log(4) * decay + 0) / (decay**2 + decay + 1)  # the third answer had no response time
    assert of(rows, "pace") == close([NAN, 0, pace, pace, later])
    share = 1 / (decay + 1)
    assert of(rows, "hint_rate") == close([NAN, 0, share, share, decay / (decay**2 + decay + 1)])


def test_the_moments_of_the_filter_after_two_answers(rows):
    """By hand: ability N(0, 1), subject N(0, 0.16), skill N(0, 0.64), item 0 ± 0.2; right, then wrong after 10 s."""
    variances, means = [1.0, 0.16, 0.64], [0.0, 0.0, 0.0]
    drift, growth = [0.02, 0.02, 0.02], [0.002, 0.02, 0.02]
    for answer, seconds in ((1, 0), (0, 10)):
        variances = [
            min(v + d * seconds / 86400, cap) for v, d, cap in zip(variances, drift, [1.0, 0.16, 0.64], strict=True)
        ]
        total = sum(variances) + 0.2**2
        expected = sigmoid((sum(means) - 0.0) / math.sqrt(1 + math.pi / 8 * total))
        weight = expected * (1 - expected)
        means = [m + v * (answer - expected) / (1 + weight * total) for m, v in zip(means, variances, strict=True)]
        variances = [
            min(v - v * v * weight / (1 + weight * total) + g, cap)
            for v, g, cap in zip(variances, growth, [1.0, 0.16, 0.64], strict=True)
        ]
        if answer:
            after_one = (means[0], means[0] + means[1])
    assert (rows[1]["ability"], rows[1]["subject_ability"]) == pytest.approx(after_one, rel=1e-5)
    assert rows[0]["logit"] == 0.0
    assert rows[0]["logit_sd"] == pytest.approx(math.sqrt(1.84), rel=1e-5)

    states = fold(events(STREAK[:2]), KNOWN, None, SETTINGS).states
    assert states.learners.select("ability", "ability_variance").row(0) == pytest.approx((means[0], variances[0]))
    assert states.subjects.select("offset", "offset_variance").row(0) == pytest.approx((means[1], variances[1]))
    assert states.skills.select("offset", "offset_variance").row(0) == pytest.approx((means[2], variances[2]))

    grown = [v + d * 20 / 86400 for v, d in zip(variances[:2], drift[:2], strict=True)]  # third answer, on a new skill
    assert rows[2]["ability_sd"] == pytest.approx(math.sqrt(grown[0]), rel=1e-5)
    total = min(grown[0], 1.0) + min(grown[1], 0.16) + 0.64
    assert rows[2]["mastery"] == pytest.approx(
        sigmoid((means[0] + means[1] - 0.8) / math.sqrt(1 + math.pi / 8 * total)), rel=1e-5
    )


def test_an_event_on_several_skills_is_one_row_and_teaches_each_a_share():
    history = events(
        [
            {"learner": "a", "at": 0, "item": "i0", "correct": 1, "skills": ["s0"]},
            {"learner": "a", "at": 60, "item": "i1", "correct": 1, "skills": ["s1", "s0", "s1"]},
        ]
    )
    folded = fold(history, KNOWN, None, SETTINGS)
    table, states = folded.features, folded.states
    assert table.height == 2
    assert table.column("skills").tolist() == [1, 2]
    assert table.column("skill_opportunities").tolist() == [0, 0.5]
    assert table.column("skill_fewest_opportunities").tolist() == [0, 0]
    assert table.column("skill_difficulty")[1] == pytest.approx(0.45)
    assert table.column("skill_outcome_1")[1] == 1.0  # of the one that was practised
    assert table.column("mastery_lowest")[1] < table.column("mastery")[1]
    assert states.skills.select("skill_id", "events", "wins").rows() == [("s0", 2, 2), ("s1", 1, 1)]
    # On the second answer s1 began with variance 0.64 and half a share of the logit, so it moves by half as much as
    # a skill alone would.
    moved = states.skills.filter(pl.col("skill_id") == "s1").row(0, named=True)["offset"]
    alone = query(
        pl.DataFrame(
            {"learner": ["a"], "subject": ["maths"], "skill_ids": [["s0", "s1"]], "item_id": ["i1"], "at": [START]}
        ),
        KNOWN,
        fold(history[:1], KNOWN, None, SETTINGS).states,
        SETTINGS,
    )
    expected, total = sigmoid(float(alone.column("logit")[0])), float(alone.column("logit_sd")[0]) ** 2
    weight = expected * (1 - expected)
    assert moved == pytest.approx(0.64 / 2 * (1 - expected) / (1 + weight * total), rel=1e-3)


def test_an_item_that_nobody_answered_is_taken_for_its_skills_and_they_for_the_whole():
    history = events(
        [
            {"learner": "a", "at": 0, "item": "new1", "correct": 1, "skills": ["s1"]},
            {"learner": "b", "at": 0, "item": "new2", "correct": 1, "skills": ["unheard"]},
        ]
    )
    table = fold(history, KNOWN, None, SETTINGS).features
    assert table.column("item_difficulty").tolist() == pytest.approx([0.8, -0.3])
    assert table.column("item_difficulty_sd").tolist() == pytest.approx([math.hypot(0.6, 0.3), math.hypot(0.6, 0.6)])
    assert table.column("item_log_events").tolist() == [0, 0]
    assert table.column("item_log_response_time").tolist() == pytest.approx([math.log(1200.0)] * 2)


def test_uncertainty_grows_while_a_learner_is_away_up_to_that_of_a_stranger():
    states = fold(events(STREAK), KNOWN, None, SETTINGS).states
    days = [0, 7, 60, 4000]
    queries = pl.DataFrame(
        {
            "learner": ["a"] * 4,
            "subject": ["maths"] * 4,
            "skill_ids": [["s0"]] * 4,
            "at": [START + timedelta(days=3 + day) for day in days],
        },
        schema_overrides={"at": pl.Datetime("us", "UTC")},
    )
    table = query(queries, KNOWN, states, SETTINGS)
    sd = table.column("ability_sd").tolist()
    assert sd == sorted(sd)
    assert sd[1] ** 2 - sd[0] ** 2 == pytest.approx(7 * 0.02, rel=1e-4)
    assert sd[3] == 1.0
    assert len(set(table.column("ability").tolist())) == 1


def test_everything_that_is_unknown_at_the_first_event_of_a_learner_is_nan_or_zero(rows):
    unknown = {name for name, value in rows[0].items() if math.isnan(value)}
    assert unknown == {
        *(f"outcome_{j}" for j in range(1, 5)),
        *("log_gap", "log_age", "pace", "last_pace", "hint_rate", "last_hints", "last_difficulty"),
        *("skill_outcome_1", "skill_outcome_2", "skill_log_gap", "skill_log_lag"),
        *("item_outcome_1", "item_log_gap", "item_log_lag", "item_last_hints"),
        *("transition_surprise", "transition_outcome_surprise", "transition_log_events", "transition_rarity"),
        "skill_set",  # KNOWN knows no set
    }


def test_skills_taken_together_are_a_category_with_the_same_number_in_training_and_in_service():
    asked = [["s1"], ["s0", "s1"], ["s1", "s0"], ["s0"], ["s2", "s0"]]
    history = events(
        [{"learner": f"l{i}", "at": 0, "item": "i0", "correct": i % 2, "skills": s} for i, s in enumerate(asked)]
    )
    known = history.filter(pl.col("learner") != "l4")
    statistics = fit_statistics(known, SETTINGS)
    assert statistics.skill_sets.to_list() == ["s0", "s0\x1fs1", "s1"]
    table = fold(history, statistics, None, SETTINGS).features
    assert table.column("skill_set")[:4].tolist() == [2, 1, 1, 0]
    assert math.isnan(table.column("skill_set")[4])
    trained = fold(known, out_of_fold(known, SETTINGS, folds=2, seed=0), None, SETTINGS).features
    assert trained.column("skill_set").tolist() == [2, 1, 1, 0]


def test_events_without_response_times_hints_or_gaps_fold():
    history = events([{key: row[key] for key in ("learner", "at", "item", "correct")} for row in STREAK])
    bare = history.drop("response_time_ms", "hint_count", "gap_s", "event", "shard")
    folded = fold(bare, KNOWN, None, SETTINGS)
    assert np.isnan(folded.features.column("pace")).all()
    assert np.isnan(folded.features.column("hint_rate")).all()
    # Without gaps the clock goes by the coarse minute: the three answers of 8:00 seem to fall together.
    assert folded.features.column("log_gap").tolist()[1:3] == [0.0, 0.0]
    assert folded.states.learners["last_event_at"][0] == datetime(2024, 1, 4, 8, 0, tzinfo=UTC)


def test_the_clock_is_coarse_at_the_first_event_of_a_day_and_exact_from_there():
    history = events([{**STREAK[0], "at": 45}, {**STREAK[1], "at": 50}])  # 8:00:45 is told as 8:00
    states = fold(history, KNOWN, None, SETTINGS).states
    assert states.learners["last_event_at"][0] == START + timedelta(seconds=5)


def test_every_feature_has_a_name_and_a_meaning_and_the_hash_follows_the_settings():
    assert len(FEATURES) == len(set(NAMES)) == 74
    assert all(spec.description and spec.about for spec in FEATURES)
    assert feature_schema(SETTINGS).names == NAMES
    assert feature_schema(SETTINGS).hash != feature_schema(FeatureSettings(session_gap_minutes=31)).hash
