"""Stage 7b, policy evaluation: is the policy any good, in a simulated school whose truth is known?"""

import dagster as dg
import polars as pl

from aivo_assets.assets.describe import columns, daily_asset
from aivo_assets.automation.partitions import as_of
from aivo_assets.benchmarks.policy.policy import REPORT_SEED, PolicyTrialPlan, measure_policies
from aivo_assets.benchmarks.policy.report import BETTER, OURS, WAY, PolicyReport
from aivo_assets.lake import Dataset, Lake
from aivo_assets.settings import Settings

POLICY_EVALUATION = Dataset(
    "policy_evaluation",
    {
        "day": pl.Date,
        "policy": pl.String,
        "measure": pl.String,
        "mean": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
    },
    unit="day",
)
_DESCRIPTIONS = {
    "day": "As-of day of the run; the result depends on code and settings only.",
    "policy": "Who decided.",
    "measure": "What was measured (docs/policy.md).",
    "mean": "Mean over seeds.",
    "lower": "Lower end of its 95 % interval.",
    "upper": "Upper end.",
}


@daily_asset(
    "evaluation",
    deps=["recommendations"],
    description="The policy beside the threshold rules, random exercises, one level for all and an oracle, on the same "
    "simulated learners: true gain, time in the success zone, wrong moves, days to notice trouble, flaps. Weekly, "
    "small, always with the same seeds; `aivo benchmark policy` is the large one.",
    kinds={"polars", "numba"},
    metadata=columns(POLICY_EVALUATION, _DESCRIPTIONS),
)
def policy_evaluation(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Let simulated learners live under each policy, and keep the table."""
    day = as_of(context)
    chosen = settings.policy
    plan = PolicyTrialPlan(
        seeds=chosen.evaluation_seeds,
        first_seed=REPORT_SEED,
        learners=chosen.evaluation_learners,
        weeks=chosen.evaluation_weeks,
        contents=1,
        content_learners=chosen.evaluation_school,
    )
    report = measure_policies(plan, settings)
    written = lake.write(POLICY_EVALUATION, _frame(report).with_columns(day=pl.lit(day)), day=day)
    return dg.MaterializeResult(
        metadata={
            "rows_out": written.rows,
            **{name: value.text() for name in (WAY, BETTER, "flaps") if (value := report.value(OURS, name))},
            **report.asked,
            "table": dg.MetadataValue.md(report.markdown()),
        },
        data_version=dg.DataVersion(written.version),
    )


def _frame(report: PolicyReport) -> pl.DataFrame:
    rows = [{"policy": row.policy, "measure": row.measure, **row.value.model_dump()} for row in report.rows()]
    return pl.DataFrame(rows).select(pl.lit(None, pl.Date).alias("day"), *list(POLICY_EVALUATION.schema)[1:])
