"""Stage 5, after a promotion: the champion before keeps scoring new answers, and comes back where it is better."""

from collections.abc import Callable
from datetime import date

import dagster as dg
import polars as pl

from aivo_assets.assets.describe import columns, daily_asset, step_log
from aivo_assets.assets.drift.reference import restore_reference
from aivo_assets.automation.jobs import CAUSE_TAG
from aivo_assets.automation.partitions import as_of
from aivo_assets.engine import Engine
from aivo_assets.lake import Lake
from aivo_assets.operations.alerts.alert import Alert, Notifier
from aivo_assets.resources.clock import Clock
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.catalogue import feature_schema
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.judging.shadow import (
    COLUMN_DESCRIPTIONS,
    SHADOW,
    Pair,
    ShadowVerdict,
    judge,
    pair_of,
    to_frame,
    window,
)
from aivo_assets.tracing.judging.shadow_scores import SCORED_BY_BOTH, PairTask, score_pair


@daily_asset(
    "main_brain",
    deps=["anonymised_interactions"],
    description="Champion and the champion before it on the answers given since the promotion, which neither has seen. "
    "Where the one before is better with confidence, it is champion again, before a new challenger is judged.",
    kinds={"lightgbm", "mlflow"},
    pool="main_brain",
    metadata=columns(SHADOW, COLUMN_DESCRIPTIONS),
)
def champion_shadow(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
    notifier: dg.ResourceParam[Notifier],
    engine: dg.ResourceParam[Engine],
) -> dg.MaterializeResult:
    """Compare as of the last day of this run, and roll back where the answers say so."""
    day = as_of(context)
    pair = pair_of(registry, feature_schema(settings.features))
    days = pair if isinstance(pair, str) else _days_to_compare(lake, pair, day, settings)
    if isinstance(pair, str) or isinstance(days, str):
        # What an earlier run of this day found stays: it may be why there is nothing to compare any more.
        context.log.info(str(days))
        return dg.MaterializeResult(metadata={"rows_in": 0, "rows_out": 0, "note": str(days)})
    say = step_log(context)
    say(f"versions {pair.champion.version.number} and {pair.previous.version.number}, {days[0]} on")
    scored = _scored(engine, lake, pair, days, settings, say)
    numbers = {"champion": pair.champion.version.number, "previous": pair.previous.version.number}
    verdict = judge(scored, settings.promotion, **numbers)
    context.log.info(verdict.reason)
    written = lake.write(SHADOW, to_frame(verdict, day=day), day=day)
    if verdict.roll_back:
        asked_by = f"champion_shadow ({context.run.tags.get(CAUSE_TAG, 'a person')})"
        registry.rollback(asked_by=asked_by, reason=verdict.reason, now=clock.now(), champion=verdict.champion)
        restore_reference(lake, registry, settings, engine)
        notifier.send(_alert(verdict, clock))
    figures = to_frame(verdict, day=day).drop("day", "since", "until").to_dicts()[0]
    return dg.MaterializeResult(
        metadata={
            "rows_in": scored.height,
            "rows_out": written.rows,
            "days": f"{days[0]} to {days[1]}",
            **{name: value for name, value in figures.items() if value is not None},
        },
        data_version=dg.DataVersion(written.version),
    )


def _days_to_compare(lake: Lake, pair: Pair, day: date, settings: Settings) -> tuple[date, date] | str:
    """First and last day to compare, or why there is none. The last look is caught up on where it was missed."""
    days = window(pair.champion.version.as_of, day, settings.promotion)
    if days is None:
        return f"Version {pair.champion.version.number} is as of {pair.champion.version.as_of}: no later answers yet."
    looked = [each for each in lake.days(SHADOW) if days[1] <= each < day]
    if looked:
        return f"The shadow of version {pair.previous.version.number} ended on {days[1]}."
    return days


def _scored(
    engine: Engine, lake: Lake, pair: Pair, days: tuple[date, date], settings: Settings, say: Callable[[str], None]
) -> pl.DataFrame:
    """What both said of each answer of these days."""
    task = PairTask(lake, pair.champion.brain, pair.previous.brain, days, settings.features)
    return pl.concat([SCORED_BY_BOTH.clear(), *engine.map(score_pair, task, range(lake.shards), say=say)])


def _alert(verdict: ShadowVerdict, clock: Clock) -> Alert:
    return Alert(
        title="The main brain was rolled back",
        body=verdict.reason,
        severity="critical",
        key=f"rollback:{verdict.champion}",
        context={"champion": str(verdict.previous), "rolled back": str(verdict.champion)},
        occurred_at=clock.now(),
    )
