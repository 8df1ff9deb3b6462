"""How long a launch without an answer holds back the next one: by the machine's clock."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aivo_assets.api.dagster_client import DagsterRun, LaunchUncertainError
from aivo_assets.api.launches import FATE_KNOWN_AFTER, FateUnknownError
from aivo_assets.api.triggers import Call, Triggers
from aivo_assets.settings import Settings

MACHINE = datetime(2024, 2, 29, 12, tzinfo=UTC)
CALL = Call(by="a test", reason="", key=None)


class Silent:
    """A Dagster that makes no run and gives no answer at its first launch, and then answers."""

    def __init__(self) -> None:
        self.launches = 0

    def runs(self, **_: Any) -> list[DagsterRun]:
        return []

    def launch(self, job: str, tags: Mapping[str, str]) -> DagsterRun:
        self.launches += 1
        if self.launches == 1:
            raise LaunchUncertainError("no answer", fix="Wait.")
        return DagsterRun("r1", job, "QUEUED", tags, None, 0.0, None, None)


class ModelStates:
    """Lets everything through."""

    def wait(self, *_: object, **__: object) -> None:
        return None


@pytest.mark.parametrize("platform", [datetime(2010, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)])
@pytest.mark.parametrize("moves", ["platform", "machine", "machine set back"])
def test_the_platform_s_clock_neither_holds_a_launch_back_nor_lets_it_through(
    platform: datetime, moves: str, tmp_path: Path
) -> None:
    instants = {"platform": platform, "machine": MACHINE}
    settings = Settings.model_validate({"home": tmp_path, "api": {"settle_seconds": 0}})
    (tmp_path / "api").mkdir()
    triggers = Triggers(
        settings,
        Silent(),  # type: ignore[arg-type]
        ModelStates(),  # type: ignore[arg-type]
        now=lambda: instants["platform"],
        machine_now=lambda: instants["machine"],
    )
    with pytest.raises(FateUnknownError):
        triggers.check_drift(CALL)
    if moves == "platform":
        instants["platform"] += timedelta(days=3)
        with pytest.raises(FateUnknownError) as held_back:
            triggers.check_drift(CALL)
        assert held_back.value.seconds <= FATE_KNOWN_AFTER.seconds
        return
    instants["machine"] += (FATE_KNOWN_AFTER + timedelta(seconds=1)) * (1 if moves == "machine" else -50)
    started = triggers.check_drift(CALL)
    assert started.run_id == "r1"
    assert started.partition == platform.date().isoformat()
