"""Stage 8, drift: what each model promised against what happened, the verdict, and whether training is needed now."""

from datetime import date, timedelta

import dagster as dg
import polars as pl

from aivo_assets.api.addresses import document_url
from aivo_assets.assets.champion import nothing_yet, serving_champion
from aivo_assets.assets.describe import FRESH_HOURS, columns, daily_asset, fresh_within, picture
from aivo_assets.assets.stored import published_attributes
from aivo_assets.assets.students.as_of import folded_states, states_of
from aivo_assets.assets.upstream import read
from aivo_assets.automation.partitions import as_of
from aivo_assets.drift.reports.plots import plot_calibration, plot_scores
from aivo_assets.drift.reports.report import render_report, summarise
from aivo_assets.drift.schema import DESCRIPTIONS, DRIFT_REFERENCE, DRIFT_SCORES, DRIFT_VERDICTS, SCORED_EVENTS
from aivo_assets.drift.scores.scored_window import scored_events_of
from aivo_assets.drift.verdicts.checks import check_models
from aivo_assets.drift.verdicts.training_need import COLUMN_DESCRIPTIONS, TRAINING_NEED, Champion, ask, missing_events
from aivo_assets.drift.verdicts.verdict import judge
from aivo_assets.errors import LakeError
from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry

VERDICTS_SHOWN = 30


