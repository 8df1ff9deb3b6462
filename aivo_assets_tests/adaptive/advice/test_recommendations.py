"""Recommendations as their readers see them."""

import re
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aivo_assets.adaptive.advice.recommendations import Known, recommend
from aivo_assets.adaptive.advice.wording import load_wording
from aivo_assets.adaptive.policy.threshold_policy import threshold_policy
from aivo_assets.adaptive.schema import COLUMN_DESCRIPTIONS, ITEM_BANK, LEVELS, RECOMMENDATIONS, SIGNALS
from aivo_assets_tests.adaptive.advice.consistency import TEXTS, consistent
from aivo_assets_tests.adaptive.learners import SETTINGS, TODAY, day, ladder, signals
from aivo_assets_tests.adaptive.policy.cases import BASICS, CASES, EASY, HARD, THRESHOLD_CASES

WORDING = load_wording(SETTINGS)


def recommendations(rows: pl.DataFrame, **options: Any) -> pl.DataFrame:
    bank = options.pop("bank", ladder("fractions", per_level=8))
    return recommend(rows, bank, settings=SETTINGS, wording=WORDING, made_by="test", **options)


def one(**known: Any) -> dict[str, Any]:
    return recommendations(signals(**known)).row(0, named=True)


# What the teacher's sentence must say of each learner of CASES, in his own numbers.
SAID = {
    "break_low_focus": ["39%", "40%", "12 answers in 20 minutes"],
    "break_long_session": ["50 minutes", "12 answers"],
    "break_tired": ["100%", "40%", "25 minutes"],
    "maintain_settling": ["2 days ago", "20 answers"],
    "remediation": ["3 of the last 10 answers", "30%", "40%", "between 30% and 52%", "50%"],
    "remediation_early": ["3 of the last 10 answers", "5 answers", "between 30% and 52%"],
    "remediation_failing": ["1 of the last 10 answers", "only 2 answers so far were at level 5", "50%"],
    "level_down": ["5 of the last 10 answers", "55%", "At level 4 it expects 85%"],
    "level_down_early": ["5 answers", "below 60%"],
    "level_down_failing": [
        "1 of the last 10 answers",
        "only 2 answers so far were at level 5",
        "At level 4 it expects 85%",
    ],
    "level_down_first": ["5 of the last 10 answers", "68%", "between 55% and 79%"],
    "change_approach_first": ["5 of the last 10 answers", "no easier tasks"],
    "change_approach_no_gain": ["5 of the last 10 answers", "by only 3 percentage points"],
    "change_approach_no_easier": ["5 of the last 10 answers", "no easier tasks"],
    "change_approach_plateau": ["at level 5 on 5 days", "6 of the last 10 answers"],
    "change_approach_hints": ["60%", "8 of the last 10 answers"],
    "level_up": ["9 of the last 10 answers", "90%", "At level 6 it expects 70%", "20 answers"],
    "level_up_early": ["only 5 answers", "above 85%"],
    "enrichment_ceiling": ["9 of the last 10 answers", "no suitable harder tasks"],
    "enrichment_promising": ["9 answers", "9 of the last 10 answers"],
    "enrichment_growing": ["6 percentage points", "8 of the last 10 answers"],
    "maintain_too_few": ["after 9 answers there", "seems to fit"],
    "maintain_in_zone": ["78%", "70% to 85%", "8 of the last 10 answers"],
    "maintain_unproven": ["90%", "7 of the last 10 answers"],
    "maintain_doubtful": ["55%", "7 of the last 10 answers"],
    "maintain_stretch": ["65%", "a little less than is aimed at"],
    "maintain_unknown": ["knows nothing", "8 of the last 10 answers"],
}


@pytest.mark.parametrize(("rule", "learner"), [case[:2] for case in CASES], ids=[case[0] for case in CASES])
def test_the_sentence_shows_the_learners_own_numbers(rule: str, learner: dict[str, Any]) -> None:
    found = one(**consistent(learner))
    assert found["rule"] == rule
    for words in SAID[rule]:
        assert words in found["reasoning"]


