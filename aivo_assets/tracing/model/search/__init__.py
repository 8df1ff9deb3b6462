"""The search for hyper-parameters. Belongs here: what is searched, within which budget, and the studies that remember.

Trials are scored on learners held out from the rows that may fit a model; evaluation rows are never touched.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "hyperparameters": ["Answer", "Budget", "search", "tuned"],
        "studies": ["Studies"],
    },
)
