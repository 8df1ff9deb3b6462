"""How fast events become features. Belongs here: the measuring; reading the file stands in `interactions`."""

import os
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.fold.statistics import fit_statistics, out_of_fold


@dataclass(frozen=True)
class FeatureSpeed:
    """What was measured; of repetitions the median time and the mean core seconds.

    Attributes:
        rows: Events folded.
        learners: Learners among them.
        features: Columns of the feature matrix.
        fold_seconds: From the frame of events, in no order, to the feature matrix.
        fold_cpu_seconds: The same in seconds of a core, all threads: what a machine that is not shared can be held to.
        state_seconds: From there to the frames of states.
        statistics_seconds: Population statistics once, and out of fold.
        compile_seconds: First fold of all, with compiling or loading what was compiled.
        peak_bytes: Most memory of the process so far, with the events.
        event_bytes: Memory of the events.
        matrix_bytes: Memory of the feature matrix.
        load: Processes waiting for a core at the end, mean of the last minute: beyond `cores` the machine was shared.
        cores: Cores that the process may use.
    """

    rows: int
    learners: int
    features: int
    fold_seconds: float
    fold_cpu_seconds: float
    state_seconds: float
    statistics_seconds: tuple[float, float]
    compile_seconds: float
    peak_bytes: int
    event_bytes: int
    matrix_bytes: int
    load: float
    cores: int

    @property
    def rows_per_second(self) -> float:
        """Events to features, a second."""
        return self.rows / self.fold_seconds

    def report(self) -> str:
        """The numbers as a few lines of text."""
        once, folds = self.statistics_seconds
        gib = 2**30
        return "\n".join(
            [
                f"{self.rows:,} events of {self.learners:,} learners to {self.features} features",
                f"events to features    {self.fold_seconds:6.2f} s   {self.rows_per_second:,.0f} rows/s",
                f"  in core seconds     {self.fold_cpu_seconds:6.2f} s   "
                f"{self.rows / self.fold_cpu_seconds:,.0f} rows/s a core",
                f"states to frames      {self.state_seconds:6.2f} s",
                f"statistics            {once:6.2f} s   out of fold {folds:.2f} s",
                f"first fold (compiled) {self.compile_seconds:6.2f} s",
                f"peak memory           {self.peak_bytes / gib:6.2f} GiB   events {self.event_bytes / gib:.2f}, "
                f"matrix {self.matrix_bytes / gib:.2f}",
                f"load {self.load:.1f} on {self.cores} cores",
            ]
        )


def measure_features(
    events: pl.DataFrame, settings: FeatureSettings, *, rows: int | None = None, folds: int = 5, repeat: int = 3
) -> FeatureSpeed:
    """Measure the fold on these events.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS.
        settings: Of the fold.
        rows: So many events; learners are copied under new names, or left out, to reach about as many. Default: all.
        folds: Folds of the statistics.
        repeat: Repetitions, of which the median counts.
    """
    events = (events if rows is None else resized(events, rows)).sample(fraction=1.0, shuffle=True, seed=0)
    few = events.head(1000).unique(["learner", "day", "sequence"])
    known = fit_statistics(few, settings)
    compile_seconds = _seconds(lambda: fold(few, known, None, settings))
    population = fit_statistics(events, settings)
    once = _seconds(lambda: fit_statistics(events, settings))
    apart = _seconds(lambda: out_of_fold(events, settings, folds=folds, seed=0))
    cpu = time.process_time()
    fold_seconds = [_seconds(lambda: fold(events, population, None, settings)) for _ in range(repeat)]
    fold_cpu_seconds = (time.process_time() - cpu) / repeat
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    folded = fold(events, population, None, settings)
    return FeatureSpeed(
        rows=events.height,
        learners=events["learner"].n_unique(),
        features=folded.features.values.shape[1],
        fold_seconds=statistics.median(fold_seconds),
        fold_cpu_seconds=fold_cpu_seconds,
        state_seconds=_seconds(lambda: folded.states),
        statistics_seconds=(once, apart),
        compile_seconds=compile_seconds,
        peak_bytes=peak,
        event_bytes=int(events.estimated_size()),
        matrix_bytes=folded.features.values.nbytes,
        load=os.getloadavg()[0],
        cores=len(os.sched_getaffinity(0)),
    )


def resized(events: pl.DataFrame, rows: int) -> pl.DataFrame:
    """About so many events: whole learners are left out, or repeated under other names."""
    copies = -(-rows // max(events.height, 1))
    named = pl.col("learner", "event")
    copied = pl.concat([events.with_columns(named + f"#{copy}") for copy in range(copies)])
    running = copied.group_by("learner", maintain_order=True).len().with_columns(pl.col("len").cum_sum())
    chosen = running.filter(pl.col("len") <= rows).select("learner")
    return copied.join(chosen, on="learner", how="semi")


def _seconds(what: Callable[[], object]) -> float:
    start = time.perf_counter()
    what()
    return time.perf_counter() - start
