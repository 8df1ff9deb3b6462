"""Verdicts on challengers. Belongs here: where they are stored and what they say; no decision."""

from datetime import timedelta
from typing import Final

import polars as pl

from aivo_assets.lake import Dataset, Lake
from aivo_assets.tracing.judging.promotion import Verdict

VERDICTS = Dataset(
    "main_brain/verdicts",
    {"day": pl.Date, "promote": pl.Boolean, "reason": pl.String, "challenger_version": pl.Int64, "verdict": pl.String},
    unit="day",
)
LOOK_BACK: Final = timedelta(days=90)


def refused_in_a_row(lake: Lake) -> list[Verdict]:
    """Refusals since the last promotion, the newest first; empty where the newest verdict promoted.

    A model that was judged against itself was not refused, and one model refused again is one refusal.
    """
    days = lake.newest_days(VERDICTS, LOOK_BACK.days)
    recent = [day for day in days if day > days[-1] - LOOK_BACK]
    rows = lake.scan(VERDICTS, days=recent).select("verdict").collect()["verdict"].to_list() if recent else []
    refused: dict[str, Verdict] = {}
    for verdict in sorted(map(Verdict.model_validate_json, rows), key=lambda each: each.decided_at, reverse=True):
        if verdict.promote:
            break
        if not _with_itself(verdict):
            refused.setdefault(verdict.challenger.fingerprint, verdict)
    return list(refused.values())


def newest_verdict(lake: Lake) -> Verdict | None:
    """The verdict that was given last; None where none was."""
    rows = lake.scan(VERDICTS, days=lake.newest_days(VERDICTS, 1)).select("verdict").collect()["verdict"].to_list()
    return Verdict.model_validate_json(rows[0]) if rows else None


def was_worse(verdict: Verdict) -> bool:
    """Whether a refused challenger was significantly worse somewhere, rather than just not better."""
    if verdict.difference is not None and verdict.difference.lower > 0:
        return True
    return any(not finding.passed for finding in verdict.findings if finding.check in ("calibration", "slice"))


def _with_itself(verdict: Verdict) -> bool:
    return any(finding.check == "is another model" and not finding.passed for finding in verdict.findings)
