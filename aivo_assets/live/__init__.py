"""What the platform answers while the learner waits: where a learner stands now, and which exercise comes next.

Belongs here: the state of the last check with the answers since, folded by the same fold under the same champion, and
what follows from it. Taking answers in is `events/inbox.py`, the endpoints are the HTTP service's.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "champion": ["ServingBrain"],
        "next_exercise": ["NextAsked", "next_exercises"],
        "predictions": ["predict"],
        "standing": ["LearnerNow", "Learners"],
    },
)
