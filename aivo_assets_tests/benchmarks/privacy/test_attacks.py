"""Each attack finds a leak that was put there, and nothing where there is none."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from aivo_assets.benchmarks.privacy.membership import likelihood_ratios
from aivo_assets.benchmarks.privacy.report import PrivacyFigures, text
from aivo_assets.benchmarks.privacy.tables import Risk, own_figures
from aivo_assets.benchmarks.privacy.trajectories import Uniqueness, uniqueness
from aivo_assets.privacy.schema import ATTRIBUTES

NINE = datetime(2025, 10, 6, 9, tzinfo=UTC)


@pytest.mark.parametrize(("leak", "least", "most"), [(1.5, 0.75, 1.0), (0.0, 0.45, 0.55)])
def test_the_membership_attack_finds_what_models_betray_and_nothing_else(
    leak: float, least: float, most: float
) -> None:
    draw = np.random.default_rng(4)
    knew = draw.random((20, 120)) < 0.5
    # Learners differ far more among each other than by membership: a threshold for all would find nothing.
    hard = draw.normal(0, 8, (1, 120, 2))
    shown = hard + leak * knew[:, :, None] + draw.normal(0, 1, (20, 120, 2))
    shown[:, :5, 1] = np.nan  # never practised
    area = roc_auc_score(knew.ravel(), likelihood_ratios(shown, knew).ravel())
    assert least <= area <= most


def test_a_learner_whom_every_other_model_knew_is_left_undecided() -> None:
    knew = np.ones((8, 3), dtype=bool)
    knew[0] = False
    shown = np.random.default_rng(0).normal(size=(8, 3, 1))
    assert (likelihood_ratios(shown, knew) == 0).all()


def answers(rows: list[tuple[str, int, str]]) -> pl.DataFrame:
    """Answers of one school: learner, minutes after nine, item."""
    return pl.DataFrame(
        {
            "learner": [learner for learner, *_ in rows],
            "school": "s",
            "day": date(2025, 10, 6),
            "occurred_at": [NINE + timedelta(minutes=after) for _, after, _ in rows],
            "item_id": [item for *_, item in rows],
            "gap_s": pl.Series([None] * len(rows), dtype=pl.Int64),
        }
    )


def shares(found: tuple[Uniqueness, ...], points: int) -> dict[str, float]:
    return {row.known: row.singled_out for row in found if row.points == points}


def test_coarser_knowledge_singles_out_fewer() -> None:
    # Two learners within one minute, a third in the same hour.
    rows = [("ada", 0, "x"), ("ben", 0, "y"), ("cem", 30, "x")]
    found = uniqueness(answers(rows), points=(1,), most_learners=9, seed=0)
    assert shares(found, 1)["time to the minute"] == pytest.approx(1 / 3)
    assert shares(found, 1)["time to the hour"] == 0
    assert shares(found, 1)["day and item"] == pytest.approx(1 / 3)


def test_points_that_are_common_one_by_one_single_out_together() -> None:
    rows = [("ada", 0, "x"), ("ada", 60, "y"), ("ben", 0, "x"), ("ben", 120, "z"), ("cem", 60, "y"), ("cem", 120, "z")]
    found = uniqueness(answers(rows), points=(1, 2, 3), most_learners=9, seed=0)
    assert shares(found, 1)["time to the minute"] == 0
    assert shares(found, 2)["time to the minute"] == 1
    assert {row.learners for row in found if row.points == 3} == {0}, "nobody has so many answers"


def table(*groups: tuple[int, str, str]) -> pl.DataFrame:
    """So many learners of a region with a disability; all else is alike."""
    rows = [(region, disability) for count, region, disability in groups for _ in range(count)]
    fixed = dict.fromkeys(ATTRIBUTES, "alike")
    return (
        pl.DataFrame(rows, schema=["region", "disability"], orient="row")
        .with_columns(
            learner=pl.int_range(pl.len()).cast(pl.String),
            **{n: pl.lit(v) for n, v in fixed.items() if n not in rows[0]},
        )
        .with_columns(region=pl.Series([r for r, _ in rows]), disability=pl.Series([d for _, d in rows]))
    )


def test_k_l_and_t_are_those_of_the_literature() -> None:
    # Hills: three and one; coast: four of one kind. Overall 7 to 1, so hills are 1/8 off and the coast as well.
    found = own_figures("t", table((3, "hills", "none"), (1, "hills", "hearing"), (4, "coast", "none")), 10)
    assert (found.k, found.distinct, found.rows, found.silent) == (1, 1, 10, 2)
    assert found.closeness == pytest.approx(1 / 8)


def test_a_missed_target_is_marked() -> None:
    figures = PrivacyFigures(
        asked={"school": "s"},
        k=5,
        loss=0.1,
        tables=(own_figures("t", table((5, "hills", "none")), 5),),
        risks=(Risk(name="singling out by 2 attributes", risk=0.07, low=0.0, high=0.1), Risk(name="x", risk=None)),
    )
    said = text(figures)
    assert "0.070 (0.000 to 0.100)  MISSED" in said
    assert "not measured" in said
