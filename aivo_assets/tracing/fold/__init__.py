"""Answers to features: the fold over each learner's answers, its states, and the statistics it reads.

Belongs here: what is known before an answer, for real answers (`fold`) and hypothetical ones (`query`). A model that
reads the features belongs to `model/`; the states of all learners are kept by `students/`.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "catalogue": ["FEATURES", "FeatureSpec", "feature_schema"],
        "features": ["Folded", "fold", "fold_version", "query"],
        "schema": ["FeatureSchema", "FeatureTable"],
        "states": ["LearnerStates"],
        "statistics": ["OutOfFold", "Statistics", "fit_statistics", "out_of_fold"],
    },
)
