"""Groups of a file on a main brain that was fitted on it. Belongs here: fitting, and each group against the rest.

Each group that is large enough is held against all other learners whose attribute is known. Many comparisons flag some
by chance: p-values are Holm's, over all of them together.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from aivo_assets.errors import ModelError
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.group_fairness import GroupGap, group_gap
from aivo_assets.tracing.model.main_brain import MadeBy, fit_main_brain
from aivo_assets.tracing.model.training import training_set

LEVEL = 0.05


class GroupFigures(BaseModel):
    """One group against the rest.

    Attributes:
        attribute: Which, `gender`, or several with ` × `.
        group: Its value.
        learners: Of the group, and of the rest.
        auc: Of the group, and of the rest.
        auc_low, auc_high: 95 % interval of the difference of AUC.
        over_promised: Mean probability less share of right answers, in the group less in the rest.
        abroca: Area between the ROC curves.
        by_chance: What it is on average where groups mean nothing.
        detectable: The smallest that these learners could tell from chance.
        p_value: Corrected for all comparisons (Holm).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attribute: str
    group: str
    learners: tuple[int, int]
    auc: tuple[float, float]
    auc_low: float
    auc_high: float
    over_promised: float
    abroca: float
    by_chance: float
    detectable: float
    p_value: float

    @property
    def is_flagged(self) -> bool:
        """Whether the model serves the group otherwise than chance explains."""
        return self.p_value <= LEVEL


def predictions(events: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Fit a main brain as the platform does, and predict the last answers, which it has not seen.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS.
        settings: Of features and training.

    Returns:
        learner, correct (Float64), probability (Float64).
    """
    made = training_set(events, settings.features, settings.training)
    brain = fit_main_brain(
        made.table,
        made.split,
        settings.training,
        statistics=made.statistics,
        made_by=MadeBy(data_versions={}, code_version="benchmark"),
    )
    later = made.table.take(made.split.evaluate)
    return later.keys.select("learner").with_columns(
        correct=pl.Series(later.target.astype(np.float64)), probability=pl.Series(brain.predict(later))
    )


def compare_groups(
    predicted: pl.DataFrame, learners: pl.DataFrame, *, least: int, deals: int, seed: int
) -> tuple[GroupFigures, ...]:
    """Every group and every crossing of two attributes against the rest.

    Args:
        predicted: As `predictions` gives them.
        learners: learner and attributes (String; null: not known).
        least: Learners that a group, and the rest, must have.
        deals: Random deals of each test; more where so many comparisons need more.
        seed: Of them.

    Returns:
        By attribute and group.
    """
    asked = list(_large_enough(predicted, learners, least))
    # With too few deals the smallest p-value there is would be above the level once it is corrected.
    enough = max(deals, int(4 * len(asked) / LEVEL))
    found: list[tuple[str, str, GroupGap]] = []
    for attribute, group, known in asked:
        try:
            found.append((attribute, group, _against_the_rest(known, group, enough, seed)))
        except ModelError:
            continue  # a group that is always right, or always wrong, has no curve
    corrected = holm([gap.p_value for *_, gap in found])
    return tuple(
        GroupFigures(
            attribute=attribute,
            group=group,
            learners=gap.learners,
            auc=gap.auc,
            auc_low=gap.auc_low,
            auc_high=gap.auc_high,
            over_promised=gap.over_promised,
            abroca=gap.abroca,
            by_chance=gap.by_chance,
            detectable=gap.detectable,
            p_value=p_value,
        )
        for (attribute, group, gap), p_value in zip(found, corrected, strict=True)
    )


def _large_enough(
    predicted: pl.DataFrame, learners: pl.DataFrame, least: int
) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Attribute, group, and the predictions of all whose attribute is known (`group`: which they are in)."""
    for attribute, values in _attributes(learners):
        known = predicted.join(values.drop_nulls(), on="learner")
        everybody = known["learner"].n_unique()
        for group in sorted(known["group"].unique()):
            inside = known.filter(pl.col("group") == group)["learner"].n_unique()
            if min(inside, everybody - inside) >= least:
                yield attribute, group, known


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction: the chance that any true null among these is rejected stays below the level."""
    order = np.argsort(p_values)
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, position in enumerate(order):
        highest = max(highest, min(1.0, p_values[int(position)] * (len(p_values) - rank)))
        corrected[int(position)] = highest
    return corrected


def _attributes(learners: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """learner, group of each attribute and of each two together."""
    names = [name for name, dtype in learners.schema.items() if dtype == pl.String and name != "learner"]
    for position, name in enumerate(names):
        yield name, learners.select("learner", group=name)
        for other in names[position + 1 :]:
            both = pl.concat_str(name, other, separator=" × ")
            yield f"{name} × {other}", learners.select("learner", group=both)


def _against_the_rest(known: pl.DataFrame, group: str, deals: int, seed: int) -> GroupGap:
    names = known["learner"].unique().sort()
    codes = known.select(pl.col("learner").rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    members = known.filter(pl.col("group") == group)["learner"].unique()
    return group_gap(
        known["correct"].to_numpy(),
        known["probability"].to_numpy(),
        codes,
        names.is_in(members.implode()).to_numpy(),
        deals=deals,
        seed=seed,
    )
