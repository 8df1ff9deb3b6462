"""Which model still remembers somebody who was forgotten. Belongs here: that question; models are not known here.

A model that was fitted with a learner's answers holds something of them in its numbers, though nobody can be told apart
there. The certificates say which champion did; once another one serves, nothing does.
"""

from collections.abc import Mapping
from typing import Any

from aivo_assets.lake import Lake
from aivo_assets.privacy.erasure.requests import certificates


def remembered_by(lake: Lake, version: int) -> list[Mapping[str, Any]]:
    """Certificates of requests whose learners this version of the main brain was fitted with, oldest first."""
    return [
        each
        for each in certificates(lake)
        if each["still_remembers"] is not None and int(each["still_remembers"]["version"]) == version
    ]
