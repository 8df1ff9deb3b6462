"""Which events train and which are predicted. Belongs here: folds of learners, a cut in time, a given test file."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from aivo_assets.errors import SourceError
from aivo_assets.tracing.fold.statistics import learner_folds

TIME_SHARE = 0.8  # of the events come before the cut of the protocol "time"


@dataclass(frozen=True)
class Part:
    """One training and one test of a benchmark.

    Attributes:
        name: What the report calls it.
        train: Events that models and statistics are fitted on; columns of ANONYMISED_INTERACTIONS.
        past: Earlier events of the test learners, which come before `test` in their order; of these models may know
            what they know of any past. Empty where the test learners are new.
        test: Events that are predicted, each from its learner's own past.
    """

    name: str
    train: pl.DataFrame
    past: pl.DataFrame
    test: pl.DataFrame


def some_learners(events: pl.DataFrame, learners: int, *, seed: int) -> pl.DataFrame:
    """Events of so many learners, drawn at random; of all where there are no more.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS.
        learners: How many.
        seed: Of the draw.
    """
    names = events["learner"].unique().sort()
    if names.len() <= learners:
        return events
    return events.filter(pl.col("learner").is_in(names.sample(learners, seed=seed).implode()))


def parts_by_learner(events: pl.DataFrame, *, folds: int, seed: int, only: int | None = None) -> Iterator[Part]:
    """Group k-fold: every learner's events lie in one fold, dealt by a hash of name and seed.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS.
        folds: How many, at least 2.
        seed: Of the deal.
        only: This fold alone, from 0.

    Raises:
        SourceError: There is no such fold, there are too few learners, or a fold has none of them.
    """
    if folds < 2 or (only is not None and not 0 <= only < folds):
        raise SourceError(f"There is no fold {only} of {folds}", fix="Take --folds of at least 2, --fold from 0.")
    names = events["learner"].unique().sort()
    if names.len() < folds:
        raise SourceError(
            f"There are {names.len()} learners, and {folds} folds of learners are asked for",
            fix="Take fewer folds, or --protocol time; or check which column is taken for the learner.",
        )
    dealt = pl.DataFrame({"learner": names, "_fold": learner_folds(names, folds, seed)})
    fold_of = events.select("learner").join(dealt, on="learner", how="left", maintain_order="left")["_fold"]
    for fold in range(folds) if only is None else (only,):
        test = events.filter(fold_of == fold)
        if test.is_empty() or test.height == events.height:
            raise SourceError(f"Fold {fold} of {folds} has {test.height} of {events.height} events", fix="Fewer folds.")
        yield Part(f"fold {fold}", events.filter(fold_of != fold), events.clear(), test)


def part_by_time(events: pl.DataFrame) -> Part:
    """Train on the first 80 % of the events by time, predict the rest; a learner's past goes on across the cut.

    Raises:
        SourceError: All events have one time.
    """
    cut = events["occurred_at"].sort()[int(TIME_SHARE * events.height)] if events.height else None
    before = events.filter(pl.col("occurred_at") < cut) if cut is not None else events
    after = events.join(before.select("event"), on="event", how="anti", maintain_order="left")
    if before.is_empty() or after.is_empty():
        raise SourceError("The events cannot be cut in time", fix="Give a file with times, or --protocol learners.")
    # Coarse times within a minute may tie; a learner with an event before the cut keeps their order across it.
    return Part(f"from {cut}", before, before.join(after, on="learner", how="semi", maintain_order="left"), after)


def given_part(train: pl.DataFrame, test: pl.DataFrame) -> Part:
    """A test file of other learners.

    Raises:
        SourceError: A learner is in both files.
    """
    both = train.select("learner").unique().join(test.select("learner").unique(), on="learner", how="semi")
    if both.height:
        raise SourceError(
            f"{both.height} learners are in both files, the first {both['learner'].sort()[0]}",
            fix="Give files of different learners, or one file and --protocol time.",
        )
    return Part("given test file", train, test.clear(), test)
