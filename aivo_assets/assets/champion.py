"""Which champion an asset reads, and what it says where none serves. Belongs here: asking the registry; no making."""

from collections.abc import Iterable
from datetime import date

import dagster as dg

from aivo_assets.assets.upstream import missing
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.catalogue import feature_schema
from aivo_assets.tracing.judging.registry import Registry, Serving


def serving_champion(registry: Registry, settings: Settings, *, as_of: date | None = None) -> Serving | None:
    """The champion that reads the features of this code; None where there is none, as before a first training.

    Args:
        registry: Where champions are.
        settings: Their features are those that are folded.
        as_of: Only a champion that knows no answer after this day.
    """
    return registry.champion(feature_schema(settings.features), as_of=as_of)


def why_none(registry: Registry, settings: Settings, day: date) -> str:
    """Why no champion serves as of a day, in a sentence."""
    moves = registry.moves()
    if not moves:
        return "No champion serves: none was promoted so far."
    problems = registry.problems(feature_schema(settings.features))
    if problems and serving_champion(registry, settings) is None:
        return f"No champion can serve: {'; '.join(problems)}."
    promoted = {move.after for move in moves}
    first = min(version.as_of for version in registry.versions() if version.number in promoted)
    return f"No champion knows nothing after {day}: the earliest is as of {first}."


def unanswered(checks: Iterable[str], note: str) -> list[dg.AssetCheckResult]:
    """Checks that had nothing to look at: none passes, and none stops anything.

    Args:
        checks: Their names.
        note: Why there was nothing.
    """
    return [
        dg.AssetCheckResult(
            check_name=name, passed=False, severity=dg.AssetCheckSeverity.WARN, description=f"Nothing to check. {note}"
        )
        for name in checks
    ]


def nothing_yet(
    registry: Registry, settings: Settings, day: date, *, asset: str, checks: Iterable[str] = ()
) -> dg.MaterializeResult:
    """What an asset says that has nothing to be made of because no champion serves as of a day.

    Args:
        registry: Where champions are.
        settings: Their features.
        day: As of which day.
        asset: What it would have been made of.
        checks: Names of the checks that come with it.

    Raises:
        LakeError: A champion serves, so that what it would have been made of could have been made first.
    """
    if serving_champion(registry, settings, as_of=day) is not None:
        raise missing(asset, day, [])
    note = why_none(registry, settings, day)
    return dg.MaterializeResult(metadata={"rows_out": 0, "note": note}, check_results=unanswered(checks, note))
