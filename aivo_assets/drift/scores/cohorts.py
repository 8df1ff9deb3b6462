"""Cohorts that are judged by themselves: subjects, new learners, published groups. Belongs here: who is in one.

A model may hold on average and fail a group. A cohort is scored beside the whole wherever the window holds enough of
it, as a model of its own: `main_brain/subject=geometry`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aivo_assets.drift.scores.sample import Sample
from aivo_assets.privacy.schema import ATTRIBUTES, SUPPRESSED
from aivo_assets.settings import DriftSettings

NEW_LEARNERS = "new learners"
SEPARATOR = "/"


Labels = dict[str, NDArray[np.object_]]
"""By kind of cohort (subject, grade, …) the group of each event, None where it belongs to none."""


@dataclass(frozen=True)
class Cohort:
    """A group of events.

    Attributes:
        name: `subject=geometry`, `grade=5`, `new learners`.
        now: Which events of the window are its own, bool [window events].
        then: Which events of the reference are, bool [reference events].
    """

    name: str
    now: NDArray[np.bool_]
    then: NDArray[np.bool_]


def unit_of(model_id: str) -> str:
    """What is trained when this model or cohort has drifted: `main_brain` or `student_models`."""
    return model_id.split(SEPARATOR, maxsplit=1)[0]


def labels_of(sample: Sample, attributes: pl.DataFrame | None, settings: DriftSettings) -> Labels:
    """The groups of each event.

    Args:
        sample: The events.
        attributes: ANONYMISED_LEARNERS, or None where nothing is published.
        settings: Who is new.
    """
    # Counted at each answer, so that learners leave the cohort once they are no longer new.
    is_new = sample.column("learner_opportunities") < settings.new_learner_events
    labels: Labels = {
        "subject": sample.frame["subject"].to_numpy().astype(np.object_),
        "": np.where(is_new, np.array(NEW_LEARNERS, dtype=np.object_), np.array(None, dtype=np.object_)),
    }
    if attributes is None or attributes.is_empty():
        return labels
    joined = sample.frame.select("learner").join(attributes, on="learner", how="left", maintain_order="left")
    published = {name: joined[name].cast(pl.String) for name in ATTRIBUTES if name in attributes.columns}
    return labels | {name: column.to_numpy().astype(np.object_) for name, column in published.items()}


def cohorts_of(window: Sample, now: Labels, then: Labels, settings: DriftSettings) -> Iterator[Cohort]:
    """Cohorts of which the window holds enough events and learners, and which are not the whole.

    Args:
        window: Events now.
        now: Their labels.
        then: Those of the reference.
        settings: Least events and learners.
    """
    for kind, labels in now.items():
        for value in sorted({label for label in labels if label is not None and label != SUPPRESSED}):
            cohort = Cohort(f"{kind}={value}" if kind else value, labels == value, then[kind] == value)
            if not cohort.now.all() and is_enough(window, cohort.now, settings):
                yield cohort


def is_enough(sample: Sample, rows: NDArray[np.bool_], settings: DriftSettings) -> bool:
    """Whether these rows are a sample that a cohort can be scored on."""
    return (
        int(rows.sum()) >= settings.cohort_minimum_events
        and len(np.unique(sample.learner[rows])) >= settings.cohort_minimum_learners
    )
