"""Where the work on shards and days runs: in this process, in processes of this machine, or on a Ray cluster.

Belongs here: mapping a function over items, in order, whatever dies meanwhile. It knows neither Dagster nor learning,
and it never writes to the lake: workers return what they made (or the entries of files that they staged), and whoever
called `map` commits once.

    engine = build_engine(settings)
    for count in engine.map(count_answers, lake, range(lake.shards)):
        ...
"""

from aivo_assets.engine.build import build_engine
from aivo_assets.engine.engine import Engine, InProcess, Work

__all__ = ["Engine", "InProcess", "Work", "build_engine"]
