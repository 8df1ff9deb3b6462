"""A simulated school as a benchmark file would show it, and who its learners are. Belongs here: making it alone.

Gender, region and disability of the simulator's people are drawn independently and have no influence on learning; the
grade does. So rates may differ between grades; between the others, only by chance or by the platform's doing.
"""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from aivo_assets.benchmarks.interactions import read_interactions
from aivo_assets.settings import SimulatorSettings
from aivo_assets.simulation import School
from aivo_assets.simulation.records import Recorder
from aivo_assets.simulation.simulation import Simulation, teacher

FIRST_SCHOOL_DAY = date(2025, 9, 1)
ATTRIBUTES = ("grade", "gender", "region", "disability")


def simulated_school(*, learners: int, days: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Let a school live under its usual teachers.

    Args:
        learners: Enrolled; those who never answer are in no event.
        days: How long, from the first school day.
        seed: Of everything.

    Returns:
        Events as `read_interactions` gives them, and learner (String) with `ATTRIBUTES` (String; null: not known).
    """
    school = School.build(SimulatorSettings(learners=learners, seed=seed, dirt=0.0), FIRST_SCHOOL_DAY)
    simulation, recorder = Simulation(school.world, teacher), Recorder(school.world)
    frames = [recorder.frame(simulation.live_one_day()) for _ in range(days)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "simulated.parquet"
        pl.concat(frames).write_parquet(path)
        events = read_interactions(path)
    return events, school.learners().select(pl.col("learner_id").alias("learner"), *ATTRIBUTES)
