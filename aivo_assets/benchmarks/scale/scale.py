"""What the work on learners costs by size and engine. Belongs here: making lakes and measuring; no stage, no printing.

A lake is made once a size; each engine works on a copy of it (hard links: files of a lake are never written in place),
in a process of its own.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import copytree, rmtree

from aivo_assets.benchmarks.child import in_own_process
from aivo_assets.benchmarks.scale.engines import WORKERS, Kind, NotStartedError, started, why_absent
from aivo_assets.benchmarks.scale.metered import Meter
from aivo_assets.benchmarks.scale.report import SizeCost, StageCost
from aivo_assets.benchmarks.scale.stages import School, stages
from aivo_assets.benchmarks.students.lake_steps import BRAIN, LEARNERS_A_SHARD, fit_champion, make_events
from aivo_assets.benchmarks.students.student_lake import SchoolLake, Size
from aivo_assets.errors import RunError
from aivo_assets.lake import Lake
from aivo_assets.lake.shards import SHARDS_OF_A_NEW_LAKE
from aivo_assets.settings import Settings
from aivo_assets.tracing.model import artefact


def measure_scale(
    size: Size, settings: Settings, folder: Path, kinds: Sequence[Kind], *, late: int, say: Callable[[str], None]
) -> SizeCost:
    """Make a lake, and measure every stage with every engine.

    Args:
        size: How large, and what is new before the check.
        settings: Of the installation; shards are as many as so many learners want.
        folder: Where lakes are made; it is removed afterwards.
        kinds: Engines, the one first that the others are compared with.
        late: Learners of whom an answer of a past day arrives after the check.
        say: Is told what begins.

    Raises:
        RunError: Two engines left other rows or other content behind, or no engine could be measured.
    """
    shards = max(settings.lake.shards or SHARDS_OF_A_NEW_LAKE, -(-size.learners // LEARNERS_A_SHARD))
    skipped = {kind: reason for kind in kinds if (reason := why_absent(kind)) is not None}
    made, start_seconds = list[StageCost](), dict[str, float]()
    begun = time.perf_counter()
    try:
        for step in (make_events, fit_champion):
            say(f"{size.learners:,} learners: {step.__name__.replace('_', ' ')}")
            in_own_process(step, size, settings, folder / "past", shards)
        made_seconds = time.perf_counter() - begun
        stored = sum(file.stat().st_size for file in (folder / "past" / "anonymised").rglob("*") if file.is_file())
        for kind in [each for each in kinds if each not in skipped]:
            say(f"{size.learners:,} learners: {kind}")
            copytree(folder / "past", folder / "copy", copy_function=os.link)
            try:
                seconds, costs = in_own_process(
                    _measure, size, settings, folder / "copy", shards, kind, late=late, training=not made
                )
            except NotStartedError as reason:
                skipped[kind] = reason.what
            else:
                start_seconds[kind] = seconds
                made += costs
            rmtree(folder / "copy")
    finally:
        rmtree(folder, ignore_errors=True)
    if not made:
        told = "; ".join(f"{kind}: {reason}" for kind, reason in skipped.items())
        raise RunError(f"No engine could be measured. {told}", fix="Ask for one that is here: --engines '1 process'.")
    _refuse_different(made)
    return SizeCost(
        learners=size.learners,
        answers=size.learners * size.sessions * -(-size.events_per_learner // size.sessions),
        new_answers=size.new_learners * -(-size.new_events // size.new_learners),
        new_learners=size.new_learners,
        shards=shards,
        bytes=stored,
        made_seconds=made_seconds,
        start_seconds=start_seconds,
        skipped={str(kind): reason for kind, reason in skipped.items()},
        stages=tuple(made),
    )


def _measure(
    size: Size, settings: Settings, folder: Path, shards: int, kind: Kind, *, late: int, training: bool
) -> tuple[float, list[StageCost]]:
    """Seconds until the engine's workers run, and what each stage takes with it."""
    school = School(
        Lake(folder, shards=shards),
        folder,
        artefact.load(folder / BRAIN),
        SchoolLake(size, shards).roll,  # the learner table, which the real asset reads from the lake
        size,
        settings,
    )
    costs, begun = [], time.perf_counter()
    with started(kind) as engine:
        start_seconds, meter = time.perf_counter() - begun, Meter(engine)
        for name, before, stage in stages(school, late, training=training):
            before()
            meter.start()
            rows, version = stage(school, meter)
            costs.append(
                StageCost(
                    stage=name,
                    engine=kind,
                    workers=WORKERS[kind],
                    rows=rows,
                    version=version,
                    seconds=meter.seconds,
                    cpu_seconds=meter.cpu_seconds,
                    peak_bytes=meter.peak_bytes,
                )
            )
    return start_seconds, costs


def _refuse_different(costs: Sequence[StageCost]) -> None:
    first: dict[str, StageCost] = {}
    for cost in costs:
        known = first.setdefault(cost.stage, cost)
        if (known.rows, known.version) != (cost.rows, cost.version):
            raise RunError(
                f"{cost.stage}: {cost.engine} left {cost.rows:,} rows ({cost.version}), {known.engine} "
                f"{known.rows:,} ({known.version})",
                fix="Engines must leave the same bytes: report this, with the sizes and the seed.",
            )
