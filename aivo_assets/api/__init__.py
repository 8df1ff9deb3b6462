"""The HTTP service. Belongs here: what is served and to whom; it knows neither Dagster's code nor models.

Runs are started and looked up through Dagster's GraphQL (`dagster_client.py`), learners and verdicts are read from the
lake. What an answer holds is `schema.py`; the commands of `aivo` do not go through this service.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "app": ["build_app"],
    },
)
