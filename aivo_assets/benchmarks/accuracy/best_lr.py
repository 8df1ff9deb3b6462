"""Best-LR, the sparse logistic regression to beat. Belongs here: its columns and its fitting.

Gervet, Koedinger, Schneider and Mitchell, "When is Deep Learning the Best Approach to Knowledge Tracing?" (JEDM 2020):
one column an item, one a skill, and for each skill ln(1 + answers) and ln(1 + right answers) of the learner on it so
far, beside the same two numbers over all skills. Items that training does not know have no column.
"""

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

from aivo_assets.arrays import Floats, Ints32
from aivo_assets.benchmarks.partitions import Part
from aivo_assets.tracing.fold.compiled import compiled
from aivo_assets.tracing.fold.encoding import Encoded, encode

MOST_ITERATIONS = 1000


def predict_best_lr(part: Part) -> Floats:
    """Fit on the training events and predict the test events.

    Args:
        part: Training and test.

    Returns:
        float64 [test events], ascending by learner, day, sequence.
    """
    test = part.test.with_columns(_role=pl.lit(2, pl.Int8))
    known = pl.concat([part.train.with_columns(_role=pl.lit(1, pl.Int8)), test])
    encoded = encode(known)
    role = known.sort("learner", "day", "sequence")["_role"].to_numpy()
    matrix = _matrix(encoded)
    trained = role == 1
    weights = fit_logistic(matrix[trained], encoded.correct[trained].astype(np.float64))
    return np.asarray(expit(matrix[~trained] @ weights[:-1] + weights[-1]), dtype=np.float64)


def fit_logistic(matrix: sparse.csr_matrix, correct: Floats) -> Floats:
    """Minimise the log loss and half the weights' squared norm, as scikit-learn's LogisticRegression with C = 1.

    L-BFGS in columns scaled by their curvature: rare items and skills then converge as fast as frequent ones, which
    takes tens of passes where the bare columns take many hundreds.

    Args:
        matrix: Sparse float64 [n, columns].
        correct: float64 [n], 0.0 or 1.0.

    Returns:
        float64 [columns + 1]; the last is the intercept, which is not drawn to zero.
    """
    turned = matrix.T.tocsr()
    squares = np.asarray(matrix.multiply(matrix).sum(axis=0), dtype=np.float64).ravel()
    scale = 1.0 / np.sqrt(np.append(0.2 * squares + 1.0, 0.2 * correct.size))

    def loss(scaled: Floats) -> tuple[float, Floats]:
        weights = scale * scaled
        logit = matrix @ weights[:-1] + weights[-1]
        error = expit(logit) - correct
        value = float(np.sum(np.logaddexp(0.0, logit) - correct * logit)) + 0.5 * float(weights[:-1] @ weights[:-1])
        slope = np.append(turned @ error + weights[:-1], error.sum())
        return value, scale * slope

    start = np.zeros(matrix.shape[1] + 1)
    solution = minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_ITERATIONS, "gtol": 1e-3, "ftol": 1e-9}
    )
    return np.asarray(scale * solution.x, dtype=np.float64)


def _matrix(encoded: Encoded) -> sparse.csr_matrix:
    """Items | skills | ln(1 + answers) a skill | ln(1 + wins) a skill | both over all skills."""
    pairs = encoded.pairs("skills")
    counts, totals = _count(encoded.learner, encoded.skill_offsets, pairs.position, encoded.correct, len(pairs.learner))
    items, skills, rows = len(encoded.items), len(encoded.skills), encoded.height
    each = np.diff(encoded.skill_offsets)
    of_skill = np.repeat(np.arange(rows), each)
    row = np.concatenate([np.arange(rows), of_skill, of_skill, of_skill, np.arange(rows), np.arange(rows)])
    skill = encoded.skill.astype(np.int64)
    end = items + 3 * skills
    column = np.concatenate(
        [
            encoded.item.astype(np.int64),
            items + skill,
            items + skills + skill,
            items + 2 * skills + skill,
            np.full(rows, end),
            np.full(rows, end + 1),
        ]
    )
    ones = np.ones(rows + len(skill))
    value = np.concatenate([ones, np.log1p(counts[:, 0]), np.log1p(counts[:, 1]), *np.log1p(totals).T])
    return sparse.csr_matrix((value, (row, column)), shape=(rows, end + 2))


@compiled
def _count(
    learner: Ints32, offsets: npt.NDArray[np.int64], pair: Ints32, correct: npt.NDArray[np.int8], pairs: int
) -> tuple[Floats, Floats]:
    """Answers and wins before each row: of the row's skills, [elements, 2], and of the learner, [rows, 2]."""
    so_far, counts, totals = np.zeros((pairs, 2)), np.zeros((len(pair), 2)), np.zeros((len(learner), 2))
    for i in range(len(learner)):
        if i > 0 and learner[i] == learner[i - 1]:
            totals[i, 0] = totals[i - 1, 0] + 1.0
            totals[i, 1] = totals[i - 1, 1] + correct[i - 1]
        for s in range(offsets[i], offsets[i + 1]):
            counts[s, :] = so_far[pair[s], :]
        for s in range(offsets[i], offsets[i + 1]):
            so_far[pair[s], 0] += 1.0
            so_far[pair[s], 1] += correct[i]
    return counts, totals
