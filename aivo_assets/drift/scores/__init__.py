"""How much a model has lost since its promotion. Belongs here: samples, cohorts, measures and scores; no decision."""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "inference": ["ClusteredMeans", "Effect", "clustered_means"],
        "sample": ["Sample", "read_sample"],
        "scores": ["Comparison", "as_frame", "main_brain_rows", "student_rows", "whole_look"],
    },
)
