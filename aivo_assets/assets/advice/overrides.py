"""Teachers' overrides: an input beside the answers. Raw with the teacher's own words, then without what is personal."""

from pathlib import Path

import dagster as dg

from aivo_assets.assets.describe import FRESH_HOURS, columns, fresh_within, owned
from aivo_assets.events.landing import overrides as landing
from aivo_assets.events.values.hashes import digest
from aivo_assets.lake import Lake
from aivo_assets.privacy.erasure.tombstones import Forgotten, frame_without_forgotten
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.lake_key import keep_key
from aivo_assets.privacy.overrides import OVERRIDE_DESCRIPTIONS, OVERRIDES, anonymise_overrides
from aivo_assets.resources.clock import Clock
from aivo_assets.settings import Settings


@dg.asset(
    deps=["raw_interactions", "raw_learners"],  # a word about somebody unknown is refused
    description="What teachers said of recommendations: accepted, rejected with a reason, or a level pinned until a "
    "day. Raw identifiers and free text: nothing past the privacy stage reads it. Written by `aivo override add`, by a "
    "file (AIVO_SOURCE_OVERRIDE_PATH), or by a teacher's system through either.",
    kinds={"parquet"},
    metadata=columns(landing.OVERRIDES_GIVEN),
    **owned("events"),
)
def raw_overrides(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
) -> dg.MaterializeResult:
    """Land the file of overrides, where one is named; what the CLI added is there already."""
    counts: dict[str, int] = {}
    if settings.source.override_path is not None:
        path = Path(settings.source.override_path)
        given, left_out = frame_without_forgotten(
            landing.read_override_file(path), Forgotten(lake, settings), settings.source.missing_values
        )
        receipt = landing.land_overrides(
            lake,
            given,
            now=clock.now(),
            run=context.run.run_id,
            source=f"overrides {path.name}",
            missing=settings.source.missing_values,
        )
        counts = {
            "rows_in": receipt.rows_in,
            "kept": receipt.kept,
            "set aside": receipt.set_aside,
            "forgotten": left_out,
        }
        counts |= receipt.by_reason
    held = landing.raw_overrides(lake)
    return dg.MaterializeResult(
        metadata={"rows_out": held.height, "taken back": held["removed_at"].count(), **counts},
        data_version=dg.DataVersion(digest(landing.said_so_far(lake))),
    )


@dg.asset(
    deps=["raw_overrides"],
    description="The same with pseudonyms and a coded reason; the teacher's own words stay in the raw zone.",
    kinds={"parquet"},
    metadata=columns(OVERRIDES, OVERRIDE_DESCRIPTIONS),
    freshness_policy=fresh_within(hours=FRESH_HOURS),
    **owned("privacy"),
)
def overrides(
    lake: dg.ResourceParam[Lake],
    pseudonym_key: dg.ResourceParam[PseudonymKey],
) -> dg.MaterializeResult:
    """Take the personal data out."""
    keep_key(lake, pseudonym_key)
    raw = landing.raw_overrides(lake)
    made = anonymise_overrides(raw, pseudonym_key, lake.shards)
    written = lake.write(OVERRIDES, made)
    by_action = dict(made.group_by("action").len().sort("action").iter_rows())
    return dg.MaterializeResult(
        metadata={"rows_in": raw.height, "rows_out": made.height, **by_action},
        data_version=dg.DataVersion(written.version),
    )
