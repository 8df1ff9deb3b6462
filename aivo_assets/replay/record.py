"""What a replay writes down: runs, decisions and scores by the injected clock. Belongs here: the record and its JSON.

`Record` holds decisions only, and two replays of the same data, settings and code have equal ones. `Costs` holds what
depends on the machine. They are two files for that reason.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from aivo_assets.errors import LakeError

RECORD = "replay.json"
COSTS = "costs.json"


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunMade(_Written):
    """A run: when, of which job, why, for which days, and what became of it."""

    at: datetime
    job: str
    asked_by: str
    cause: str
    days: str
    success: bool
    failure: str = ""


class Training(_Written):
    """A challenger and its verdict. `log_loss` and `reference_log_loss` are on the same later answers, nats."""

    at: datetime
    day: date
    cause: str
    version: int
    promoted: bool
    reason: str
    events: int
    log_loss: float | None
    reference_log_loss: float | None


class Moved(_Written):
    """A change of champion."""

    at: datetime
    kind: str
    before: int | None
    after: int
    reason: str


class Drifted(_Written):
    """What a drift check said of one model."""

    at: datetime
    day: date
    model: str
    version: str
    verdict: str
    score: float | None
    reason: str


class TrainingNeed(_Written):
    """What the two-hourly check said of training."""

    at: datetime
    day: date
    needed: bool
    reason: str


class Recommended(_Written):
    """Learners by the kind of their first recommendation, and how many recommendations changed a level or a plan."""

    at: datetime
    day: date
    kinds: dict[str, int]
    changed: int


class Scored(_Written):
    """How good a champion was on one day's answers, each predicted before it was seen; only days after its training.

    `constant_log_loss` is what the day's own share of right answers would have got: a hard day is hard for all.
    """

    day: date
    version: int
    events: int
    log_loss: float
    auc: float | None
    constant_log_loss: float


class Alerted(_Written):
    """An alert that would have gone out."""

    at: datetime
    severity: str
    title: str
    body: str


class Ticks(_Written):
    """What became of the ticks of a schedule or a sensor.

    Attributes:
        asked: Runs asked for.
        skipped: Ticks that the definition itself skipped, with its reason.
        same: Runs that would have made again what stood there, and were left out.
    """

    asked: int = 0
    skipped: int = 0
    same: int = 0


class Record(_Written):
    """All that was decided in a replay. One that was stopped has the day that it reached as its last."""

    source: str
    first: date
    last: date
    seed: int
    learners: int
    learners_found: int
    events: int
    rows_read: int
    rows_without_time: int
    every_tick: bool
    settings: dict[str, str]
    ticks: dict[str, Ticks]
    runs: tuple[RunMade, ...]
    trainings: tuple[Training, ...]
    moves: tuple[Moved, ...]
    drift: tuple[Drifted, ...]
    needs: tuple[TrainingNeed, ...]
    recommendations: tuple[Recommended, ...]
    scores: tuple[Scored, ...]
    alerts: tuple[Alerted, ...]
    ended: Literal["whole", "stopped"] = "whole"


class RunCost(_Written):
    """What a run cost: seconds by the wall and of processor time, and wall seconds by step."""

    at: datetime
    job: str
    wall: float
    cpu: float
    steps: dict[str, float]


class Costs(_Written):
    """What a replay cost on this machine."""

    machine: dict[str, str]
    wall: float
    cpu: float
    peak_memory_bytes: int
    runs: tuple[RunCost, ...]


def write(folder: Path, record: Record, costs: Costs) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD).write_text(record.model_dump_json(indent=1) + "\n")
    (folder / COSTS).write_text(costs.model_dump_json(indent=1) + "\n")


def read(folder: Path) -> tuple[Record, Costs]:
    """Read both files of a replay.

    Raises:
        LakeError: They are not there, or were written by another version of the platform.
    """
    try:
        record = Record.model_validate_json((folder / RECORD).read_bytes())
        return record, Costs.model_validate_json((folder / COSTS).read_bytes())
    except (OSError, ValidationError) as error:
        problem = str(error).splitlines()[0]
        raise LakeError(f"{folder} holds no replay that can be read: {problem}", fix="Replay it again.") from error
