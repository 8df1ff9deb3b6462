"""The benchmark of size and engines, small: all figures are real, and engines leave the same content."""

from pathlib import Path

import pytest

from aivo_assets.benchmarks.scale.engines import KINDS, Kind, kind_named
from aivo_assets.benchmarks.scale.report import (
    BILLION,
    CHECK,
    CHECKS_A_DAY,
    MODELS_OF_ALL,
    TRAINING,
    ScaleReport,
    SizeCost,
    StageCost,
    core_seconds_of_a_billion,
)
from aivo_assets.benchmarks.scale.scale import measure_scale
from aivo_assets.benchmarks.students.student_lake import Size
from aivo_assets.errors import SettingsError
from aivo_assets.settings import Settings

SIZE = Size(learners=300, events_per_learner=20, new_events=400, new_learners=80, days=10)


def stage(name: str, engine: str, rows: int, seconds: float, cpu: float) -> StageCost:
    return StageCost(
        stage=name, engine=engine, workers=1 + (engine != KINDS[0]), rows=rows, version="v", seconds=seconds,
        cpu_seconds=cpu, peak_bytes=2**30,
    )  # fmt: skip


def size_cost(learners: int, cpu: float, new_answers: int = 1000) -> SizeCost:
    stages = [
        stage(name, engine, 100, seconds, cpu)
        for engine, seconds in ((KINDS[0], 90.0), (KINDS[1], 60.0))
        for name in CHECK
    ]
    return SizeCost(
        learners=learners, answers=50 * learners, new_answers=new_answers, new_learners=new_answers // 20,
        shards=4, bytes=2**30, made_seconds=1.0, start_seconds={KINDS[1]: 3.0},
        skipped={KINDS[2]: "no such thing"}, stages=tuple(stages),
    )  # fmt: skip


def test_the_report_tells_speed_up_targets_flatness_and_what_was_skipped() -> None:
    text = ScaleReport(asked={"seed": "0"}, sizes=(size_cost(1000, 2.0), size_cost(9000, 3.5))).text()
    assert "1.50         75%" in text  # 90 s to 60 s with two workers
    assert "1 process: 360.0 s and 1.00 GiB a process" in text
    assert "1.75 times the core seconds an answer with 9,000 learners as with 1,000 (target 1.5): missed" in text
    assert "2 Ray nodes: not measured, no such thing" in text


def test_the_target_is_met_by_a_check_of_a_million_answers_alone() -> None:
    small, full = (ScaleReport(asked={}, sizes=(size_cost(10**6, 2.0, new),)).text() for new in (1000, 10**6))
    assert "not known, as this check had 1,000" in small
    assert "answers): met" in full
    assert "answers): met" not in small


def test_one_size_does_not_tell_whether_cost_is_flat() -> None:
    assert "it is not known" in ScaleReport(asked={}, sizes=(size_cost(1000, 2.0),)).text()


def test_a_billion_answers_cost_by_answer_and_by_who_is_active() -> None:
    parts = core_seconds_of_a_billion(size_cost(1000, 2.0))
    assert parts["states"] == parts["models"] == pytest.approx(2.0 * BILLION / 1000)
    # Twenty answers a learner make fifty million learners, a thousand of whom cost two seconds a check.
    assert parts["signals"] == pytest.approx(CHECKS_A_DAY * 2.0 * 50_000_000 / 1000)


def test_an_unknown_engine_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SettingsError, match="3 horses") as refused:
        kind_named("3 horses")
    assert all(kind in refused.value.fix for kind in KINDS)


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [KINDS[:2], pytest.param((KINDS[0], KINDS[2]), marks=pytest.mark.ray)])
def test_engines_leave_the_same_and_every_figure_is_measured(kinds: tuple[Kind, ...], tmp_path: Path) -> None:
    if KINDS[2] in kinds:
        pytest.importorskip("ray")
    settings = Settings.model_validate(
        {"home": tmp_path, "training": {"max_iterations": 5, "minimum_events": 500, "min_samples_leaf": 20}}
    )
    cost = measure_scale(SIZE, settings, tmp_path / "lakes", kinds, late=3, say=lambda _: None)
    assert cost.engines == list(kinds)
    assert list(cost.of(kinds[0])) == ["full refold", MODELS_OF_ALL, *CHECK, "late answers", TRAINING]
    plain, other = cost.of(kinds[0]), cost.of(kinds[1])
    for name, one in other.items():
        assert (one.rows, one.version) == (plain[name].rows, plain[name].version)
    assert {name: plain[name].rows for name in ("full refold", MODELS_OF_ALL, *CHECK[:2])} == {
        "full refold": 6000, MODELS_OF_ALL: 300, CHECK[0]: 400, CHECK[1]: 80,
    }  # fmt: skip
    for each in cost.stages:
        assert min(each.rows, each.seconds, each.cpu_seconds, each.peak_bytes) > 0
    assert plain["late answers"].rows >= 3 * 21
    assert "speed-up" in ScaleReport(asked={}, sizes=(cost,)).text()
    assert not (tmp_path / "lakes").exists()
