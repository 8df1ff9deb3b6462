"""A small school in a file, the AIVO_HOME that works on it, and the account of its answers. No fault is caused here."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import polars as pl

from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.events.sources.simulator import SimulatorSource
from aivo_assets.lake import Lake, open_lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.instance import open_instance
from aivo_assets.settings import Settings, load_settings
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets_tests.conftest import REPOSITORY

LONGEST_SECONDS = 570
THREADS = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "POLARS_MAX_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
SMALL = {
    "AIVO_PSEUDONYM_KEY": "a key of thirty-two characters or more",
    "AIVO_SOURCE_KIND": "parquet",
    "AIVO_TRAINING_MAX_ITERATIONS": "20",
    "AIVO_TRAINING_LEARNING_RATE": "0.3",
    "AIVO_TRAINING_MINIMUM_EVENTS": "500",
    "AIVO_PROMOTION_MINIMUM_EVENTS": "200",
    "AIVO_TUNING_TRIALS": "0",
}
SIMULATED = {"learners": 90, "dirt": 0.004}


def first_monday(now: datetime) -> date:
    """A Monday so long ago that every school day of these tests is over, and recent enough to be trained on."""
    return now.date() - timedelta(days=now.weekday() + 21)


def write_answers(path: Path, first: date, last: date) -> pl.DataFrame:
    """The answers of a simulated school, some of them repeated, impossible or incomplete, as a Parquet file."""
    settings = Settings.model_validate({"home": path.parent, "simulator": {**SIMULATED, "start": first}})
    source = SimulatorSource(settings, datetime.combine(last + timedelta(days=1), time(), UTC))
    rows = pl.concat([extract.frame for extract in source.events(None, None)]).drop("_location", "_row")
    rows.write_parquet(path)
    return rows


@dataclass(frozen=True)
class Home:
    """An AIVO_HOME, and the commands that are run on it, each in a process of its own."""

    path: Path
    environment: Mapping[str, str]

    def aivo(self, *arguments: str, dies_at: str | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, or to the moment at which it dies."""
        running = self.start(*arguments, dies_at=dies_at, **settings)
        said, _ = running.communicate(timeout=LONGEST_SECONDS)
        return subprocess.CompletedProcess(arguments, running.returncode, said, "")

    def start(self, *arguments: str, dies_at: str | None = None, **settings: str) -> subprocess.Popen[str]:
        """Start a command."""
        program = ["aivo_assets_tests.chaos.dies", dies_at or "never"]
        return subprocess.Popen(
            [sys.executable, "-m", *program, *arguments],
            env={**self.environment, **settings},
            cwd=REPOSITORY,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    @property
    def settings(self) -> Settings:
        """What its processes read."""
        with environment_of(self.environment):
            return load_settings()

    @property
    def lake(self) -> Lake:
        return open_lake(self.settings)

    @property
    def registry(self) -> Registry:
        return Registry(self.path)

    def serving(self) -> int | None:
        """Number of the version that serves, loaded from its files."""
        serving = self.registry.champion()
        return None if serving is None else serving.version.number

    def restarts(self) -> list[int]:
        """Of each run, oldest first, how often a step was tried again."""
        with environment_of(self.environment), open_instance(self.settings) as instance:
            runs = instance.get_runs(ascending=True)
            tried = [instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_RESTARTED) for run in runs]
        return [len(each) for each in tried]

    def events(self, first: date, last: date) -> pl.DataFrame:
        """What the raw zone holds of some days."""
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return self.lake.scan(RAW_INTERACTIONS, days=days).collect()


def nothing_lost_or_doubled(home: Home, source: pl.DataFrame, first: date, last: date) -> None:
    """Every row of the source is one event, a repeat of one, or set aside; raw and anonymised hold the same answers.

    What is expected is read from the source's own rows, which the quarantine names by their number from 1.
    """
    day = pl.col("occurred_at").dt.date()
    rows = source.with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int64))
    rows = rows.filter(day.is_null() | day.is_between(first, last))
    aside = scan_quarantine(home.lake).select("row").unique().collect()
    sound = rows.join(aside, on="row", how="anti")
    events = home.events(first, last)
    assert sorted(events["event_id"]) == sorted(sound["event_id"].unique())
    repeats = sound.height - sound["event_id"].n_unique()
    set_aside = rows.join(aside, on="row", how="semi").height
    assert rows.height == events.height + repeats + set_aside
    assert 0 < set_aside < 0.01 * rows.height
    hidden = home.lake.scan(ANONYMISED_INTERACTIONS, days=sorted(set(events.select(day).to_series()))).collect()
    assert hidden.height == events.height
    assert hidden["event"].is_unique().all()


@contextmanager
def environment_of(environment: Mapping[str, str]) -> Iterator[None]:
    """This process with another environment for a moment."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
