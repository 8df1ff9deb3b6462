"""The fold of events into features and states, and questions about hypothetical events. The recurrence is in `kernel`.

Law: `fold(fold(s, a), b)` gives the features and states of `fold(s, a + b)`, to the last bit, for any cut of each
learner's events in their order.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.arrays import Floats
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.behaviour import factor_steps
from aivo_assets.tracing.fold.catalogue import FEATURES, FeatureSpec, feature_schema
from aivo_assets.tracing.fold.encoding import encode
from aivo_assets.tracing.fold.kernel import run
from aivo_assets.tracing.fold.layout import Feature, Parameters, Rows, Work
from aivo_assets.tracing.fold.population import population_of
from aivo_assets.tracing.fold.schema import STATES_LEARNERS, FeatureTable
from aivo_assets.tracing.fold.states import KINDS, LearnerStates, Workspace, open_workspace, refuse_late
from aivo_assets.tracing.fold.statistics import OutOfFold, Statistics, skill_set_codes

__all__ = ["FEATURES", "FeatureSpec", "Folded", "feature_schema", "fold", "fold_version", "query"]

_EVENTS_TO_LIMIT = 1024  # weights of more events than this differ from their limit by less than 1e-7
_WORTH_A_THREAD = 10_000  # rows


@dataclass(frozen=True)
class Folded:
    """What a fold gives.

    Attributes:
        features: One row per event, ascending by learner, day, sequence.
    """

    features: FeatureTable
    _workspace: Workspace

    @property
    def states(self) -> LearnerStates:
        """The states after the events, with the untouched ones that were given. Frames are made at the first access."""
        return self._workspace.states


def fold_version(statistics: Statistics | OutOfFold, settings: FeatureSettings) -> str:
    """What makes a state and what it is kept as: two folds of the same version may continue each other's states."""
    schemas = [dict(dataset.schema) for dataset in (STATES_LEARNERS, *(dataset for dataset, _ in KINDS.values()))]
    return hashlib.sha256(f"{feature_schema(settings).hash} {statistics.version} {schemas}".encode()).hexdigest()[:32]


def fold(
    events: pl.DataFrame | pl.LazyFrame,
    statistics: Statistics | OutOfFold,
    states: LearnerStates | None,
    settings: FeatureSettings,
    *,
    threads: int | None = None,
) -> Folded:
    """Go over events in each learner's order; see the past as features, then let the answer change the state.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS (see `encode` for those that may be absent), any order of rows.
        statistics: Of the population, or out of fold for training.
        states: Where the learners stand; None or a learner without a state begins from nothing. Events must lie after
            them.
        settings: Half-lives, session gap and variances.
        threads: Learners folded at once; default as many as polars uses threads. Does not change the result.

    Raises:
        LakeError: An event without a skill, or two in the same place.
        ModelError: A state is of another fold version, or an event lies before its learner's state.

    Example:
        Three answers of one learner: before the first nothing is known, and a fold can be continued.

        >>> from datetime import UTC, date, datetime
        >>> import polars as pl
        >>> from aivo_assets import fit_statistics, fold
        >>> from aivo_assets.settings import FeatureSettings
        >>> events = pl.DataFrame(
        ...     {
        ...         "learner": "ada",
        ...         "day": date(2026, 3, 2),
        ...         "sequence": [0, 1, 2],
        ...         "occurred_at": [datetime(2026, 3, 2, 9, minute, tzinfo=UTC) for minute in (0, 1, 3)],
        ...         "item_id": ["a", "b", "a"],
        ...         "skill_ids": [["fractions"]] * 3,
        ...         "subject": "mathematics",
        ...         "correct": [0, 1, 1],
        ...     }
        ... )
        >>> statistics, settings = fit_statistics(events, FeatureSettings()), FeatureSettings()
        >>> whole = fold(events, statistics, None, settings)
        >>> whole.features.column("learner_wins").tolist()
        [0.0, 0.0, 1.0]
        >>> begun = fold(events[:1], statistics, None, settings)
        >>> rest = fold(events[1:], statistics, begun.states, settings)
        >>> bool((rest.features.values == whole.features.values[1:])[:, :2].all())
        True
    """
    encoded = encode(events)
    version = fold_version(statistics, settings)
    parameters = _parameters(settings)
    before = states or LearnerStates.empty()
    refuse_late(encoded, before)
    workspace = open_workspace(encoded, before, parameters.prior, version)
    values = _run(workspace, statistics, parameters, np.empty(0), update=True, threads=threads)
    return Folded(FeatureTable(encoded.keys, values, feature_schema(settings)), workspace)


