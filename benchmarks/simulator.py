"""How fast the simulated school makes events, and how they spread: `python benchmarks/simulator.py [learners] [days]`.

Prints events per second (live: the school alone; written: as rows of the event schema), peak memory, and the spread of
accuracy and of events per learner and per item. The first, small school only compiles.
"""

import resource
import sys
import time
from datetime import date

import numpy as np
import polars as pl

from aivo_assets.settings import SimulatorSettings
from aivo_assets.simulation import School, Simulation, simulate

START = date(2026, 9, 7)
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def main(learners: int, days: int) -> None:
    """Measure one school."""
    last = date.fromordinal(START.toordinal() + days - 1)
    begun = time.perf_counter()
    simulate(School.build(SimulatorSettings(learners=10), START), START, START)
    print(f"compiled or loaded in {time.perf_counter() - begun:.1f} s")

    school = School.build(SimulatorSettings(learners=learners), START)
    begun = time.perf_counter()
    simulation = Simulation(school.world)
    lived = sum(simulation.live_one_day().rows.size for _ in range(days))
    seconds = time.perf_counter() - begun
    print(f"live:    {lived:>10,} events in {seconds:6.2f} s = {lived / seconds:>10,.0f} events/s")

    begun = time.perf_counter()
    events = simulate(school, START, last)
    seconds = time.perf_counter() - begun
    print(f"written: {events.height:>10,} rows   in {seconds:6.2f} s = {events.height / seconds:>10,.0f} rows/s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
    describe(events.filter(pl.col("correct") <= 1))


def describe(events: pl.DataFrame) -> None:
    """Print the spread of what a reader would doubt first."""
    print(f"\naccuracy {events['correct'].mean():.3f}; quantiles at {QUANTILES}:")
    for who in ("learner_id", "item_id"):
        groups = events.drop_nulls("learner_id").group_by(who).agg(pl.len(), pl.col("correct").mean())
        enough = groups.filter(pl.col("len") >= 30)["correct"]
        print(f"  events per {who:<11}", np.quantile(groups["len"], QUANTILES).round(0))
        print(f"  accuracy by {who:<10}", np.quantile(enough, QUANTILES).round(2))
    by_day = events.group_by(pl.col("occurred_at").dt.weekday().alias("weekday")).len().sort("weekday")["len"].to_list()
    print(f"  events by weekday, Monday first: {by_day}")


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:3]]
    main(*given, *(1500, 30)[len(given) :])
