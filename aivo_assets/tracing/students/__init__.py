"""The student model of each learner: folded state, mastery with bands, and how both are kept up to date.

Belongs here: what is known of a learner. Levels and advice belong to `aivo_assets.adaptive`.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "intervals": ["Intervals", "fit_intervals"],
        "model_store": ["ModelUpdate", "ModelBuilder", "mastery_in_force", "students_in_force", "update_models"],
        "state_store": ["StateStore"],
        "student_models": ["StudentModels", "build_student_models"],
    },
)
