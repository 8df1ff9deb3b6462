"""Best-LR's columns by hand, and its solver beside scikit-learn's."""

import numpy as np
import polars as pl
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from aivo_assets.benchmarks.accuracy.best_lr import _matrix, fit_logistic, predict_best_lr
from aivo_assets.benchmarks.partitions import given_part, parts_by_learner
from aivo_assets.tracing.fold.encoding import encode
from aivo_assets.tracing.model.scores import Scores
from aivo_assets_tests.benchmarks.practice import practice
from aivo_assets_tests.tracing.histories import events


def test_the_columns_count_what_came_before():
    history = events(
        [
            {"learner": "a", "at": 0, "item": "i0", "skills": ["s0", "s1"], "correct": 1},
            {"learner": "a", "at": 9, "item": "i1", "skills": ["s1"], "correct": 0},
            {"learner": "a", "at": 20, "item": "i0", "skills": ["s0", "s1"], "correct": 1},
            {"learner": "b", "at": 0, "item": "i1", "skills": ["s1"], "correct": 1},
        ]
    )
    two, three = np.log(2), np.log(3)
    # i0 i1 | s0 s1 | answers on s0, s1 | wins on s0, s1 | answers, wins
    expected = [
        [1, 0, 1, 1, 0, 0, 0, 0, 0, 0],
        [0, 1, 0, 1, 0, two, 0, two, two, two],
        [1, 0, 1, 1, two, three, two, two, three, two],
        [0, 1, 0, 1, 0, 0, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(_matrix(encode(history)).toarray(), expected)


def test_the_solver_finds_what_scikit_learn_finds():
    random = np.random.default_rng(0)
    matrix = sparse.csr_matrix(random.normal(size=(400, 12)) * (random.random((400, 12)) < 0.3))
    correct = (random.random(400) < 0.7).astype(np.float64)
    weights = fit_logistic(matrix, correct)
    known = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000).fit(matrix, correct)
    np.testing.assert_allclose(weights, [*known.coef_[0], known.intercept_[0]], atol=2e-3)


def test_it_learns_items_and_learners():
    (part,) = parts_by_learner(practice(), folds=3, seed=0, only=0)
    correct = part.test.sort("learner", "day", "sequence")["correct"].cast(pl.Float64).to_numpy()
    scores = Scores.of(correct, predict_best_lr(part))
    assert scores.auc is not None
    assert scores.auc > 0.65


def test_a_learner_is_predicted_without_what_others_do():
    train, test = practice(20), practice(6, first=20)
    alone = predict_best_lr(given_part(train, test.filter(pl.col("learner") == "l020")))
    among = predict_best_lr(given_part(train, test))
    np.testing.assert_allclose(among[: alone.size], alone, rtol=0, atol=1e-9)
    assert among.size == test.height
    assert alone.size == pytest.approx(40)