def query(
    queries: pl.DataFrame,
    statistics: Statistics,
    states: LearnerStates,
    settings: FeatureSettings,
    *,
    threads: int | None = None,
) -> FeatureTable:
    """Features of hypothetical next events, from the same code as `fold`; no state changes.

    Args:
        queries: learner, subject, skill_ids, at (Datetime UTC: the instant), and optionally item_id (null: a typical
            item of the skills) and difficulty (logit; null: the item's own, or its skills'). A learner without a state
            is one without events.
        statistics: As those of the states.
        states: Where the learners stand.
        settings: As those of the states.
        threads: As for `fold`.

    Returns:
        A row per query in the order given; `keys` are the queries.

    Raises:
        LakeError: A query names no skill.
        ModelError: A state is of another fold version.

    Example:
        >>> from datetime import UTC, datetime
        >>> import polars as pl
        >>> from aivo_assets import query
        >>> from aivo_assets.settings import FeatureSettings
        >>> from aivo_assets.tracing.fold.states import LearnerStates
        >>> from aivo_assets.tracing.fold.statistics import fit_statistics
        >>> at = datetime(2026, 3, 2, 9, tzinfo=UTC)
        >>> asked = pl.DataFrame(
        ...     {"learner": ["ada"], "subject": ["mathematics"], "skill_ids": [["fractions"]], "at": [at]}
        ... )
        >>> table = query(asked, statistics, LearnerStates.empty(), FeatureSettings())  # as in the example of `fold`
        >>> table.column("learner_opportunities").tolist()  # nobody knows this learner yet
        [0.0]
    """
    encoded = encode(_as_events(queries))
    place = encoded.sequence  # of each encoded row among the queries
    parameters = _parameters(settings)
    workspace = open_workspace(encoded, states, parameters.prior, fold_version(statistics, settings))
    difficulty = np.empty(0)
    if "difficulty" in queries.columns:
        difficulty = queries["difficulty"].cast(pl.Float64).fill_null(np.nan).to_numpy()[place]
    values = np.empty((encoded.height, len(Feature)), np.float32)
    values[place] = _run(workspace, statistics, parameters, difficulty, update=False, threads=threads)
    return FeatureTable(queries, values, feature_schema(settings))


def _as_events(queries: pl.DataFrame) -> pl.DataFrame:
    item = pl.col("item_id") if "item_id" in queries.columns else pl.lit(None, pl.String)
    return queries.select(
        "learner",
        "subject",
        "skill_ids",
        item.alias("item_id"),
        pl.col("at").alias("occurred_at"),
        pl.col("at").dt.date().alias("day"),
        pl.int_range(pl.len(), dtype=pl.Int32).alias("sequence"),
        pl.lit(0, pl.Int8).alias("correct"),  # never read: nothing is learnt
    )


def _run(
    workspace: Workspace,
    statistics: Statistics | OutOfFold,
    parameters: Parameters,
    difficulty: Floats,
    *,
    update: bool,
    threads: int | None,
) -> npt.NDArray[np.float32]:
    encoded = workspace.encoded
    rows = Rows(
        learner=encoded.learner,
        subject_pair=workspace.pairs["subjects"].position,
        item_code=encoded.item,
        item_pair=workspace.pairs["items"].position,
        skill_offsets=encoded.skill_offsets,
        skill_code=encoded.skill,
        skill_pair=workspace.pairs["skills"].position,
        time=encoded.time,
        gap=encoded.gap,
        day=encoded.day,
        sequence=encoded.sequence,
        correct=encoded.correct,
        log_response=encoded.log_response,
        hints=encoded.hints,
        difficulty=difficulty,
    )
    work = Work(rows, workspace.state, population_of(statistics, encoded, workspace.item_names), parameters)
    values = np.empty((encoded.height, len(Feature)), np.float32)
    threads = threads or pl.thread_pool_size()
    bounds = encoded.bounds(4 * threads if encoded.height > _WORTH_A_THREAD else 1)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: run(work, values, part[0], part[1], update), pairwise(bounds)))
    values[:, Feature.skill_set] = skill_set_codes(statistics, encoded.skill_set)
    return values


def _parameters(settings: FeatureSettings) -> Parameters:
    half_lives = np.array(settings.half_lives)
    decay = 0.5 ** (1.0 / half_lives)
    events = np.arange(_EVENTS_TO_LIMIT)
    weights = (1.0 - decay[:, None] ** events) / (1.0 - decay[:, None]) + settings.residual_prior_events
    return Parameters(
        decay=decay,
        weights=weights,
        pace_decay=0.5 ** (1.0 / settings.pace_half_life),
        session_gap=60.0 * settings.session_gap_minutes,
        prior=np.array([settings.ability_sd, settings.subject_sd, settings.skill_sd]) ** 2,
        drift=np.array([settings.ability_drift, settings.skill_drift, settings.skill_drift]),
        growth=np.array([settings.ability_growth, settings.skill_growth, settings.skill_growth]),
        factor_steps=factor_steps(settings),
    )
