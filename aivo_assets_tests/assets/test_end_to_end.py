"""From raw events to recommendations and drift: what one run of a small school leaves, and what a second changes."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from aivo_assets.adaptive.schema import ITEM_BANK, LEVELS, RECOMMENDATIONS, SIGNALS
from aivo_assets.drift.schema import DRIFT_REFERENCE, DRIFT_SCORES, DRIFT_VERDICTS, SCORED_EVENTS
from aivo_assets.drift.verdicts.training_need import TRAINING_NEED
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import Dataset
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS
from aivo_assets.tracing.fold.schema import (
    SKILL_MASTERY,
    STUDENT_MODELS,
)
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.judging.shadow import SHADOW
from aivo_assets.tracing.model.search.hyperparameters import HYPERPARAMETERS
from aivo_assets.tracing.model.training import TRAINING_FEATURES
from aivo_assets.tracing.students.state_store import StateStore
from aivo_assets_tests.assets.conftest import FIRST, LAST, Platform

pytestmark = pytest.mark.slow

KEPT: tuple[Dataset, ...] = (
    RAW_INTERACTIONS,
    RAW_LEARNERS,
    ANONYMISED_INTERACTIONS,
    ANONYMISED_LEARNERS,
    TRAINING_FEATURES,
    DRIFT_REFERENCE,
    ITEM_BANK,
    LEVELS,
    SCORED_EVENTS,
    STUDENT_MODELS,
    SKILL_MASTERY,
    SIGNALS,
    RECOMMENDATIONS,
    DRIFT_SCORES,
    DRIFT_VERDICTS,
    TRAINING_NEED,
    HYPERPARAMETERS,
    SHADOW,
)
NOTES = Dataset("notes", {"note": pl.String})
KINDS = {"level_up", "level_down", "maintain", "remediation", "enrichment", "break", "change_approach"}


def count(platform: Platform, dataset: Dataset, days: list[date] | None = None) -> int:
    return int(platform.lake.scan(dataset, days=days).select(pl.len()).collect().item())


def states(platform: Platform) -> LearnerStates:
    store = StateStore(platform.lake)
    return LearnerStates.concat([store.read(shard) for shard in range(platform.lake.shards)])


def metadata(platform: Platform, asset: str) -> dict[str, object]:
    event = platform.instance.get_latest_materialization_event(dg.AssetKey(asset))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_every_step_and_every_check_passes(first_run: dg.ExecuteInProcessResult) -> None:
    assert first_run.success
    checks = first_run.get_asset_check_evaluations()
    assert len(checks) > 50
    assert [f"{check.asset_key}: {check.check_name}" for check in checks if not check.passed] == []


def test_every_asset_but_those_with_jobs_of_their_own_was_materialised(
    first_run: dg.ExecuteInProcessResult, platform: Platform
) -> None:
    made = {event.asset_key for event in first_run.get_asset_materialization_events()}
    graph = platform_definitions(platform).get_repository_def().asset_graph
    own_jobs = {"policy_evaluation", "retention", "personal_retention"}  # weekly, daily
    on_request = {"forget_requests", "forgotten_in_lake", "forgetting_certificates"}
    others = {key.to_user_string() for key in set(graph.materializable_asset_keys) - made}
    assert others == own_jobs | on_request


def platform_definitions(platform: Platform) -> dg.Definitions:
    from aivo_assets.definitions import build_definitions

    return build_definitions(platform.settings)


def test_dirt_is_set_aside_with_its_reason_and_every_row_is_accounted_for(platform: Platform) -> None:
    figures = metadata(platform, "raw_interactions")
    assert figures["set_aside"] > 0  # type: ignore[operator]
    assert figures["duplicates"] > 0  # type: ignore[operator]
    assert figures["rows_in"] == figures["rows_out"] + figures["duplicates"] + figures["set_aside"]  # type: ignore[operator]
    assert figures["rows_out"] == count(platform, RAW_INTERACTIONS)


def test_every_kept_answer_passes_the_privacy_line_and_no_name_does(platform: Platform) -> None:
    assert count(platform, ANONYMISED_INTERACTIONS) == count(platform, RAW_INTERACTIONS)
    raw = platform.lake.scan(RAW_LEARNERS).collect()
    derived = platform.lake.scan(ANONYMISED_LEARNERS).collect()
    assert derived.height == raw.height
    assert set(derived.columns) & {"name", "email", "birth_date", "learner_id"} == set()
    assert not set(raw["learner_id"]) & set(derived["learner"])


def test_published_attributes_are_shared_by_at_least_k_learners(platform: Platform) -> None:
    learners = platform.lake.scan(ANONYMISED_LEARNERS).drop("learner", "shard").collect()
    published = learners.filter(~pl.all_horizontal(pl.all().fill_null("*") == "*"))
    assert published.group_by(published.columns).len()["len"].min() >= platform.settings.privacy.k_anonymity


def test_a_champion_is_promoted_because_it_beats_item_difficulty(platform: Platform) -> None:
    serving = platform.registry.champion()
    assert serving is not None
    scores = platform.registry.evaluation(serving.version.number)
    assert scores.scores.log_loss < scores.baselines["item_difficulty"].log_loss
    assert scores.since >= serving.brain.summary.unseen_from
    assert "better with 95% confidence" in platform.registry.moves()[-1].reason


def test_states_hold_every_answer_once(platform: Platform) -> None:
    assert int(states(platform).learners["events"].sum()) == count(platform, ANONYMISED_INTERACTIONS)


def test_every_enrolled_learner_has_a_student_model(platform: Platform) -> None:
    students = platform.lake.scan(STUDENT_MODELS, days=[LAST]).collect()
    enrolled = platform.lake.scan(ANONYMISED_LEARNERS).select("learner").collect()
    assert set(enrolled["learner"]) <= set(students["learner"])
    assert students["learner"].is_unique().all()
    assert (students["ability_lower"] <= students["ability"]).all()
    assert (students["ability"] <= students["ability_upper"]).all()


def test_harder_levels_are_never_more_likely_to_succeed(platform: Platform) -> None:
    levels = platform.lake.scan(SKILL_MASTERY, days=[LAST]).select("level_probabilities").collect()
    probabilities = levels["level_probabilities"].list.to_array(10).to_numpy()
    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert (probabilities[:, 1:] <= probabilities[:, :-1]).all()


def test_every_active_learner_has_one_first_recommendation_with_every_field_filled(platform: Platform) -> None:
    made = platform.lake.scan(RECOMMENDATIONS, days=[LAST]).collect()
    first = made.filter(pl.col("rank") == 1)
    active = platform.lake.scan(SIGNALS, days=[LAST]).select("learner").unique().collect()
    assert set(first["learner"]) == set(active["learner"])
    assert first["learner"].is_unique().all()
    assert set(made["kind"]) <= KINDS
    assert len(set(first["kind"])) >= 4
    assert made["recommended_level"].is_between(1, 10).all()
    assert made["confidence"].is_between(0, 1).all()
    for field in ("reasoning", "reasoning_learner", "reasoning_parent", "expectation", "priority", "counterfactual"):
        assert (made[field].str.len_chars() > 0).all(), field
    assert (made["evidence"].list.len() > 0).all()
    assert (made["suggested_actions"].list.len() > 0).all()


def test_a_run_over_a_range_records_of_each_model_the_day_it_made_and_of_the_data_every_day(platform: Platform) -> None:
    days = {(FIRST + timedelta(days=back)).isoformat() for back in range((LAST - FIRST).days + 1)}
    recorded = {
        name: platform.instance.get_materialized_partitions(dg.AssetKey(name)) & days
        for name in ("anonymised_interactions", "training_features", "main_brain_candidate", "student_models")
    }
    assert recorded.pop("anonymised_interactions") == days
    assert all(each == {LAST.isoformat()} for each in recorded.values()), recorded
    assert platform.lake.days(STUDENT_MODELS) == [LAST]


def test_the_drift_report_opens_by_itself_and_says_on_top_what_was_decided(platform: Platform) -> None:
    html = (platform.lake.root / f"drift/reports/day={LAST}.html").read_text()
    summary = str(metadata(platform, "drift_report")["summary"])
    assert summary.split(".", maxsplit=1)[0] in html
    assert "main_brain" in summary


def test_a_second_run_of_the_same_days_changes_nothing(
    platform: Platform, first_run: dg.ExecuteInProcessResult
) -> None:
    assert first_run.success
    before = {dataset.path: platform.lake.version(dataset) for dataset in KEPT}
    folded = states(platform)
    marts = {path.name: path.read_bytes() for path in (platform.lake.root / "marts").glob("*.parquet")}
    versions = [version.number for version in platform.registry.versions()]
    assert platform.run("end_to_end", FIRST, LAST).success
    assert {dataset.path: platform.lake.version(dataset) for dataset in KEPT} == before
    assert states(platform).equals(folded)
    assert {path.name: path.read_bytes() for path in (platform.lake.root / "marts").glob("*.parquet")} == marts
    assert [version.number for version in platform.registry.versions()] == versions


def test_a_model_of_an_earlier_day_never_moves_the_champion(platform: Platform) -> None:
    champion = platform.registry.champion()
    assert champion is not None
    earlier = LAST - timedelta(days=4)
    assert platform.run("main_brain_training", FIRST, earlier).success
    after = platform.registry.champion()
    assert after is not None
    assert after.version.number == champion.version.number
    verdict = json.loads(json.dumps(metadata(platform, "main_brain_promotion"), default=str))
    assert verdict["promoted"] in (False, "False")
    assert "older" in verdict["reason"]


def test_a_check_folds_only_what_is_new_and_the_weekly_run_finds_the_same_from_nothing(platform: Platform) -> None:
    day = LAST + timedelta(days=1)
    for hour in (11, 20):
        now = datetime.combine(day, time(hour), tzinfo=UTC)
        assert platform.run("adaptive_check", day, day, now=now).success
    said = metadata(platform, "learner_states")
    assert said["everybody folded anew"] == "no"
    assert 0 < said["rows_out"] < said["learners"]  # type: ignore[operator]
    made = ["learner_states", "scored_events", "student_models"]
    weekly = platform.run("weekly_full_retraining", day, day, now=now, assets=made)
    (check,) = [one for one in weekly.get_asset_check_evaluations() if one.check_name == "incremental_equals_rebuild"]
    assert check.passed
    assert check.metadata["learners compared"].value == said["learners"]


def failure(result: dg.ExecuteInProcessResult) -> str:
    assert not result.success
    return "\n".join(str(event.step_failure_data.error) for event in result.get_step_failure_events())


def test_a_raw_value_in_a_derived_file_fails_the_audit(platform: Platform) -> None:
    name = platform.lake.scan(RAW_LEARNERS).select("name").drop_nulls().head(1).collect().item()
    platform.lake.write(NOTES, pl.DataFrame({"note": [f"spoke with {name} today"]}))
    try:
        result = platform.run("weekly_full_retraining", LAST, LAST, assets=["privacy_audit"])
        (check,) = [each for each in result.get_asset_check_evaluations() if each.check_name == "no_raw_values"]
        assert not check.passed
        assert "notes" in str(check.metadata["findings"].value)
        assert name not in str(check.metadata)
    finally:
        for file in (platform.lake.root / "notes").iterdir():
            file.unlink()


def test_an_absent_source_is_one_clear_error_and_leaves_no_partition(platform: Platform, tmp_path: Path) -> None:
    source = {"kind": "csv", "path": str(tmp_path / "absent.csv")}
    result = platform.run("late_events", LAST, LAST, source=source)
    assert "absent.csv" in failure(result)
    assert result.retry_attempts_for_node("ingest") == 0
