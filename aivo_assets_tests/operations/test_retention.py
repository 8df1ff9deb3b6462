"""What only grows stays within its setting, and nothing that is read goes."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from aivo_assets.assets.advice.policy_evaluation import POLICY_EVALUATION
from aivo_assets.assets.brain.main_brain import CANDIDATES
from aivo_assets.automation.runs.old_runs import remove_old_runs
from aivo_assets.events.receipts import Receipt, read_receipts, write_receipt
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Dataset, Lake, open_lake
from aivo_assets.lake.commits.looking_round import AT_ONCE, looked_at, turn
from aivo_assets.operations.jobs.names import PARTITION_TAG
from aivo_assets.operations.retention import DERIVED, MODELS, REPORTS, SCORED, prune
from aivo_assets.pages.reading.learner_words import LEARNER_WORDS
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import RetentionSettings, Settings
from aivo_assets.tracing.fold.schema import STUDENT_MODELS
from aivo_assets.tracing.model.search.studies import Studies
from aivo_assets.tracing.model.training import (
    ITEM_STATISTICS,
    SKILL_SETS,
    SKILL_STATISTICS,
    TOTALS,
    TRAINING_FEATURES,
)
from aivo_assets.warehouse import target_dir
from aivo_assets_tests.lake import declared

TODAY = date(2026, 9, 1)
ANSWERS = (RAW_INTERACTIONS, ANONYMISED_INTERACTIONS)
OF_TRAININGS = (TRAINING_FEATURES, ITEM_STATISTICS, SKILL_STATISTICS, SKILL_SETS, TOTALS)
OTHERS = (CANDIDATES, POLICY_EVALUATION, LEARNER_WORDS)


@pytest.fixture
def given(tmp_path: Path) -> Settings:
    kept = {"derived_days": 40, "scored_days": 35, "receipt_days": 30, "studies": 2}
    return Settings.model_validate({"home": tmp_path, "lake": {"shards": 2}, "retention": kept})


@pytest.fixture
def lake(given: Settings) -> Lake:
    return open_lake(given)


def one_row(dataset: Dataset, day: date) -> pl.DataFrame:
    values = {"day": day, "shard": 0, "learner": "a" * 32}
    return pl.DataFrame([{name: values.get(name) for name in dataset.schema}], schema=dict(dataset.schema))


def fill(lake: Lake, dataset: Dataset, ages: list[int], **notes: object) -> None:
    for age in ages:
        day = TODAY - timedelta(days=age)
        lake.write(dataset, one_row(dataset, day), day=day, made_by=notes)


def ages(lake: Lake, dataset: Dataset) -> list[int]:
    return [(TODAY - day).days for day in lake.days(dataset)]


def test_every_dataset_that_grows_by_the_day_has_its_limit() -> None:
    by_day = {dataset.path for dataset in declared.datasets() if dataset.unit == "day"}
    limited = {dataset.path for dataset in (*DERIVED, *MODELS, *SCORED, *OF_TRAININGS, *OTHERS)}
    assert by_day - limited == {dataset.path for dataset in ANSWERS}


@pytest.mark.parametrize("dataset", [*DERIVED, *OTHERS], ids=lambda dataset: dataset.path)
def test_a_derived_dataset_keeps_its_days_and_the_newest_however_old_it_is(
    dataset: Dataset, lake: Lake, given: Settings
) -> None:
    fill(lake, dataset, [90, 60, 41, 40, 3])
    prune(lake, given, TODAY, OTHERS)
    assert ages(lake, dataset) == [40, 3]
    prune(lake, given, TODAY + timedelta(days=300), OTHERS)
    assert ages(lake, dataset) == [3]


def test_answers_are_never_removed_and_a_second_time_removes_nothing(lake: Lake, given: Settings) -> None:
    for dataset in ANSWERS:
        fill(lake, dataset, [3000, 700, 2])
    fill(lake, SCORED[0], [80, 36, 35, 1])
    removed = prune(lake, given, TODAY)
    assert removed["days of scored answers"] == 2
    assert all(ages(lake, dataset) == [3000, 700, 2] for dataset in ANSWERS)
    assert set(prune(lake, given, TODAY).values()) == {0}


def test_models_that_are_in_force_stay_also_where_everybody_was_made_long_ago(lake: Lake, given: Settings) -> None:
    note = {"shard=0000": {"stamp": "s", "sequence": 1, "whole": True}}
    fill(lake, STUDENT_MODELS, [200, 150], **note)
    fill(lake, STUDENT_MODELS, [90, 20], **{"shard=0000": {"stamp": "s", "sequence": 2, "whole": False}})
    prune(lake, given, TODAY)
    assert ages(lake, STUDENT_MODELS) == [150, 90, 20]


def test_receipts_and_reports_go_but_the_last_of_each_source(lake: Lake, given: Settings) -> None:
    for number, (age, source) in enumerate([(300, "old source"), (200, "csv"), (31, "csv"), (5, "csv")]):
        at = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC) - timedelta(days=age)
        write_receipt(lake, Receipt(f"run{number}", source, "b", at, 1, 1, 0, 0, 1), what="all")
    for age in (300, 41, 2):
        lake.write_bytes(f"{REPORTS}/day={TODAY - timedelta(days=age)}.html", b"<p>")
    removed = prune(lake, given, TODAY)
    assert [receipt.run for receipt in read_receipts(lake)] == ["run0", "run3"]
    assert (removed["receipts"], removed["drift reports"]) == (2, 2)


def test_searches_go_but_the_newest(tmp_path: Path, lake: Lake, given: Settings) -> None:
    from aivo_assets.tracing.model.search.studies import Dimension

    studies = Studies(tmp_path)
    for number in range(4):
        day = TODAY - timedelta(days=10 - number)
        studies.run(
            f"study {number}", lambda values, _: values["x"], [Dimension("x", 1.0, 2.0)], {"x": 1.5},
            as_of=day, trials=1, seconds=30, most_earlier=3,
        )  # fmt: skip
    assert prune(lake, given, TODAY)["searches for hyper-parameters"] == 2
    assert Studies(tmp_path).forget(2) == 0


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def test_of_old_checks_the_last_of_each_day_stays_and_of_very_old_runs_none(instance: dg.DagsterInstance) -> None:
    @dg.op
    def nothing() -> None: ...

    @dg.job(name="adaptive_check")
    def check() -> None:
        nothing()

    @dg.job(name="main_brain_training")
    def training() -> None:
        nothing()

    def ran(job: dg.JobDefinition, day: str) -> str:
        return job.execute_in_process(instance=instance, tags={PARTITION_TAG: day}).run_id

    first, second, other = ran(check, "2026-08-01"), ran(check, "2026-08-01"), ran(check, "2026-08-02")
    trained = ran(training, "2026-08-01")
    settings, now = RetentionSettings(check_days=14, run_days=100), datetime.now(UTC)
    assert remove_old_runs(instance, settings, now + timedelta(days=13)) == 0
    assert remove_old_runs(instance, settings, now + timedelta(days=15)) == 1
    assert {run.run_id for run in instance.get_runs()} == {second, other, trained}
    assert instance.all_logs(first) == []
    assert instance.all_logs(second)
    assert remove_old_runs(instance, settings, now + timedelta(days=101)) == 3


@pytest.mark.parametrize("many", [1, AT_ONCE, AT_ONCE + 1, 365, 3000])
def test_a_look_at_the_days_costs_no_more_in_an_old_lake_and_turns_reach_every_day(many: int) -> None:
    days = [TODAY - timedelta(days=back) for back in reversed(range(many))]
    looks = [looked_at(days, number) for number in range(100)]
    assert all(len(look) <= 2 * AT_ONCE and look[-1] == TODAY and look == sorted(set(look)) for look in looks)
    assert {day for look in looks for day in look} == set(days)
    begin = datetime(2026, 9, 1, tzinfo=UTC)
    assert [turn(begin + timedelta(seconds=30 * step), 30) - turn(begin, 30) for step in range(4)] == [0, 1, 2, 3]


def test_builds_of_the_marts_go_but_the_newest(given: Settings, lake: Lake) -> None:
    runs = target_dir(given) / "runs"
    for age in range(8):
        (runs / f"run-{age}").mkdir(parents=True)
        (runs / f"run-{age}" / "run_results.json").write_text("{}")
        os.utime(runs / f"run-{age}", (1e9 - age, 1e9 - age))
    assert prune(lake, given, TODAY)["builds of the marts"] == 3
    assert sorted(each.name for each in runs.iterdir()) == [f"run-{age}" for age in range(5)]


def test_what_steps_printed_goes_with_their_runs(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        kept, known = "0b8f7f5e-3c2a-4a44-9f6e-6d3a2f1c9b11", "5a1c0f3e-77d1-4c19-8a2b-0c9d8e7f6a55"
        instance.create_run_for_job(
            dg.JobDefinition(name="work", graph_def=dg.GraphDefinition(name="work")), run_id=known
        )
        for run in (kept, known):
            (tmp_path / "storage" / run / "compute_logs").mkdir(parents=True)
            (tmp_path / "held").mkdir(exist_ok=True)
            (tmp_path / "held" / run).touch()
        (tmp_path / "storage" / "__repository__").mkdir()
        remove_old_runs(instance, RetentionSettings(), datetime.now(UTC))
        assert {each.name for each in (tmp_path / "held").iterdir()} == {known}
        assert {"__repository__", known} <= {each.name for each in (tmp_path / "storage").iterdir()}
        assert not (tmp_path / "storage" / kept).exists()
