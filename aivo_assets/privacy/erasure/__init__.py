"""Forgetting a learner, and telling what is held of one. Belongs here: places, requests, erasure, search, certificate.

`places.py` is the table of every place that may hold something about a learner. Whoever adds a dataset or a store adds
its line there; a test compares the table with what the package declares. Plain functions over a lake and a folder:
jobs and commands are elsewhere.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "places": ["PLACES", "Place", "place_of"],
    },
)
