"""What every recommendation has to keep, whatever it says."""

from typing import Any

TEXTS = ["reasoning", "reasoning_learner", "reasoning_parent", "counterfactual", "expectation"]


def consistent(learner: dict[str, Any]) -> dict[str, Any]:
    """A learner of CASES whose counts agree with his accuracies."""
    known = dict(learner)
    known["recent_successes"] = round(10 * known.get("recent_accuracy", 0.8))
    if "session_fall" in known:
        known |= {"session_first_half": 1.0, "session_second_half": 0.4}
    return known
