"""What a learner is told: recommendations with evidence, content and words, and what came of them.

Which of the seven kinds fits is decided in `policy/`; how a page looks belongs to `aivo_assets.pages`.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "confidence": ["Confidence"],
        "recommendations": ["Known", "recommend"],
        "student_view": ["StudentView", "find_learner", "view_student"],
        "wording": ["Wording", "load_wording"],
    },
)
