"""What knowing the learner is worth. Belongs here: the same rows answered knowing less and more of them; no printing.

Five answers to each test row, which is predicted from its learner's own past: the main brain with an empty state (the
population's answer: every feature as of a learner without past); a model that was trained on such rows, so that it
cannot expect a past; the main brain with the learner's state; and that with one further personal parameter each.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from aivo_assets.benchmarks.partitions import Part
from aivo_assets.benchmarks.students.personal_parameters import CANDIDATES, Fitted, fit_candidate
from aivo_assets.benchmarks.students.personalisation_report import Compared, Difference, PersonalisationReport
from aivo_assets.settings import FeatureSettings, TrainingSettings
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.fold.statistics import OutOfFold, Statistics, fit_statistics, out_of_fold
from aivo_assets.tracing.judging.bootstrap import paired_bootstrap
from aivo_assets.tracing.model.scores import losses
from aivo_assets.tracing.model.splits import learner_folds
from aivo_assets.tracing.model.trees.ensemble import fit_ensemble
from aivo_assets.tracing.students.later_answers import BANDS, band_of

CALIBRATION_FOLDS = 20  # as in the accuracy benchmark: one in so many training learners fits no tree
GROUP_EVENTS, GROUP_LEARNERS = 300, 20  # smaller groups are not compared; those of promotion's slices
SAMPLES = 1000
TAIL = 0.975  # of each one-sided bound: both together are a 95 % interval
EMPTY, POPULATION, STATE = "empty state", "model without past", "the learner's state"

Say = Callable[[str], None]


def measure_personalisation(
    parts: Sequence[Part],
    features: FeatureSettings,
    training: TrainingSettings,
    *,
    say: Say = lambda _: None,
) -> PersonalisationReport:
    """Train on each part's training events, answer its test events in all ways, and compare over all parts.

    Args:
        parts: Of one file, their learners in no other part's test; see `partitions`.
        features: Of statistics and fold.
        training: Of the main brain.
        say: Told each step.
    """
    made = [_answered(part, features, training, say) for part in parts]
    rows = pl.concat([frame for frame, _ in made])
    notes = _notes([fitted for _, fitted in made])
    pairs = [(STATE, EMPTY), (STATE, POPULATION), *((name, STATE) for name in notes)]
    compared = tuple(_compared(rows, one, other, notes.get(one, ""), training.seed) for one, other in pairs)
    return PersonalisationReport(compared=compared, learners=rows["learner"].n_unique())


def _answered(
    part: Part, features: FeatureSettings, training: TrainingSettings, say: Say
) -> tuple[pl.DataFrame, Mapping[str, Fitted]]:
    """Losses of all answers to the test rows, a column each, beside learner, subject, skill and events seen."""
    statistics = fit_statistics(part.train, features)
    of_others = out_of_fold(part.train, features, folds=training.statistics_folds, seed=training.seed)
    train = fold(part.train, of_others, None, features).features
    held = learner_folds(train.keys["learner"], folds=CALIBRATION_FOLDS, seed=training.seed + 1) == 0
    brain, _ = fit_ensemble(train, np.flatnonzero(~held), np.flatnonzero(held), training)
    say(f"{part.name}: main brain fitted on {train.height:,} events")
    newcomers = without_past(part.train, of_others, features)
    population, _ = fit_ensemble(newcomers, np.flatnonzero(~held), np.flatnonzero(held), training)
    say(f"{part.name}: model without past fitted")
    test, empty = _test_rows(part, statistics, features)
    predicted = brain.predict(test.values)
    answers = {EMPTY: brain.predict(empty.values), POPULATION: population.predict(empty.values), STATE: predicted}
    fitting = train.take(held)
    fitted = {each.name: fit_candidate(each, fitting, brain.predict(fitting.values)) for each in CANDIDATES}
    answers |= {f"state and {name}": each.predict(test, predicted) for name, each in fitted.items()}
    say(f"{part.name}: {test.height:,} events answered in {len(answers)} ways")
    skills = pl.concat([part.past, part.test]).select("event", pl.col("skill_ids").list.first().alias("skill"))
    frame = test.keys.select("event", "learner", "subject").with_columns(
        pl.Series("events", test.column("learner_opportunities").astype(np.int64)),
        **{name: pl.Series(losses(test.target, answer)) for name, answer in answers.items()},
    )
    return frame.join(skills, on="event", how="left", maintain_order="left").drop("event"), fitted


def without_past(events: pl.DataFrame, statistics: Statistics | OutOfFold, features: FeatureSettings) -> FeatureTable:
    """Features of each event as if it were its learner's first, ascending by learner, day, sequence.

    Every event is made a learner of its own; the population's statistics stay those of the learner.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS.
        statistics: Of the population, or out of fold.
        features: Of the fold.
    """
    ordered = events.sort("learner", "day", "sequence").with_columns(gap_s=pl.lit(None, pl.Int32))
    if isinstance(statistics, OutOfFold):
        fold_of = statistics.fold_of(ordered["learner"].unique(maintain_order=True))
        codes = fold_of[ordered["learner"].rle_id().to_numpy()]
        values = np.empty((0, 0), np.float32)
        for number, own in enumerate(statistics.folds):
            chosen = np.flatnonzero(codes == number)
            part = without_past(ordered[chosen], own, features)
            values = values if values.size else np.empty((ordered.height, len(part.names)), np.float32)
            values[chosen], schema = part.values, part.schema
        return FeatureTable(ordered, values, schema)
    name = pl.format("{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(12))
    table = fold(ordered.with_columns(learner=name), statistics, None, features).features
    return FeatureTable(ordered, table.values, table.schema)


def _test_rows(part: Part, statistics: Statistics, features: FeatureSettings) -> tuple[FeatureTable, FeatureTable]:
    """The test rows with their learners' past, and without, in the same order."""
    whole = fold(pl.concat([part.past, part.test]), statistics, None, features).features
    empty = without_past(part.test, statistics, features)
    if part.past.height:
        asked = part.test.select("event", _asked=pl.lit(value=True))
        mask = whole.keys.select("event").join(asked, on="event", how="left", maintain_order="left")["_asked"]
        whole = whole.take(mask.fill_null(value=False).to_numpy())
    return whole, empty


