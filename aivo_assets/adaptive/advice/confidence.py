"""Calibrated confidence of recommendations. Belongs here: fitting it on outcomes of earlier ones, and applying it.

The model's own probability that an expectation holds is the prior; outcomes move it. On the logit scale: slope times
the model's logit, plus a constant, plus a constant of the kind, each with a Gaussian prior at "the model is right", so
that few outcomes move little. Several recommendations about one learner's skill share most of their answers: together
they count as one outcome.
"""

from typing import Final, Self

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from aivo_assets.adaptive.signals.standing import logit
from aivo_assets.settings import PolicySettings
from aivo_assets.tracing.model.logistic import posterior_mode

SLOPE_SD: Final = 0.3  # of the prior, around 1
OFFSET_SD: Final = 1.0  # around 0: learners who choose their own tasks may all be better, or worse, than the model says
KIND_SD: Final = 0.5  # around the common constant
_LEAST_SLOPE: Final = 0.05  # more of the model's confidence is never less of ours


class Confidence(BaseModel):
    """A fitted map from the model's confidence to ours.

    Attributes:
        slope: Factor of the model's logit; 1 as long as too few outcomes are known.
        offset: Common constant, logits.
        by_kind: Constant of each kind, logits; a kind that is absent has 0.
        outcomes: Judged learner x skills that it rests on; 0: the model's answer as it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slope: float = 1.0
    offset: float = 0.0
    by_kind: dict[str, float] = {}
    outcomes: int = 0

    @classmethod
    def fit(cls, outcomes: pl.DataFrame | None, settings: PolicySettings) -> Self:
        """Fit on judged expectations.

        Args:
            outcomes: `OUTCOMES` of one day, in any order; None: none were judged yet.
            settings: Fewest outcomes.

        Returns:
            The map; where there are fewer than `confidence_minimum` judged learner x skills, the identity.
        """
        if outcomes is None or outcomes.select("learner", "subject", "skill_id").n_unique() < max(
            settings.confidence_minimum, 1
        ):
            return cls()
        rows = outcomes.sort("learner", "subject", "skill_id", "recommended_on").select(
            "kind",
            z=logit(pl.col("confidence_model")),
            held=pl.col("held").cast(pl.Float64),
            weight=1 / pl.len().over("learner", "subject", "skill_id"),
        )
        kinds = sorted(rows["kind"].unique())
        design = np.column_stack(
            [rows["z"].to_numpy(), np.ones(rows.height), *((rows["kind"] == kind).to_numpy() for kind in kinds)]
        ).astype(np.float64)
        centre = np.zeros(design.shape[1])
        centre[0] = 1.0
        precision = 1 / np.array([SLOPE_SD, OFFSET_SD, *[KIND_SD] * len(kinds)]) ** 2
        weight = rows["weight"].to_numpy()
        coefficients = posterior_mode(design, rows["held"].to_numpy(), centre, precision, weight=weight)
        return cls(
            slope=max(float(coefficients[0]), _LEAST_SLOPE),
            offset=float(coefficients[1]),
            by_kind=dict(zip(kinds, coefficients[2:].tolist(), strict=True)),
            outcomes=round(float(rows["weight"].sum())),
        )

    def add(self, decided: pl.DataFrame) -> pl.DataFrame:
        """Add `confidence` and `confidence_outcomes` to rows with `confidence_model` and `kind`."""
        if not self.outcomes:
            ours = pl.col("confidence_model")
        else:
            of_kind = pl.col("kind").replace_strict(self.by_kind, default=0.0, return_dtype=pl.Float64)
            z = self.slope * logit(pl.col("confidence_model")) + self.offset + of_kind
            ours = 1 / (1 + (-z).exp())
        return decided.with_columns(confidence=ours, confidence_outcomes=pl.lit(self.outcomes, dtype=pl.Int32))