@pytest.mark.parametrize("learner", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_every_field_is_filled_and_reads_well(learner: dict[str, Any]) -> None:
    found = one(**consistent(learner))
    may_be_null = {"level_since", "override", "prerequisite_mastery", "counterfactual_kind"}
    assert [name for name, value in found.items() if value is None and name not in may_be_null] == []
    texts = [found["headline"], *(found[name] for name in TEXTS), *found["suggested_actions"]]
    for text in texts:
        assert text.strip() == text
        assert len(text) > 10
        assert not re.search(r"\d\.\d|[{}]|null|None|nan|  |\b1 (answers|days|minutes|exercises)\b", text), text
        assert "ada" not in text.split()
    assert 0 <= found["confidence"] <= 1
    assert found["evidence"] or found["rule"] == "maintain_unknown"


@pytest.mark.parametrize("learner", [case[1] for case in THRESHOLD_CASES], ids=[case[0] for case in THRESHOLD_CASES])
def test_the_threshold_policy_speaks_too(learner: dict[str, Any]) -> None:
    rows = signals(**{"failures_at_level": 4, **consistent(learner)})
    found = recommendations(rows, known=Known(policy=threshold_policy())).row(0, named=True)
    assert found["policy"] == "threshold"
    assert all(found[name] for name in TEXTS)


def test_one_of_something_is_told_in_the_singular() -> None:
    found = one(attempts_at_level=1, recent_attempts=1, recent_successes=0, recent_accuracy=0.0)
    assert "after 1 answer there" in found["reasoning"]
    assert "0 of 1 answer right" in found["reasoning"]


def test_without_a_model_and_with_few_answers_nothing_is_claimed() -> None:
    found = one(attempts_at_level=2, p_level=None, p_level_lower=None, p_level_upper=None)
    assert (
        "after 2 answers there: 8 of the last 10 answers right in the skill. Whether the level fits is not known yet."
        in found["reasoning"]
    )
    assert "model" not in found["reasoning"]


def test_the_learners_recommendation_is_the_most_pressing_one() -> None:
    rows = pl.concat(
        [
            signals(skill_id="a", **consistent(EASY), latest=False),
            signals(skill_id="b", **consistent(BASICS), latest=False, last_practised_on=day(2)),
            signals(skill_id="c"),
            signals(learner="bob", skill_id="a"),
        ]
    )
    found = recommendations(rows)
    assert found.select("learner", "rank", "skill_id", "kind").rows() == [
        ("ada", 1, "b", "remediation"),
        ("ada", 2, "a", "level_up"),
        ("ada", 3, "c", "maintain"),
        ("bob", 1, "a", "maintain"),
    ]


def test_a_skill_left_for_long_loses_a_step_of_priority_while_others_are_practised() -> None:
    left = signals(skill_id="b", **consistent(BASICS), latest=False, last_practised_on=day(8))
    assert recommendations(left)["priority"].item() == "high"
    found = recommendations(pl.concat([left, signals(skill_id="c")]))
    assert found.filter(skill_id="b")["priority"].item() == "medium"


def test_content_is_of_the_recommended_level_and_not_what_was_just_done() -> None:
    found = one(**consistent(EASY), recent_items=["fractions-41", "fractions-42"])
    assert found["recommended_level"] == 6
    assert found["content_level"] == 6
    assert len(found["content"]) == SETTINGS.content_items
    assert set(found["content"]) <= {f"fractions-{number}" for number in range(43, 49)}


def test_the_surest_item_comes_first() -> None:
    bank = ladder("fractions", per_level=3)
    bank = bank.with_columns(
        level_certainty=pl.when(pl.col("item_id") == "fractions-15").then(0.9).otherwise("level_certainty") * 0.9
    )
    sure = bank.filter(pl.col("level") == 5).sort("level_certainty", descending=True)["item_id"][0]
    assert recommendations(signals(), bank=bank)["content"][0].to_list()[0] == sure


def test_where_the_level_is_used_up_content_comes_from_the_nearest_other_level_and_says_so() -> None:
    found = recommendations(signals(recent_items=["fractions-5"]), bank=ladder("fractions")).row(0, named=True)
    assert (sorted(found["content"]), found["content_level"]) == (["fractions-4", "fractions-6"], 4)
    assert any("level 4" in action for action in found["suggested_actions"])


def test_without_any_item_of_the_skill_the_teacher_is_told_to_choose() -> None:
    found = recommendations(signals(), bank=ladder("ratios")).row(0, named=True)
    assert (found["content"], found["content_level"]) == ([], None)
    assert any("by hand" in action for action in found["suggested_actions"])


BEFORE = {"previous_day": day(1), "previous_kind": "maintain", "previous_plan": "practice", "previous_current_level": 5}


@pytest.mark.parametrize(
    ("learner", "changed"),
    [
        ({}, False),
        (EASY, True),
        (BASICS, True),
        ({**BEFORE, "previous_level": 5}, False),
        ({**BEFORE, "previous_level": 5, **EASY}, True),
        ({**BEFORE, "previous_level": 6, "previous_kind": "level_up", **EASY}, False),
        ({**BEFORE, "previous_level": 4, "previous_kind": "level_down"}, True),
        ({**BEFORE, "previous_level": 5, "previous_plan": "change_approach"}, True),
        ({**BEFORE, "previous_level": 5, "focus": 0.1}, False),
        ({**BEFORE, "previous_level": 5, "focus": 0.1, "previous_plan": "remediation"}, False),
    ],
)
def test_changed_means_another_level_or_plan_than_before(learner: dict[str, Any], changed: bool) -> None:
    assert one(**learner)["changed"] is changed


def test_equal_signals_give_equal_recommendations_whatever_their_order_and_company() -> None:
    rows = pl.concat(
        [signals(learner=name, **consistent(known)) for name, known in (("b", EASY), ("a", HARD), ("c", {}))]
    )
    together = recommendations(rows)
    assert_frame_equal(recommendations(rows.reverse()), together)
    apart = [recommendations(rows.filter(learner=name)) for name in ("a", "b", "c")]
    assert_frame_equal(pl.concat(apart), together)


def test_no_signals_give_no_recommendations_of_the_right_columns() -> None:
    found = recommendations(SIGNALS.empty())
    assert found.is_empty()
    assert dict(found.schema) == dict(RECOMMENDATIONS.schema)


def test_recommendations_carry_what_made_them_and_no_time_of_making() -> None:
    found = one(level_since=TODAY - timedelta(days=9))
    assert (found["made_by"], found["model_version"], found["policy"]) == ("test", "brain-1", "success_zone")
    assert found["level_since"] == TODAY - timedelta(days=9)


@pytest.mark.parametrize("dataset", [ITEM_BANK, LEVELS, SIGNALS, RECOMMENDATIONS], ids=lambda dataset: dataset.path)
def test_every_column_is_described_in_one_sentence(dataset: Any) -> None:
    described = COLUMN_DESCRIPTIONS[dataset.path]
    assert list(described) == list(dataset.schema)
    assert all(text and len(text) <= 120 for text in described.values())


@pytest.mark.parametrize(
    ("learner", "told"),
    [(case[1], case[0]) for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_every_statement_of_the_evidence_is_true(learner: dict[str, Any], told: str) -> None:
    stands = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}
    found = one(**consistent(learner))
    for each in found["evidence"]:
        assert stands[each["direction"]](each["value"], each["threshold"]), (told, each)


def test_what_is_shown_and_does_not_hold_is_shown_the_other_way_round() -> None:
    found = one(**consistent({"attempts_at_level": 2, "p_level": 0.52}))
    assert found["rule"] == "maintain_too_few"
    evidence = [(e["signal"], e["value"], e["direction"], e["threshold"]) for e in found["evidence"]]
    assert ("p_level", 0.52, "<", 0.7) in evidence


def test_there_always_has_a_place_before_it() -> None:
    told = recommendations(pl.concat([signals(**consistent(case[1]), learner=case[0]) for case in CASES]))
    texts = told["counterfactual"].to_list()
    assert any(" there would " in text for text in texts)
    for text in texts:
        assert " there would " not in text or " at level " in text.split(" there would ")[0]
    alone = [text for text in texts if re.match(r" ?\d+ wrong answer", text)]
    assert alone
    assert all(" at level " in text for text in alone)
