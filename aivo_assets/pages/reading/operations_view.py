"""How the models are doing. Belongs here: checks, decisions on versions, rows set aside; no learner."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import polars as pl

from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.events.quarantine import QUARANTINE
from aivo_assets.lake import Lake
from aivo_assets.tracing.judging.champions import Move
from aivo_assets.tracing.judging.verdicts import VERDICTS

MOST_DAYS: Final = 30
MOST_REASONS: Final = 12
REPORTS: Final = "drift/reports"


@dataclass(frozen=True)
class Decision:
    """What was decided on a version.

    Attributes:
        kind: `promotion`, `forced`, `rollback` or `refused`.
        at: When; of a refusal the day.
        version: Which version was put to use or refused.
        reason: Why, a sentence.
    """

    kind: str
    at: datetime | date
    version: int
    reason: str


@dataclass(frozen=True)
class OperationsView:
    """How the models are doing.

    Attributes:
        checks: Of the main brain: day, model_version, verdict, score, auc, reference_auc, events, reason,
            retrain_score; ascending by day.
        decisions: The newest first.
        aside: reason, rows of what was set aside, the most frequent first.
        reports: Days that have a drift report, the newest first.
    """

    checks: tuple[dict[str, Any], ...]
    decisions: tuple[Decision, ...]
    aside: tuple[tuple[str, int], ...]
    reports: tuple[date, ...]


def read_operations(lake: Lake, moves: list[Move]) -> OperationsView:
    """Read checks and decisions.

    Args:
        lake: Where they are.
        moves: Every change of champion.
    """
    days = lake.newest_days(DRIFT_VERDICTS, MOST_DAYS)
    columns = [
        "day", "model_version", "verdict", "score", "auc", "reference_auc", "events", "reason", "retrain_score",
    ]  # fmt: skip
    checks = lake.scan(DRIFT_VERDICTS, days=days).filter(pl.col("model_id") == "main_brain").select(columns)
    refused = (
        lake.scan(VERDICTS, days=lake.newest_days(VERDICTS, MOST_DAYS))
        .filter(~pl.col("promote"))
        .select("day", "challenger_version", "reason")
        .collect()
    )
    decisions = [Decision(move.kind, move.at, move.after, move.reason) for move in moves]
    decisions += [Decision("refused", day, version, reason) for day, version, reason in refused.iter_rows()]
    return OperationsView(
        checks=tuple(checks.sort("day").collect().to_dicts()),
        decisions=tuple(sorted(decisions, key=_when, reverse=True)),
        aside=_aside(lake),
        reports=_reports(lake),
    )


def _reports(lake: Lake) -> tuple[date, ...]:
    """Days with a drift report, the newest first."""
    names = [name.removeprefix("day=").removesuffix(".html") for name in lake.storage.files(REPORTS, "day=")]
    return tuple(sorted(map(date.fromisoformat, names), reverse=True))


def _when(decision: Decision) -> tuple[date, int]:
    return (decision.at.date() if isinstance(decision.at, datetime) else decision.at), decision.version


def _aside(lake: Lake) -> tuple[tuple[str, int], ...]:
    counted = (
        lake.scan(QUARANTINE).group_by("reason").agg(rows=pl.len()).sort("rows", "reason", descending=[True, False])
    )
    return tuple((str(reason), int(rows)) for reason, rows in counted.head(MOST_REASONS).collect().iter_rows())
