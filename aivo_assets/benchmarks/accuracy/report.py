"""What the accuracy benchmark found. Belongs here: the record, means over folds, and its text; nothing is measured."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict

from aivo_assets.benchmarks.accuracy.audit import Audited
from aivo_assets.tracing.model.scores import Scores

METRICS = ("auc", "log_loss", "brier", "ece")
ALL = "all rows"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelScores(_Record):
    """One model on one part: all rows, and `cold start` and `unseen items` where there are any."""

    name: str
    scores: Scores
    slices: dict[str, Scores]


class MachineUse(_Record):
    """What a part cost: seconds from events to features and for boosting, and the process's peak of memory so far."""

    feature_seconds: float
    fit_seconds: float
    peak_bytes: int


class PartScores(_Record):
    """One training and one test."""

    name: str
    train_events: int
    train_learners: int
    test_events: int
    test_learners: int
    features: int
    rounds: tuple[int, ...]
    models: tuple[ModelScores, ...]
    use: MachineUse
    audit: Audited


class Spread(_Record):
    """Mean over the parts, and their standard deviation (n - 1; 0 for a single part)."""

    mean: float
    sd: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """Of at least one value."""
        return cls(mean=float(np.mean(values)), sd=float(np.std(values, ddof=1)) if len(values) > 1 else 0.0)

    def text(self, parts: int) -> str:
        """The mean, with its sd where it is of several parts."""
        return f"{self.mean:.4f} ± {self.sd:.4f}" if parts > 1 else f"{self.mean:.4f}"


class AccuracyReport(_Record):
    """All parts of a file, with how it was asked.

    Attributes:
        parts: In the order measured.
        asked: File, protocol, folds, seed, versions and machine, as the caller describes them.
    """

    parts: tuple[PartScores, ...]
    asked: dict[str, str] = {}

    def summary(self) -> dict[str, dict[str, dict[str, Spread]]]:
        """Rows ("all rows", a slice) to model to metric to mean and sd; a metric that a part lacks is left out."""
        spreads: dict[str, dict[str, dict[str, list[float]]]] = {}
        for part in self.parts:
            for model in part.models:
                for rows, scores in {ALL: model.scores, **model.slices}.items():
                    metrics = spreads.setdefault(rows, {}).setdefault(model.name, {})
                    for metric in METRICS:
                        value = getattr(scores, metric)
                        if value is not None:
                            metrics.setdefault(metric, []).append(value)
        return {
            rows: {
                model: {metric: Spread.of(values) for metric, values in metrics.items()}
                for model, metrics in models.items()
            }
            for rows, models in spreads.items()
        }

    def to_json(self) -> str:
        """Everything, and the summary."""
        summary = {
            rows: {
                model: {name: spread.model_dump() for name, spread in spreads.items()}
                for model, spreads in models.items()
            }
            for rows, models in self.summary().items()
        }
        return AccuracyFile(report=self, summary=summary).model_dump_json(indent=1)

    def text(self) -> str:
        """The report as lines of plain text."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from (f"{name}: {value}" for name, value in self.asked.items())
        for part in self.parts:
            yield ""
            yield (
                f"{part.name}: {part.train_events:,} events of {part.train_learners:,} learners train, "
                f"{part.test_events:,} of {part.test_learners:,} are predicted"
            )
            use = part.use
            yield (
                f"  {part.features} features in {use.feature_seconds:.1f} s, trees {list(part.rounds)} in "
                f"{use.fit_seconds:.1f} s, peak memory {use.peak_bytes / 2**30:.2f} GiB"
            )
            tried = part.audit
            yield (
                f"  audit passed: {tried.rows_with_shuffled_future:,} rows with shuffled futures and "
                f"{tried.flipped_rows:,} with their own answer flipped kept their predictions ({tried.moved_rows:,} "
                f"later ones moved), {tried.statistics} statistics counted, one row an answer"
            )
            if len(self.parts) > 1:
                yield from (
                    f"  {model.name:<16}"
                    + "  ".join(f"{name} {_number(getattr(model.scores, name))}" for name in METRICS)
                    for model in part.models
                )
        for rows, models in self.summary().items():
            yield ""
            events = sum(scores.events for scores in self._scores(rows))
            yield f"{rows} ({events:,})" + (f", mean ± sd of {len(self.parts)}" if len(self.parts) > 1 else "")
            for model, metrics in models.items():
                cells = (f"{name} {spread.text(len(self.parts))}" for name, spread in metrics.items())
                yield f"  {model:<16}" + "  ".join(cells)

    def _scores(self, rows: str) -> Iterator[Scores]:
        for part in self.parts:
            first = part.models[0]
            if rows == ALL:
                yield first.scores
            elif rows in first.slices:
                yield first.slices[rows]


class AccuracyFile(_Record):
    """What `--json` writes."""

    report: AccuracyReport
    summary: dict[str, dict[str, dict[str, dict[str, float]]]]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
