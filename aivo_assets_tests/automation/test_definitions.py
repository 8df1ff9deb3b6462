"""What Dagster is told: everything loads, and every asset introduces itself."""

import dagster as dg

from aivo_assets.automation.jobs import EVERY_JOB, TRAINING_JOBS


def specs(definitions: dg.Definitions) -> dict[str, dg.AssetSpec]:
    graph = definitions.get_repository_def().asset_graph
    return {key.to_user_string(): graph.get(key).to_asset_spec() for key in graph.materializable_asset_keys}


def test_the_definitions_load(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_every_asset_says_whose_it_is_and_what_it_holds(definitions: dg.Definitions) -> None:
    lacking = {
        name: lack
        for name, spec in specs(definitions).items()
        if (lack := [field for field in ("description", "group_name", "owners", "kinds") if not getattr(spec, field)])
    }
    assert lacking == {}


def test_assets_that_keep_rows_describe_their_columns(definitions: dg.Definitions) -> None:
    without_rows = {"quarantine", "main_brain_candidate", "main_brain_evaluation", "main_brain_promotion"}
    without_rows |= {"drift_report", "privacy_audit", "main_brain_card", "retention"}
    without_rows |= {"forget_requests", "forgotten_in_lake", "forgetting_certificates", "personal_retention"}
    lacking = [
        name
        for name, spec in specs(definitions).items()
        if name not in without_rows and "dagster/column_schema" not in spec.metadata
    ]
    assert lacking == []


def test_the_graph_runs_from_raw_events_to_recommendations_and_drift(definitions: dg.Definitions) -> None:
    graph = definitions.get_repository_def().asset_graph
    raw = dg.AssetKey("raw_interactions")
    for last in ("recommendations", "drift_report", "drift_verdict", "training_need", "mart_class_progress"):
        assert raw in graph.get_ancestor_asset_keys(dg.AssetKey(last)), last


def test_nothing_past_the_privacy_line_reads_the_raw_zone(definitions: dg.Definitions) -> None:
    raw = {"raw_interactions", "raw_learners", "raw_overrides", "quarantine"}
    allowed = raw | {"anonymised_interactions", "anonymised_learners", "overrides"}
    reading = {
        name for name, spec in specs(definitions).items() if {dep.asset_key.to_user_string() for dep in spec.deps} & raw
    }
    assert reading <= allowed


def test_the_jobs_of_the_contract_exist(definitions: dg.Definitions) -> None:
    names = {job.name for job in definitions.get_repository_def().get_all_jobs()}
    assert set(EVERY_JOB) <= names
    assert set(TRAINING_JOBS) <= set(EVERY_JOB)


def test_every_sensor_is_on(definitions: dg.Definitions) -> None:
    sensors = definitions.get_repository_def().sensor_defs
    assert {sensor.default_status for sensor in sensors} == {dg.DefaultSensorStatus.RUNNING}
    assert {sensor.name for sensor in sensors} >= {"drift_retraining", "student_model_update", "failed_runs"}
