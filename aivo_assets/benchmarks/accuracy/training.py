"""What a day's training takes. Belongs here: a lake with somebody's answers in it, and the record; jobs are run above.

The lake begins past the privacy line: learners of a benchmark file have pseudonyms already.
"""

from datetime import date
from pathlib import Path

import polars as pl
from pydantic import BaseModel, ConfigDict

from aivo_assets.lake import Lake, calendar
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings

TARGET_SECONDS, TARGET_GIB = 300.0, 8.0  # of two million events on two cores


class StepCost(BaseModel):
    """Wall-clock seconds of one step of the run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    seconds: float


class TrainingCost(BaseModel):
    """One training, as the job does it every day.

    Attributes:
        events: In the training window.
        trained_on: Which of them were trained on, in a sentence.
        steps: In the order in which they ended.
        seconds: From the beginning of the run to its end.
        peak_bytes: Most memory of the process that did all of it.
        auc: Of the challenger on later events.
        log_loss: The same.
        verdict: What was decided.
        asked: File, rows, versions and machine, as the caller describes them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: int
    trained_on: str
    steps: tuple[StepCost, ...]
    seconds: float
    peak_bytes: int
    auc: float | None
    log_loss: float
    verdict: str
    asked: dict[str, str] = {}

    def text(self) -> str:
        """The record as plain text."""
        gib = self.peak_bytes / 2**30
        reached = "yes" if self.seconds <= TARGET_SECONDS and gib <= TARGET_GIB else "no"
        return "\n".join(
            [
                *(f"{name}: {value}" for name, value in self.asked.items()),
                f"trained on {self.trained_on}",
                *(f"  {cost.step:<28}{cost.seconds:8.1f} s" for cost in self.steps),
                f"  {'whole run':<28}{self.seconds:8.1f} s",
                f"  {'peak memory':<28}{gib:8.2f} GiB",
                f"within {TARGET_SECONDS:.0f} s and {TARGET_GIB:g} GiB: {reached}",
                f"challenger on later events: AUC {'–' if self.auc is None else f'{self.auc:.4f}'}, log loss "
                f"{self.log_loss:.4f}. {self.verdict}",
            ]
        )


def fill(lake: Lake, events: pl.DataFrame) -> list[date]:
    """Write events as the privacy stage leaves them; returns the days that have any, ascending.

    Args:
        lake: An empty lake.
        events: Columns of ANONYMISED_INTERACTIONS; shards are dealt here.
    """
    shard = ((pl.col("learner").rank("dense") - 1) % lake.shards).cast(pl.Int32)
    dealt = events.with_columns(shard=shard).sort("day", "learner", "sequence")
    for (day,), part in dealt.partition_by("day", as_dict=True, maintain_order=True).items():
        assert isinstance(day, date)
        lake.write(ANONYMISED_INTERACTIONS, part, day=day)
    days = dealt["day"].unique().sort().to_list()
    calendar.extend(lake, days[0])
    return days


def settings_for(settings: Settings, home: Path, days: list[date]) -> Settings:
    """The settings of the installation with a home of their own and a window that holds all of these days."""
    window = max(settings.training.window_days, (days[-1] - days[0]).days + 1 if days else 1)
    lake = settings.lake.model_copy(update={"url": None})
    training = settings.training.model_copy(update={"window_days": window})
    return settings.model_copy(update={"home": home, "lake": lake, "training": training})
