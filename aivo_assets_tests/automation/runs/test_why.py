"""`aivo why`: from a run to its cause, to the cause's evidence, to what became of it; real runs on a real instance."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from aivo_assets.automation.runs.why import explain
from aivo_assets.automation.sensing.trainings import retrain_drifted
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.errors import RunError
from aivo_assets.lake import Lake
from aivo_assets.operations.alerts.outbox import Outbox
from aivo_assets.operations.jobs.causes import Cause, by_hand
from aivo_assets.resources.clock import FixedClock
from aivo_assets_tests.conftest import NOW

DAY = date(2026, 3, 10)
PARTITIONS = dg.DailyPartitionsDefinition("2026-03-01")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def ran(instance: dg.DagsterInstance, tags: dict[str, str], **made: dict[str, Any]) -> str:
    """A real run that materialises assets with this metadata, and its id."""

    def asset(name: str) -> dg.AssetsDefinition:
        @dg.asset(name=name, partitions_def=PARTITIONS)
        def makes() -> dg.MaterializeResult:
            return dg.MaterializeResult(metadata=made[name])

        return makes

    result = dg.materialize([asset(name) for name in made], instance=instance, partition_key=DAY.isoformat(), tags=tags)
    return str(result.run_id)


def verdict(lake: Lake, score: float = 0.31) -> None:
    values = {
        "day": DAY, "model_id": "main_brain", "model_version": "3", "verdict": "retrain", "score": score,
        "measure": "refit_loss", "reason": f"Score {score}: it fell.", "events": 2345, "learners": 321,
        "window_first": date(2026, 3, 4), "window_last": DAY, "log_loss": 0.52, "reference_log_loss": 0.44,
        "retrain_score": 0.15, "alert_score": 0.25,
    }  # fmt: skip
    row = {**dict.fromkeys(DRIFT_VERDICTS.schema), **values}
    lake.write(DRIFT_VERDICTS, pl.DataFrame([row], schema=dict(DRIFT_VERDICTS.schema)), day=DAY)


def retraining_of(instance: dg.DagsterInstance, lake: Lake, tmp_path: Path) -> dict[str, str]:
    """Tags of the run that the drift sensor asks for."""
    context = dg.build_sensor_context(instance=instance)
    outbox = Outbox(tmp_path / "alerts", [], remind=NOW - NOW, keep=NOW - NOW)
    answer = retrain_drifted(context, lake, FixedClock(NOW), outbox)
    assert isinstance(answer, dg.SensorResult)
    assert answer.run_requests is not None
    return dict(answer.run_requests[0].tags)


PROMOTION = {
    "main_brain_candidate": {"version": 4, "trained_at": NOW.isoformat()},
    "main_brain_evaluation": {"promote": True, "reason": "Better by 0.004 ± 0.001 nats."},
    "main_brain_promotion": {"promoted": True, "champion": "version 4, as of 2026-03-10"},
}


def test_the_chain_goes_from_schedule_to_verdict_to_retraining_to_promotion(
    instance: dg.DagsterInstance, lake: Lake, tmp_path: Path
) -> None:
    verdict(lake)
    check = ran(
        instance,
        Cause("schedule", "drift_monitor_6h", "schedule drift_monitor_6h").tags(),
        drift_verdict={
            "verdicts": dg.MetadataValue.table([dg.TableRecord({"model": "main_brain", "verdict": "retrain"})])
        },
    )
    retraining = ran(instance, retraining_of(instance, lake, tmp_path), **PROMOTION)
    said = "\n".join(explain(instance, lake, retraining))
    for part in (
        f"Run {retraining}",
        "The sensor drift_retraining saw a drift verdict",
        "Score 0.31: it fell.",
        "score 0.310 by refit_loss (retrain above 0.15, alert above 0.25), on 2,345 events of 321 learners",
        "Log loss 0.5200, promised 0.4400.",
        f"That was found by run {check}",
        "  The schedule drift_monitor_6h was due.",
        "It trained version 4",
        "Better by 0.004",
        "the champion is version 4, as of 2026-03-10, and its hold-out is the new drift reference",
    ):
        assert part in said
    forward = explain(instance, lake, check)
    assert "Drift verdicts: main_brain: retrain." in forward
    assert any(line.startswith(f"It led to run {retraining}") for line in forward)
    assert any(line.startswith("  Promoted:") for line in forward)


def test_numbers_that_were_replaced_since_are_not_told_as_those_of_then(
    instance: dg.DagsterInstance, lake: Lake, tmp_path: Path
) -> None:
    verdict(lake)
    retraining = ran(instance, retraining_of(instance, lake, tmp_path), **PROMOTION)
    verdict(lake, score=0.02)
    said = "\n".join(explain(instance, lake, retraining))
    assert "was made again since" in said
    assert "Score 0.31: it fell." in said
    assert "0.020" not in said


def test_a_refusal_leaves_the_champion_and_the_reference(instance: dg.DagsterInstance, lake: Lake) -> None:
    refused = ran(
        instance,
        by_hand("aivo train main-brain: a try").tags(),
        main_brain_evaluation={"promote": False, "reason": "Not significantly better."},
        main_brain_promotion={"promoted": False, "champion": "version 3, as of 2026-03-01"},
    )
    said = explain(instance, lake, refused)
    assert any("asked on the command line. It said: aivo train main-brain: a try" in line for line in said)
    assert "Evaluation: refused. Not significantly better." in said
    assert any("champion stays version 3" in line and "drift reference" in line for line in said)


def test_a_run_that_nobody_explained_says_so(instance: dg.DagsterInstance, lake: Lake) -> None:
    run = ran(instance, {}, item_bank={})
    said = explain(instance, lake, run)
    assert "It was started by hand in the web UI; nobody said why." in said
    assert "It made item_bank." in said


def test_a_run_that_failed_says_where(instance: dg.DagsterInstance, lake: Lake) -> None:
    @dg.asset(partitions_def=PARTITIONS)
    def raw_interactions() -> None:
        raise dg.Failure("the source does not answer")

    failed = dg.materialize(
        [raw_interactions], instance=instance, partition_key=DAY.isoformat(), raise_on_error=False,
        tags=by_hand("forced: now").tags(),
    )  # fmt: skip
    said = explain(instance, lake, failed.run_id)
    assert "It failed in raw_interactions." in said
    assert any("overrode the guards" in line for line in said)


def test_the_beginning_of_an_id_will_do_and_an_unknown_one_is_an_error(
    instance: dg.DagsterInstance, lake: Lake
) -> None:
    run = ran(instance, {}, item_bank={})
    assert explain(instance, lake, run[:8]) == explain(instance, lake, run)
    with pytest.raises(RunError, match="No runs begin with"):
        explain(instance, lake, "no-such-run")


@pytest.mark.parametrize(
    "kind", ["schedule", "drift", "need", "recommendations", "late_events", "api", "cli", "override"]
)
def test_a_cause_reads_back_from_its_tags(kind: Any) -> None:
    cause = Cause(kind, "who", "a reason", evidence="2026-03-10@abc", run="run-1")
    assert Cause.of(cause.tags()) == cause
    assert "who" in cause.opening()


def test_a_run_without_our_tags_has_no_cause() -> None:
    assert Cause.of({"dagster/partition": "2026-03-10"}) is None
