"""Where there are too many rows, learners go, whole, and always the same ones."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.tracing.model.search.sampling import sample_learners

ROWS = st.lists(st.integers(0, 12).map(lambda number: f"learner-{number:02d}"), min_size=1, max_size=80)


def frame(learners: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"learner": learners})


@given(ROWS, st.integers(0, 90), st.integers(-5, 5))
def test_learners_are_kept_whole_and_within_the_budget(learners: list[str], most_rows: int, seed: int) -> None:
    events = frame(learners)
    sample = sample_learners(events, most_rows, seed)
    kept = events.filter(sample.mask(events))
    assert kept.height == sample.rows
    assert set(kept["learner"]) == set(sample.learners)
    assert kept.height == events.filter(pl.col("learner").is_in(sample.learners.implode())).height
    assert sample.rows <= most_rows or len(sample.learners) == 1
    assert sample.is_all or sample.rows < events.height
    assert sample.filter(events.lazy()).collect().height == sample.rows


@given(ROWS, st.integers(0, 90), st.integers(0, 90))
def test_a_smaller_budget_keeps_a_part_of_what_a_larger_one_keeps(learners: list[str], one: int, other: int) -> None:
    small, large = (sample_learners(frame(learners), rows, 3) for rows in sorted((one, other)))
    assert set(small.learners) <= set(large.learners)


@given(ROWS, st.randoms())
def test_the_order_of_the_rows_does_not_matter(learners: list[str], random: object) -> None:
    shuffled = list(learners)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = (sample_learners(frame(order).lazy(), 20, 3) for order in (learners, shuffled))
    assert first.learners.to_list() == second.learners.to_list()


def test_another_seed_draws_others() -> None:
    events = frame([f"learner-{number}" for number in range(200) for _ in range(3)])
    kept = {tuple(sample_learners(events, 300, seed).learners) for seed in range(3)}
    assert len(kept) == 3


def test_the_sample_says_what_was_left_out() -> None:
    events = frame([f"learner-{number}" for number in range(40) for _ in range(100)])
    assert sample_learners(events, 10_000, 0).sentence == "all 4,000 answers of all 40 learners"
    assert sample_learners(events, 1_050, 0).sentence == (
        "1,000 of 4,000 answers: every answer of 10 learners, drawn from 40"
    )
