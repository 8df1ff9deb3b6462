"""AIVO training platform: knowledge tracing, student models and recommendations that train themselves.

These names are for notebooks and scripts (docs/python.md); each is imported when it is first used. Everything else in
the package is its inside. The command line is `aivo`, the Dagster definitions are `aivo_assets.definitions`.
"""

from typing import TYPE_CHECKING

from aivo_assets.exports import public

if TYPE_CHECKING:  # for editors and type checkers; at run time `public` finds them
    from aivo_assets.adaptive.advice.recommendations import recommend
    from aivo_assets.drift.verdicts.verdict import judge
    from aivo_assets.errors import AivoError
    from aivo_assets.lake import Lake, open_lake
    from aivo_assets.notebook import load_champion, predict_answers, read_recommendations
    from aivo_assets.settings import Settings, load_settings
    from aivo_assets.tracing.fold.features import fold, query
    from aivo_assets.tracing.fold.statistics import fit_statistics
    from aivo_assets.tracing.model.main_brain import MainBrain

__all__ = [
    "AivoError",
    "Lake",
    "MainBrain",
    "Settings",
    "fit_statistics",
    "fold",
    "judge",
    "load_champion",
    "load_settings",
    "open_lake",
    "predict_answers",
    "query",
    "read_recommendations",
    "recommend",
]

__getattr__, _ = public(
    __name__,
    {
        "adaptive.advice.recommendations": ["recommend"],
        "drift.verdicts.verdict": ["judge"],
        "errors": ["AivoError"],
        "lake": ["Lake", "open_lake"],
        "notebook": ["load_champion", "predict_answers", "read_recommendations"],
        "settings": ["Settings", "load_settings"],
        "tracing.fold.features": ["fold", "query"],
        "tracing.fold.statistics": ["fit_statistics"],
        "tracing.model.main_brain": ["MainBrain"],
    },
)


def __dir__() -> list[str]:
    return __all__
