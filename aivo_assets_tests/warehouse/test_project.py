"""The manifest: parsed when something changed and only then; every column documented; Dagster's keys in place."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from aivo_assets import warehouse
from aivo_assets.errors import ServiceError
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS
from aivo_assets_tests.warehouse.conftest import MARTS_AND_STAGING, House


@pytest.fixture(scope="module")
def manifest(built: House) -> dict[str, Any]:
    path = warehouse.ensure_manifest(
        warehouse.project_dir(), warehouse.target_dir(built.settings), warehouse.environment(built.settings)
    )
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


def test_the_models_are_those_of_the_contract(manifest: dict[str, Any]):
    assert set(models(manifest)) == set(MARTS_AND_STAGING)
    materialized = {name: node["config"]["materialized"] for name, node in models(manifest).items()}
    assert materialized.pop("stg_interactions") == "view"
    assert set(materialized.values()) == {"external"}


def test_every_column_is_documented_and_no_other(manifest: dict[str, Any], built: House):
    for name, node in models(manifest).items():
        assert node["description"]
        if name != "stg_interactions":
            assert list(node["columns"]) == built.mart(name).columns
        for column in node["columns"].values():
            assert column["description"], (name, column["name"])
            assert column["data_type"], (name, column["name"])


def test_the_sources_are_the_anonymised_datasets_under_dagsters_keys(manifest: dict[str, Any]):
    sources = {source["name"]: source for source in manifest["sources"].values()}
    for name, dataset in (("interactions", ANONYMISED_INTERACTIONS), ("learners", ANONYMISED_LEARNERS)):
        assert list(sources[name]["columns"]) == list(dataset.schema)
        assert sources[name]["config"]["meta"]["dagster"]["asset_key"] == [f"anonymised_{name}"]


def test_models_are_in_the_group_warehouse_under_their_own_names(manifest: dict[str, Any]):
    for node in models(manifest).values():
        assert node["meta"]["dagster"] == {"group": "warehouse"}
        assert node["config"]["group"] == "warehouse"
        assert node["config"]["schema"] is None


def test_the_manifest_is_parsed_again_only_when_the_project_changed(tmp_path: Path, built: House):
    project, target = tmp_path / "project", tmp_path / "target"
    shutil.copytree(warehouse.project_dir(), project)
    environment = warehouse.environment(built.settings)
    before = sorted(project.rglob("*")), dict(os.environ), Path.cwd()
    path = warehouse.ensure_manifest(project, target, environment)
    assert path == warehouse.manifest_path(target)
    first = path.stat().st_mtime_ns
    warehouse.ensure_manifest(project, target, environment)
    assert path.stat().st_mtime_ns == first
    assert (sorted(project.rglob("*")), dict(os.environ), Path.cwd()) == before

    described = project / "models" / "marts" / "dim_skills.yml"
    described.write_text(described.read_text().replace("description: The skill.", "description: A skill."))
    warehouse.ensure_manifest(project, target, environment)
    changed = models(json.loads(path.read_text()))["dim_skills"]
    assert changed["columns"]["skill_id"]["description"] == "A skill."


def test_a_project_that_does_not_parse_is_an_error_that_names_the_file(tmp_path: Path, built: House):
    project = tmp_path / "project"
    shutil.copytree(warehouse.project_dir(), project)
    (project / "models" / "marts" / "broken.sql").write_text("select * from {{ ref('nowhere') }}")
    with pytest.raises(ServiceError, match=r"broken"):
        warehouse.ensure_manifest(project, tmp_path / "target", warehouse.environment(built.settings))
    assert not warehouse.manifest_path(tmp_path / "target").exists()


def test_the_dbt_command_is_that_of_this_environment():
    assert os.access(warehouse.dbt_executable(), os.X_OK)


def test_nothing_is_written_into_the_project(built: House):
    assert {entry.name for entry in warehouse.project_dir().iterdir()} == {
        "dbt_project.yml",
        "profiles.yml",
        "macros",
        "models",
        "tests",
    }
    assert warehouse.target_dir(built.settings).is_relative_to(built.settings.home)