def _notes(fitted: Sequence[Mapping[str, Fitted]]) -> dict[str, str]:
    """Name of each candidate's answer to what was chosen for it in the parts."""
    return {
        f"state and {candidate.name}": "spread "
        + ", ".join(f"{each[candidate.name].spread:g}" for each in fitted)
        + "; on training learners "
        + ", ".join(f"{-each[candidate.name].training_gain:+.5f}" for each in fitted)
        for candidate in CANDIDATES
    }


def _compared(rows: pl.DataFrame, one: str, other: str, note: str, seed: int) -> Compared:
    banded = rows.with_columns(_band=band_of(pl.col("events")))
    groups: dict[str, dict[str, Difference]] = {"all": {"all rows": _difference(rows, one, other, seed)}}
    bands = {band: banded.filter(pl.col("_band") == band) for band in BANDS}
    groups["events seen"] = {
        f"{band} events seen": _difference(part, one, other, seed) for band, part in bands.items() if part.height
    }
    for kind in ("subject", "skill"):
        groups[kind] = {name: _difference(part, one, other, seed) for name, part in _groups(rows, kind)}
    return Compared(name=one, against=other, note=note, groups=groups)


def _groups(rows: pl.DataFrame, kind: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """Groups large enough, by name."""
    sizes = rows.group_by(kind).agg(n=pl.len(), learners=pl.col("learner").n_unique())
    enough = sizes.filter(pl.col("n") >= GROUP_EVENTS, pl.col("learners") >= GROUP_LEARNERS)[kind].sort()
    for name in enough:
        yield str(name), rows.filter(pl.col(kind) == name)


def _difference(rows: pl.DataFrame, one: str, other: str, seed: int) -> Difference:
    losses_of = {name: rows[name].to_numpy() for name in (one, other)}
    codes = rows["learner"].rank("dense").to_numpy().astype(np.int64)
    interval = paired_bootstrap(losses_of[one] - losses_of[other], codes, samples=SAMPLES, confidence=TAIL, seed=seed)
    means = {name: float(values.mean()) for name, values in losses_of.items()}
    return Difference(events=rows.height, loss=means[one], other=means[other], interval=interval)
