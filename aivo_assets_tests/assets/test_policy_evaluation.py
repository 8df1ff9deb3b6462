"""The asset policy_evaluation, tiny, on a real instance."""

from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl

from aivo_assets.assets.advice.policy_evaluation import POLICY_EVALUATION, policy_evaluation
from aivo_assets.lake import open_lake
from aivo_assets.settings import Settings

DAY = date(2026, 3, 22)


def test_it_keeps_a_table_that_does_not_change_from_run_to_run(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        training={"min_samples_leaf": 20},
        policy={
            "evaluation_seeds": 2,
            "evaluation_learners": 10,
            "evaluation_weeks": 1,
            "evaluation_school": 75,
        },
    )
    lake = open_lake(settings)
    versions = []
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            result = dg.materialize(
                [policy_evaluation],
                instance=instance,
                resources={"settings": settings, "lake": lake},
                partition_key=DAY.isoformat(),
            )
            assert result.success
            versions.append(lake.version(POLICY_EVALUATION, days=[DAY]))
    assert versions[0] == versions[1]
    kept = lake.scan(POLICY_EVALUATION, days=[DAY]).collect()
    assert {"ours", "threshold", "random", "fixed", "oracle"} <= set(kept["policy"])
    assert (kept["lower"] <= kept["mean"]).all()
    assert kept.filter((pl.col("policy") == "ours") & (pl.col("measure") == "flaps")).height == 1
    metadata = result.asset_materializations_for_node("policy_evaluation")[0].metadata
    assert "| ours |" in str(metadata["table"].value)
