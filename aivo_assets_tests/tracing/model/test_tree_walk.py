"""Trees are walked as LightGBM walks them, to the last bit, however rows are grouped."""

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.errors import ModelError
from aivo_assets.tracing.model.trees.tree_walk import Forest, logits, read_forest
from aivo_assets.tracing.model.trees.trees import Trees

COLUMNS, CATEGORY = 10, 9


def drawn(rows: int, seed: int) -> np.ndarray:
    """Features with unknown ones, zeros, what is almost zero, values on thresholds, and a column of 80 categories."""
    random = np.random.default_rng(seed)
    values = np.round(random.normal(size=(rows, COLUMNS)), 1).astype(np.float32)
    values[random.random(values.shape) < 0.1] = np.nan
    values[:, 0] = np.round(values[:, 1], 0)
    values[random.random(rows) < 0.1, 2] = np.float32(1e-36)
    values[random.random(rows) < 0.1, 3] = np.float32(-1e-36)
    values[:, 4] = np.nan_to_num(values[:, 4])  # never unknown while fitting: NaN is taken for zero then
    values[:, CATEGORY] = random.integers(-1, 80, rows)
    return values


def fitted(seed: int, rounds: int = 30, **more: object) -> tuple[lightgbm.Booster, str]:
    values = drawn(3000, seed)
    known = np.nan_to_num(values)
    random = np.random.default_rng(seed + 1)
    signal = known[:, 1] * known[:, 2] + (known[:, CATEGORY] % 7 > 3) - known[:, 4] + np.isnan(values[:, 5])
    data = lightgbm.Dataset(
        values, label=signal + random.normal(size=3000) > 0, categorical_feature=[CATEGORY], free_raw_data=False
    )
    told = {"objective": "binary", "num_leaves": 31, "min_data_in_leaf": 5, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train({**told, **more, "seed": seed}, data, num_boost_round=rounds)
    text = booster.model_to_string()
    return lightgbm.Booster(model_str=text), text


Model = tuple[lightgbm.Booster, Forest]


@pytest.fixture(scope="module")
def model() -> Model:
    booster, text = fitted(1)
    return booster, read_forest(text)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 300), threads=st.sampled_from([1, 2]))
def test_any_rows_get_lightgbms_logits_to_the_last_bit(model: Model, seed: int, rows: int, threads: int) -> None:
    booster, forest = model
    values = drawn(rows, seed)
    values[:, 4] = np.where(np.random.default_rng(seed).random(rows) < 0.2, np.nan, values[:, 4])
    assert (logits(forest, values, threads=threads) == booster.predict(values, raw_score=True)).all()


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(1, 130), min_size=1, max_size=8),
    differing=st.sampled_from([(1,), (1, 2), (CATEGORY,), (5, 1)]),
)
def test_rows_that_differ_in_a_few_columns_get_what_each_gets_alone(
    model: Model, seed: int, sizes: list[int], differing: tuple[int, ...]
) -> None:
    booster, forest = model
    values = np.repeat(drawn(len(sizes), seed), sizes, axis=0)
    values[:, differing] = drawn(len(values), seed + 1)[:, differing]
    expected = booster.predict(values, raw_score=True)
    assert (logits(forest, values) == expected).all()
    assert (np.concatenate([logits(forest, row[None]) for row in values[:10]]) == expected[:10]).all()


@pytest.mark.parametrize(
    "more",
    [
        {"num_leaves": 2},
        {"min_gain_to_split": 1e9},  # no splits: one leaf a tree
        {"monotone_constraints": [0, 1] + [0] * 8},
        {"boost_from_average": False, "learning_rate": 0.004},
        {"cat_smooth": 1.0, "max_cat_to_onehot": 100},
        {"use_missing": False},
    ],
)
def test_trees_of_other_settings_are_walked_alike(more: dict[str, object]) -> None:
    booster, text = fitted(7, 30, **more)
    values = drawn(500, 8)
    assert (Trees(text).decision_function(values) == booster.predict(values, raw_score=True)).all()


def test_rows_lent_read_only_or_in_columns_are_read_alike(model: Model) -> None:
    booster, forest = model
    values = drawn(50, 3)
    expected = booster.predict(values, raw_score=True)
    values.setflags(write=False)
    assert (logits(forest, values) == expected).all()
    assert (logits(forest, np.asfortranarray(values)) == expected).all()


@pytest.mark.parametrize("more", [{"linear_tree": True}, {"zero_as_missing": True}])
def test_trees_that_decide_otherwise_are_refused(more: dict[str, object]) -> None:
    _, text = fitted(2, 2, **more)
    with pytest.raises(ModelError, match=r"linear|zero for unknown"):
        read_forest(text)


def test_another_number_of_features_is_refused() -> None:
    with pytest.raises(ModelError, match="read 10 features, and 9 are given"):
        Trees(fitted(2, 2)[1]).decision_function(drawn(3, 1)[:, :9])
