"""A study begins where earlier ones ended, ends hopeless trials early, and finds the same again from the same start."""

import math
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from aivo_assets.errors import ModelError
from aivo_assets.tracing.model.search.studies import (
    BEST_SO_FAR,
    SETTINGS,
    THIS_SEARCH,
    Dimension,
    Studied,
    Studies,
    Values,
)

SPACE = [Dimension("rate", 0.01, 1.0), Dimension("leaves", 2, 64, whole=True)]
FIRST = {"rate": 0.9, "leaves": 3.0}
DAY = date(2026, 3, 1)

Stop = Callable[[int, float], bool]


def bowl(values: Values, stop: Stop) -> float:
    """Least at rate 0.1 and 16 leaves, and as telling after the first step as after the second."""
    score = math.log(values["rate"] / 0.1) ** 2 + math.log(values["leaves"] / 16) ** 2
    for step in range(2):
        if stop(step, score):
            break
    return score


def run(home: Path, name: str = "a", *, trials: int = 8, as_of: date = DAY, **changed: object) -> Studied:
    arguments: dict[str, object] = {"objective": bowl, "seconds": 60, "most_earlier": 100, "first": FIRST, **changed}
    return Studies(home).run(name, space=SPACE, as_of=as_of, trials=trials, **arguments)  # type: ignore[arg-type]


def test_a_first_study_begins_with_the_settings(tmp_path: Path) -> None:
    studied = run(tmp_path)
    assert studied.tried[0].values == FIRST
    assert [tried.origin for tried in studied.tried] == [SETTINGS] + [THIS_SEARCH] * (len(studied.tried) - 1)
    assert len(studied.tried) + studied.pruned == 8
    assert all(tried.values["leaves"] == round(tried.values["leaves"]) for tried in studied.tried)


def test_the_same_start_finds_the_same(tmp_path: Path) -> None:
    first, second = (
        [run(tmp_path / place), run(tmp_path / place, "b", as_of=date(2026, 3, 2))] for place in ("one", "two")
    )
    assert first == second


def test_a_later_study_begins_with_the_best_so_far_and_knows_the_rest(tmp_path: Path) -> None:
    before = run(tmp_path)
    best = min(before.tried, key=lambda tried: tried.score)
    after = run(tmp_path, "b", as_of=date(2026, 3, 2), trials=3)
    assert (after.tried[0].values, after.tried[0].origin) == (best.values, BEST_SO_FAR)
    assert after.earlier == len(before.tried)
    assert SETTINGS not in {tried.origin for tried in after.tried}


def test_ever_more_studies_come_ever_nearer(tmp_path: Path) -> None:
    best = [
        min(
            tried.score
            for tried in run(tmp_path, str(day), as_of=date(2026, 3, day), trials=1 if day == 1 else 4).tried
        )
        for day in range(1, 5)
    ]
    assert best == sorted(best, reverse=True)
    assert best[-1] < best[0] / 2


def test_a_study_of_a_later_day_is_not_looked_at(tmp_path: Path) -> None:
    run(tmp_path, "later", as_of=date(2026, 3, 9))
    backtest = run(tmp_path, "earlier", as_of=DAY, trials=2)
    assert backtest.earlier == 0
    assert backtest.tried[0].origin == SETTINGS


def test_settings_changed_by_hand_are_tried(tmp_path: Path) -> None:
    run(tmp_path)
    by_hand = {"rate": 0.11, "leaves": 15.0}
    after = run(tmp_path, "b", trials=2, first=by_hand)
    assert [tried.origin for tried in after.tried] == [BEST_SO_FAR, SETTINGS]
    assert after.tried[1].values == by_hand


def test_a_trial_worse_than_the_median_ends_after_its_first_step(tmp_path: Path) -> None:
    steps: list[int] = []

    def counted(values: Values, stop: Stop) -> float:
        def counting(step: int, score: float) -> bool:
            steps.append(step)
            return stop(step, score)

        return bowl(values, counting)

    studied = run(tmp_path, trials=20, objective=counted)
    assert studied.pruned > 0
    assert steps.count(0) == 20
    assert steps.count(1) == 20 - studied.pruned


def test_the_best_so_far_is_finished_however_bad_it_is_today(tmp_path: Path) -> None:
    run(tmp_path)
    today = run(tmp_path, "b", trials=1, objective=lambda values, stop: 100.0 + stop(0, 100.0))
    assert [tried.origin for tried in today.tried] == [BEST_SO_FAR]


def test_what_cannot_be_fitted_is_a_failed_trial_and_no_failed_search(tmp_path: Path) -> None:
    def fussy(values: Values, stop: Stop) -> float:
        if values["rate"] < 0.5:
            raise ModelError("too slow", fix="faster")
        return bowl(values, stop)

    studied = run(tmp_path, objective=fussy)
    assert studied.failed > 0
    assert len(studied.tried) + studied.pruned + studied.failed == 8


def test_a_study_that_was_cut_short_is_begun_again(tmp_path: Path) -> None:
    calls = 0

    def dying(values: Values, stop: Stop) -> float:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return bowl(values, stop)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", objective=dying)
    assert run(tmp_path / "cut") == run(tmp_path / "whole")


def test_no_trial_begins_after_the_time(tmp_path: Path) -> None:
    assert len(run(tmp_path, trials=50, seconds=1e-9).tried) == 0
