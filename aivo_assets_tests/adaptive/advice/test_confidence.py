"""The calibration of the confidence: nothing from nothing, and the truth from enough."""

import numpy as np
import pytest
from scipy.special import expit, logit

from aivo_assets.adaptive.advice.confidence import Confidence
from aivo_assets.adaptive.schema import OUTCOMES
from aivo_assets_tests.adaptive.advice.outcome_rows import outcomes, said
from aivo_assets_tests.adaptive.learners import SETTINGS


def test_without_outcomes_the_model_is_believed() -> None:
    for known in (None, OUTCOMES.empty(), outcomes(SETTINGS.confidence_minimum - 1)):
        fitted = Confidence.fit(known, SETTINGS)
        assert fitted.outcomes == 0
        assert said(fitted, [0.2, 0.9]) == [0.2, 0.9]


def test_many_recommendations_about_few_skills_are_few_outcomes() -> None:
    assert Confidence.fit(outcomes(SETTINGS.confidence_minimum // 10, each=20), SETTINGS).outcomes == 0


def test_a_model_that_promises_too_much_is_corrected() -> None:
    fitted = Confidence.fit(outcomes(8000, slope=0.5, offset=-0.5), SETTINGS)
    wanted = expit(0.5 * logit(np.array([0.3, 0.6, 0.9])) - 0.5)
    assert said(fitted, [0.3, 0.6, 0.9]) == pytest.approx(wanted, abs=0.03)


def test_a_kind_is_corrected_by_its_own_outcomes_and_an_unknown_one_by_none() -> None:
    fitted = Confidence.fit(outcomes(8000, by_kind=-1.0), SETTINGS)
    (up,), (stay,), (other,) = (said(fitted, [0.7], kind) for kind in ("level_up", "maintain", "break"))
    assert up == pytest.approx(expit(logit(0.7) - 1.0), abs=0.04)
    assert stay == pytest.approx(0.7, abs=0.04)
    assert up < other < stay


def test_few_outcomes_move_less_than_many() -> None:
    few, many = (Confidence.fit(outcomes(n, offset=-1.0), SETTINGS) for n in (200, 8000))
    assert abs(said(many, [0.7])[0] - expit(logit(0.7) - 1)) < abs(said(few, [0.7])[0] - expit(logit(0.7) - 1)) + 0.02
    assert said(few, [0.7])[0] < 0.7


def test_more_of_the_models_confidence_is_never_less_of_ours() -> None:
    backwards = outcomes(4000, slope=-1.0)
    assert sorted(said(Confidence.fit(backwards, SETTINGS), [0.2, 0.5, 0.9])) == said(
        Confidence.fit(backwards, SETTINGS), [0.2, 0.5, 0.9]
    )


def test_the_order_of_the_outcomes_does_not_matter() -> None:
    rows = outcomes(600)
    assert Confidence.fit(rows, SETTINGS) == Confidence.fit(rows.reverse(), SETTINGS)
