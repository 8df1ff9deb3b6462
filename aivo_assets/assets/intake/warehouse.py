"""Stage 3, the warehouse: staging and marts over the anonymised lake; dbt models are assets, dbt tests are checks."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets

from aivo_assets.assets.describe import OWNERS
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings
from aivo_assets.warehouse import (
    ensure_manifest,
    environment,
    exclusive,
    project_dir,
    publish,
    target_dir,
    warehouse_path,
)


class _Translator(DagsterDbtTranslator):
    """Keys and groups are in the project's YAML; owners are ours."""

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:  # noqa: ARG002 - dagster-dbt's signature
        return [OWNERS["warehouse"]]


def warehouse_assets(settings: Settings) -> dg.AssetsDefinition:
    """The assets of the dbt project; the project is parsed first where its files changed since the last time."""
    manifest = ensure_manifest(project_dir(), target_dir(settings), environment(settings))

    @dbt_assets(manifest=manifest, dagster_dbt_translator=_Translator(), name="warehouse", pool="warehouse")
    def warehouse(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        lake: dg.ResourceParam[Lake],
        dbt: DbtCliResource,
    ) -> Iterator[Any]:
        with exclusive(warehouse_path(settings)):
            publish(lake, warehouse_path(settings))
            run = dbt.cli(["build"], context=context, target_path=target_dir(settings) / "runs" / context.run.run_id)
            yield from run.stream()

    return warehouse
