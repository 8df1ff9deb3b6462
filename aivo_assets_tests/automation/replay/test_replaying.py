"""A simulated school replayed through the real definitions: nothing but the clock is ours."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from aivo_assets.automation.replay.replaying import ReplayPlan, replay
from aivo_assets.definitions import build_definitions
from aivo_assets.errors import SettingsError
from aivo_assets.events.sources.base import Window
from aivo_assets.events.sources.simulator import SimulatorSource
from aivo_assets.replay.record import RECORD, Costs, Record, read
from aivo_assets.replay.ticks import Tick
from aivo_assets.settings import Settings
from aivo_assets.simulation import School
from aivo_assets.simulation.disturbances import Disturbance

pytestmark = pytest.mark.slow

FIRST, LAST, BROKEN = date(2026, 3, 2), date(2026, 3, 6), date(2026, 3, 5)
SMALL: Mapping[str, Any] = {
    "pseudonym_key": "a key of thirty-two characters or more",
    "simulator": {"learners": 420, "days": 5, "start": FIRST, "dirt": 0.01},
    "training": {"max_iterations": 30, "learning_rate": 0.2, "minimum_events": 200, "minimum_part_events": 20},
    "tuning": {"trials": 0},
    "promotion": {"minimum_events": 100, "confidence": 0.6, "slice_limit": 1.0, "calibration_limit": 1.0},
    "drift": {"minimum_events": 100, "window_days": 1, "breaches": 1},
    "adaptive": {"excess_log_loss": 9.0, "calibration_gap": 9.0, "new_event_share": 9.0, "unseen_item_share": 1.0},
    # Few ticks, so that what a replay shows is shown within a minute: checks at noon, in the evening and at night, when
    # nothing has arrived since. The first of them asks for training as long as there is no champion; afterwards only
    # drift does.
    "schedule": {
        "adaptive_training": "0 14,21,23 * * *",
        "drift_monitor": "0 21 * * *",
        "main_brain_daily": "0 2 1 1 *",
        "weekly_full_retraining": "0 3 1 1 *",
        "refusal_cooldown_hours": 0,
    },
}


class BrokenSchool(SimulatorSource):
    """A school whose client records half of the answers the wrong way round from a day on."""

    def _school(self) -> School:
        broken = Disturbance(first=BROKEN, wrong_labels=0.5)
        return School.build(self._settings, self._start, disturbances=(broken,))


def replayed(
    folder: Path, *, every_tick: bool = False, say: Callable[[Tick], None] = lambda _: None
) -> tuple[Record, Costs]:
    settings = Settings.model_validate({**SMALL, "home": folder / "unused"})
    source = BrokenSchool(settings, datetime(2026, 3, 10, tzinfo=UTC))
    plan = ReplayPlan(Window(FIRST, LAST), folder / "replay", learners=360, seed=1, every_tick=every_tick)
    return replay(build_definitions, plan, settings, source, say=say)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, Path]:
    folder = tmp_path_factory.mktemp("once")
    return replayed(folder)[0], folder / "replay"


def test_replaying_twice_gives_the_same_decisions(once: tuple[Record, Path], tmp_path: Path) -> None:
    record, folder = once
    again, _ = replayed(tmp_path)
    assert again.trainings
    assert again == record
    assert (tmp_path / "replay" / RECORD).read_bytes() == (folder / RECORD).read_bytes()


def test_a_replay_that_is_interrupted_writes_down_what_was_decided_until_then(
    once: tuple[Record, Path], tmp_path: Path
) -> None:
    def interrupt(tick: Tick) -> None:
        if tick.at.date() == BROKEN:
            raise KeyboardInterrupt

    whole, _ = once
    part, _ = replayed(tmp_path, say=interrupt)
    assert (part.ended, whole.ended) == ("stopped", "whole")
    assert part.runs == tuple(run for run in whole.runs if run.at.date() < BROKEN)
    assert part.trainings == tuple(training for training in whole.trainings if training.at.date() < BROKEN)
    assert read(tmp_path / "replay")[0] == part


def test_runs_that_are_left_out_would_have_changed_nothing(once: tuple[Record, Path], tmp_path: Path) -> None:
    record, _ = once
    every, _ = replayed(tmp_path, every_tick=True)
    assert len(every.runs) > len(record.runs)
    assert sum(tick.same for tick in record.ticks.values()) > 0
    for decided in ("trainings", "moves", "scores", "alerts"):
        assert getattr(every, decided) == getattr(record, decided), decided
    for checked in ("drift", "needs", "recommendations"):
        seen = {(each.at, each.day, each.model_dump_json()) for each in getattr(every, checked)}
        assert {(each.at, each.day, each.model_dump_json()) for each in getattr(record, checked)} <= seen


def test_drift_leads_to_a_retraining_and_that_to_a_promotion(once: tuple[Record, Path]) -> None:
    record, _ = once
    first = next(move for move in record.moves if move.kind == "promotion")
    assert first.at.date() < BROKEN
    drifted = [check for check in record.drift if check.verdict in ("retrain", "alert")]
    assert drifted
    assert min(check.at.date() for check in drifted) >= BROKEN
    retrained = [run for run in record.runs if run.asked_by == "drift_retraining" and run.job == "emergency_retrain"]
    assert retrained[0].at == drifted[0].at
    assert drifted[0].reason[:40] in retrained[0].cause
    promoted = [training for training in record.trainings if training.promoted and "drift verdict" in training.cause]
    assert promoted
    assert promoted[0].at >= drifted[0].at
    assert record.moves[-1].after == promoted[-1].version


def test_no_run_sees_the_future_and_none_fails(once: tuple[Record, Path]) -> None:
    record, folder = once
    assert [run for run in record.runs if not run.success] == []
    assert all(run.days[-10:] <= run.at.date().isoformat() for run in record.runs if run.days)
    assert [run.at for run in record.runs] == sorted(run.at for run in record.runs)
    with pytest.raises(SettingsError, match="holds a replay already"):
        replayed(folder.parent)


def test_every_day_is_scored_by_a_champion_that_had_not_seen_it(once: tuple[Record, Path]) -> None:
    record, _ = once
    trained_for = {training.version: training.day for training in record.trainings}
    assert record.scores
    assert all(trained_for[score.version] < score.day for score in record.scores)
