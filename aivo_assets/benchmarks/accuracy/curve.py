"""Accuracy and cost against the size of the training. Belongs here: the sizes and their measurement; no model.

Every size is measured by `accuracy` in a process of its own. The test learners are the same for all; the training
learners of a smaller size are part of those of a larger one, and each keeps all of their answers.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from pydantic import BaseModel, ConfigDict

from aivo_assets.benchmarks.accuracy.accuracy import MAIN_BRAIN, Contest, Say, measure_accuracy
from aivo_assets.benchmarks.accuracy.report import PartScores
from aivo_assets.benchmarks.child import in_own_process
from aivo_assets.benchmarks.partitions import Part
from aivo_assets.errors import SettingsError
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.fold.statistics import fit_statistics
from aivo_assets.tracing.model.search.sampling import sample_learners

SIZES = "1/16,1/8,1/4,1/2,1"


class CurvePoint(BaseModel):
    """One size.

    Attributes:
        size: Share of the training events that was asked for, as it was written.
        part: What was measured; `train_events` and `train_learners` are those that were kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: str
    part: PartScores


class Curve(BaseModel):
    """All sizes, in the order asked for.

    Attributes:
        points: One a size.
        asked: File, fold, seed, versions and machine, as the caller describes them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: tuple[CurvePoint, ...]
    asked: dict[str, str] = {}

    def text(self) -> str:
        """The curve as a Markdown table below how it was asked for."""
        rows = [
            "| size | learners | events | AUC | log loss | ECE | features s | fit s | rounds | peak memory GiB |",
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
            *(_row(point) for point in self.points),
        ]
        first = self.points[0].part
        tested = f"{first.name}: {first.test_events:,} events of the same {first.test_learners:,} learners predicted"
        return "\n".join([*(f"{name}: {value}" for name, value in self.asked.items()), tested, "", *rows])


def sizes_of(text: str) -> tuple[str, ...]:
    """The sizes of a list such as `1/16,1/4,0.5,1`.

    Raises:
        SettingsError: One of them is no share above 0 and up to 1.
    """
    sizes = tuple(size.strip() for size in text.split(","))
    for size in sizes:
        try:
            fits = 0 < Fraction(size) <= 1
        except (ValueError, ZeroDivisionError):
            fits = False
        if not fits:
            raise SettingsError(f"--sizes {text}: {size!r} is no share above 0 and up to 1", fix=f"Such as {SIZES}.")
    return sizes


def measure_curve(
    part: Part, contest: Contest, sizes: Sequence[str], *, seed: int = 0, say: Say = lambda _: None
) -> Curve:
    """Measure one part with fewer and fewer training learners.

    Args:
        part: Training and test.
        contest: Who is measured; must be picklable.
        sizes: Shares of the training events, see `sizes_of`.
        seed: Of the order in which learners are left out.
        say: Told each size.

    Raises:
        ModelError: The audit failed, or a size is too small to fit a model.
        RunError: A process ended by itself.
    """
    points = []
    for size in sizes:
        sample = sample_learners(part.train, round(Fraction(size) * part.train.height), seed)
        say(f"{size}: {sample.sentence}")
        fewer = replace(part, train=part.train.filter(sample.mask(part.train)))
        with TemporaryDirectory() as folder:
            for name in ("train", "past", "test"):
                getattr(fewer, name).write_parquet(Path(folder) / f"{name}.parquet")
            points.append(CurvePoint(size=size, part=in_own_process(_measure, folder, part.name, contest)))
    return Curve(points=tuple(points))


def _measure(folder: str, name: str, contest: Contest) -> PartScores:
    """In the new process: read no more than this size needs, and measure."""
    train, past, test = (pl.read_parquet(Path(folder) / f"{part}.parquet") for part in ("train", "past", "test"))
    few = train.head(100)
    fold(few, fit_statistics(few, contest.features), None, contest.features)  # reads compiled code, which is no cost
    (part,) = measure_accuracy([Part(name, train, past, test)], contest).parts
    return part


def _row(point: CurvePoint) -> str:
    part = point.part
    (scores,) = (model.scores for model in part.models if model.name == MAIN_BRAIN)
    cells = [
        point.size,
        f"{part.train_learners:,}",
        f"{part.train_events:,}",
        "–" if scores.auc is None else f"{scores.auc:.4f}",
        f"{scores.log_loss:.4f}",
        f"{scores.ece:.4f}",
        f"{part.use.feature_seconds:.1f}",
        f"{part.use.fit_seconds:.1f}",
        " ".join(str(rounds) for rounds in part.rounds),
        f"{part.use.peak_bytes / 2**30:.2f}",
    ]
    return f"| {' | '.join(cells)} |"
