"""The groups of answers that a model is watched on separately. Belongs here: which rows are in a group; no scores.

A model that is better on average and worse for new learners, for one subject or for one group of people is not better.
Groups too small to be measured, or to be spoken of without pointing at somebody, are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aivo_assets.errors import ModelError
from aivo_assets.privacy.schema import SUPPRESSED
from aivo_assets.settings import PromotionSettings
from aivo_assets.tracing.model.splits import Split

COLD_START_EVENTS = 10

COLD_START = ("experience", f"first {COLD_START_EVENTS} answers of a learner")
UNSEEN_ITEMS = ("items", "not seen in training")


@dataclass(frozen=True)
class Slice:
    """One group of evaluation rows.

    Attributes:
        kind: By what they are grouped: `experience`, `items`, `subject` or a learner attribute.
        value: Which group of that kind.
        rows: bool [n], over the evaluation rows of the split, in their order.
        learners: Distinct learners in it.
    """

    kind: str
    value: str
    rows: NDArray[np.bool_]
    learners: int


def find_slices(
    keys: pl.DataFrame, split: Split, settings: PromotionSettings, *, attributes: pl.DataFrame | None = None
) -> tuple[Slice, ...]:
    """The groups of the evaluation rows that are large enough.

    Args:
        keys: learner, day, sequence, item_id, subject of *all* rows that the split was made of.
        split: Which of them evaluate.
        settings: Fewest events and learners of a slice.
        attributes: learner and one String column per attribute (grade, gender, …), one row a learner; learners that it
            does not know, and values that are unknown (null) or suppressed (`*`), are in no slice.

    Raises:
        ModelError: `attributes` has a learner twice.
    """
    evaluated = keys[split.evaluate]
    fitted_items = keys["item_id"][split.fit].unique().implode()
    earlier = keys.select(pl.struct("day", "sequence").rank("ordinal").over("learner") - 1).to_series()
    candidates = [
        (*COLD_START, earlier[split.evaluate] < COLD_START_EVENTS),
        (*UNSEEN_ITEMS, ~evaluated["item_id"].is_in(fitted_items)),
        *_groups(evaluated.select("subject")),
    ]
    if attributes is not None:
        candidates += _groups(_attributes_of(evaluated, attributes))
    slices = (
        Slice(kind, value, mask.to_numpy(), evaluated["learner"].filter(mask).n_unique())
        for kind, value, mask in candidates
    )
    return tuple(
        part
        for part in slices
        if part.rows.sum() >= settings.slice_minimum_events and part.learners >= settings.slice_minimum_learners
    )


def _groups(columns: pl.DataFrame) -> Iterator[tuple[str, str, pl.Series]]:
    for column in columns.iter_columns():
        for value in column.filter(column != SUPPRESSED).unique().sort().to_list():
            yield column.name, value, (column == value).fill_null(value=False)


def _attributes_of(evaluated: pl.DataFrame, attributes: pl.DataFrame) -> pl.DataFrame:
    repeated = attributes["learner"].is_duplicated()
    if repeated.any():
        raise ModelError(
            f"{attributes['learner'].filter(repeated).n_unique()} learners have more than one row of attributes",
            fix="Re-materialise the anonymised learners; each learner must have one row.",
        )
    names = [name for name, dtype in attributes.schema.items() if dtype == pl.String and name != "learner"]
    return (
        evaluated.select("learner")
        .join(attributes.select("learner", *names), on="learner", how="left", maintain_order="left")
        .select(names)
    )