@daily_asset(
    "drift",
    deps=["scored_events", "anonymised_learners"],
    description="A score in [0, 1] and a verdict for every model and every cohort large enough: what it knew that has "
    "surely been lost. Sensors read this; above one threshold the model is retrained, above another at once and with "
    "an alert.",
    kinds={"polars", "parquet"},
    metadata=columns(DRIFT_VERDICTS, DESCRIPTIONS[DRIFT_VERDICTS.path]),
    freshness_policy=fresh_within(hours=FRESH_HOURS),
)
def drift_verdict(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Score and judge every model as of the last day of this run."""
    day = as_of(context)
    window, reference = _window(lake, registry, settings, day), lake.scan(DRIFT_REFERENCE).collect()
    if window.is_empty():
        return _nothing_scored(lake, registry, settings, day)
    promised = reference.filter(pl.col("model_version") == window["model_version"][-1])
    scores = check_models(
        window,
        promised if promised.height else None,
        published_attributes(lake),
        day=day,
        settings=settings.drift,
    )
    lake.write(DRIFT_SCORES, scores, day=day)
    verdicts = judge(scores, lake.scan(DRIFT_VERDICTS, until=day - timedelta(days=1)).collect(), settings.drift)
    written = lake.write(DRIFT_VERDICTS, verdicts, day=day)
    summary = summarise(verdicts)
    context.log.info(summary)
    return dg.MaterializeResult(
        metadata={
            "rows_in": window.height,
            "rows_out": verdicts.height,
            "summary": summary,
            "verdicts": dg.MetadataValue.table(
                [
                    dg.TableRecord({"model": row["model_id"], "verdict": row["verdict"], "reason": row["reason"]})
                    for row in verdicts.to_dicts()
                ]
            ),
            "score over time": picture(plot_scores(_history(lake, day), settings.drift)),
        },
        data_version=dg.DataVersion(written.version),
    )


@daily_asset(
    "drift",
    deps=["drift_verdict", "scored_events"],
    description="Evidently's report of the last days against the champion's reference; a sentence on top says "
    "what moved, how much and what was decided.",
    kinds={"evidently", "html"},
)
def drift_report(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Render the report as of the last day of this run."""
    day = as_of(context)
    window, reference = _window(lake, registry, settings, day), lake.scan(DRIFT_REFERENCE).collect()
    if window.is_empty():
        return _nothing_scored(lake, registry, settings, day)
    verdicts = read(lake, DRIFT_VERDICTS, day, asset="drift_verdict")
    if reference.is_empty():
        raise LakeError(
            f"There is nothing to hold the answers up to {day} against: the champion's reference is not in the lake",
            fix="Train and promote a main brain, or roll back: either writes the reference.",
        )
    report = render_report(window, reference, verdicts, settings.drift, history=_history(lake, day))
    path = lake.write_bytes(f"drift/reports/day={day}.html", report.html)
    return dg.MaterializeResult(
        metadata={
            "rows_in": window.height + reference.height,
            "rows_out": 1,
            "summary": report.summary,
            "report": dg.MetadataValue.url(document_url(settings, "drift", path.name)),
            "file": dg.MetadataValue.path(str(path)),
            "calibration": picture(plot_calibration(window, reference)),
            "columns": dg.MetadataValue.table([dg.TableRecord(row) for row in report.columns.to_dicts()]),
            "columns left out": ", ".join(report.left_out),
        }
    )


@daily_asset(
    "drift",
    deps=["scored_events"],
    description="Whether the main brain needs training before the night: what is new to it, how wrong it is today.",
    kinds={"polars", "parquet"},
    metadata=columns(TRAINING_NEED, COLUMN_DESCRIPTIONS),
)
def training_need(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Ask as of the last day of this run."""
    day = as_of(context)
    scored = lake.scan(SCORED_EVENTS, days=[day]).collect()
    champion, missing = _champion(lake, registry, day, settings), missing_events(lake, day, settings.training)
    answer = ask(scored, champion, day=day, settings=settings.adaptive, missing=missing)
    written = lake.write(TRAINING_NEED, answer, day=day)
    row = answer.row(0, named=True)
    context.log.info(row["reason"])
    return dg.MaterializeResult(
        metadata={
            "rows_in": scored.height,
            "rows_out": 1,
            **{name: value for name, value in row.items() if value is not None and name != "day"},
        },
        data_version=dg.DataVersion(written.version),
    )


def _nothing_scored(lake: Lake, registry: Registry, settings: Settings, day: date) -> dg.MaterializeResult:
    """What is said where the window holds no scored answer: nobody answered, or nobody could be asked.

    Raises:
        LakeError: There are answers, and a champion that could have scored them.
    """
    answers = lake.scan(ANONYMISED_INTERACTIONS, days=_days(day, settings)).select(pl.len()).collect().item()
    if answers:
        return nothing_yet(registry, settings, day, asset="scored_events")
    return dg.MaterializeResult(
        metadata={"rows_out": 0, "note": f"Nobody answered in the {settings.drift.window_days} days up to {day}."}
    )


def _days(day: date, settings: Settings) -> list[date]:
    """The window that ends with `day`, ascending."""
    return [day - timedelta(days=back) for back in reversed(range(settings.drift.window_days))]


def _window(lake: Lake, registry: Registry, settings: Settings, day: date) -> pl.DataFrame:
    """Scored events of the window that ends with `day`, all by the champion that scored the last of them.

    Raises:
        LakeError: It is a past day, and its answers were not scored as of it.
    """
    serving = serving_champion(registry, settings, as_of=day)
    if serving is None:
        return SCORED_EVENTS.empty()
    past = states_of(lake, registry, settings, serving, day).is_past
    if past:
        folded_states(lake, registry, settings, serving, day)
    scored = lake.scan(scored_events_of(past=past), days=_days(day, settings)).collect()
    return scored.filter(pl.col("model_version") == pl.col("model_version").last())


def _history(lake: Lake, day: date) -> pl.DataFrame:
    days = [each for each in lake.days(DRIFT_VERDICTS) if each <= day]
    return lake.scan(DRIFT_VERDICTS, days=days[-VERDICTS_SHOWN:]).collect()


def _champion(lake: Lake, registry: Registry, day: date, settings: Settings) -> Champion | None:
    serving = serving_champion(registry, settings)
    if serving is None:
        return None
    later = [each for each in lake.days(ANONYMISED_INTERACTIONS) if serving.version.as_of < each <= day]
    return Champion(
        known_items=serving.brain.statistics.items["item_id"],
        fitted_events=serving.brain.summary.fit_events,
        new_events=lake.scan(ANONYMISED_INTERACTIONS, days=later).select(pl.len()).collect().item(),
    )
