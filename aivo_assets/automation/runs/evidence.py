"""Which run made what a sensor reacts to. Belongs here: looking it up, so that causes lead from run to run."""

import dagster as dg


def run_that_made(instance: dg.DagsterInstance, asset: str, partition: str, *, before: float | None = None) -> str:
    """Id of the run of the newest materialisation of an asset's partition; empty where there is none.

    Args:
        instance: Where it is looked up.
        asset: Name of the asset.
        partition: Partition key.
        before: Only materialisations before this instant, Unix seconds.
    """
    records = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[partition], before_timestamp=before)
    materializations = instance.fetch_materializations(records, limit=1).records
    return materializations[0].run_id if materializations else ""
