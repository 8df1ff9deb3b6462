"""The warehouse: dbt over the anonymised lake, in one DuckDB file. Belongs here: what dbt needs to be run.

The SQL lives in `dbt_project/`; whatever orchestrates it holds `exclusive` while it publishes and builds.
"""

from aivo_assets.warehouse.places import (
    dbt_executable,
    environment,
    marts_path,
    project_dir,
    target_dir,
    warehouse_path,
)
from aivo_assets.warehouse.project import Built, build, ensure_manifest, manifest_path
from aivo_assets.warehouse.publishing import exclusive, publish

__all__ = [
    "Built",
    "build",
    "dbt_executable",
    "ensure_manifest",
    "environment",
    "exclusive",
    "manifest_path",
    "marts_path",
    "project_dir",
    "publish",
    "target_dir",
    "warehouse_path",
]
