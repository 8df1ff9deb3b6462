"""How much a model has lost since its promotion. Belongs here: samples, cohorts, measures and scores; no decision."""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "inference": ["ClusteredMeans", "Effect", "clustered_means"],
        "sample": ["Sample", "read_sample"],
        "scores": ["Comparison", "score_main_brain", "score_student_models"],
    },
)
