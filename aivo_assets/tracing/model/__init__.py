"""Features to probabilities: the main brain, its training, calibration, search and stored form.

Belongs here: fitting, predicting and scoring, and which code made a model (`provenance`). Whether a model serves is
decided in `judging/`. `trees/` has the boosted trees, `search/` the search for hyper-parameters.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "calibration": ["Calibration"],
        "main_brain": ["MadeBy", "MainBrain", "fingerprint", "fit_main_brain"],
        "provenance": ["code_version"],
        "scores": ["Scores", "area_under_curve", "expected_calibration_error", "losses"],
        "splits": ["Split", "split_by_time"],
        "training": ["TrainingSet", "training_set"],
    },
)
