"""Known drift, injected. Belongs here: what changes in the days from an onset on; detecting it does not.

On a file the answers that were given are changed, with the champion's own probability as the chance of an answer: as it
is calibrated, an answer that was right stays so with probability q/p, q being the probability after the change. The
learners' states are folded from the changed answers, as they would be. A simulated school lives the change instead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aivo_assets.arrays import Floats
from aivo_assets.benchmarks.drift.data import DriftData, weeks_later
from aivo_assets.simulation.disturbances import Disturbance

HARDER = 0.8  # logits
GUESSERS = 0.3  # share of learners
GUESSED = 0.8  # share of a guesser's answers
RIGHT_GUESSES = 0.25
GUESSING_TIME = 0.3  # factor on the response time of a guess
BROKEN_CLIENTS = 0.2  # share of learners
WRONG_LABELS = 0.5  # share of a broken client's labels
TIME_FACTOR = 2.0
GROWTH_A_DAY = 0.04  # logits
LEARNING_FACTOR = 3.0  # of the simulated school: on every gain from practice

Change = Callable[[pl.DataFrame, Floats, date, np.random.Generator], pl.DataFrame]


@dataclass(frozen=True)
class Injection:
    """A kind of drift.

    Attributes:
        name: What the report calls it.
        change: Changes the events of a file, given each one's probability of being right.
        arrives: What is held back and arrives.
        disturbance: What a simulated school lives through instead of `change`, from a day on.
        needs_times: Whether it is about response times.
    """

    name: str
    change: Change | None = None
    arrives: Literal["newcomers", "new_subject"] | None = None
    disturbance: Callable[[date], Disturbance] | None = None
    needs_times: bool = False

    def applies_to(self, data: DriftData) -> bool:
        """Whether the data can show it."""
        return data.has_times or not self.needs_times


def injected(
    injection: Injection,
    data: DriftData,
    untouched: pl.DataFrame,
    probability: Floats,
    *,
    onset: date,
    horizon: int,
    random: np.random.Generator,
) -> pl.DataFrame:
    """Events of the days from `onset` on, changed.

    Args:
        injection: The kind.
        data: The school.
        untouched: What happens on those days without it.
        probability: Of a right answer of each of these events, by the champion, float64 [n].
        onset: First changed day.
        horizon: Days.
        random: Chance.
    """
    last = onset + timedelta(days=horizon - 1)
    if injection.arrives is not None:
        newcomers = injection.arrives == "newcomers"
        held_back = weeks_later(data.newcomers, onset, horizon) if newcomers else data.new_subject
        arriving = held_back.filter(pl.col("day").is_between(onset, last))
        return pl.concat([untouched, arriving])
    if data.live is not None and injection.disturbance is not None:
        return data.live(onset, last, injection.disturbance(onset))
    assert injection.change is not None, "an injection arrives or changes"
    return injection.change(untouched, probability, onset, random)


def shifted(correct: NDArray[np.int8], probability: Floats, shift: Floats, random: np.random.Generator) -> Floats:
    """Answers after a shift of their log-odds; coupled, so that none changes against the shift.

    Args:
        correct: 0 or 1, [n].
        probability: Chance of a right answer before, float64 [n].
        shift: Logits, float64 [n]; positive is easier.
        random: Chance.

    Returns:
        0.0 or 1.0, float64 [n], right with probability sigmoid(logit(p) + shift) where `correct` was so with p.
    """
    after = 1.0 / (1.0 + np.exp(-(np.log(probability / (1.0 - probability)) + shift)))
    keeps_right = np.minimum(after / probability, 1.0)
    turns_right = np.maximum((after - probability) / (1.0 - probability), 0.0)
    drawn = random.random(len(probability))
    return np.where(correct == 1, drawn < keeps_right, drawn < turns_right).astype(np.float64)


def _with_answers(events: pl.DataFrame, correct: NDArray[np.generic]) -> pl.DataFrame:
    return events.with_columns(correct=pl.Series(correct).cast(pl.Int8))


def _answers(events: pl.DataFrame) -> NDArray[np.int8]:
    return events["correct"].to_numpy()


def _some_learners(events: pl.DataFrame, share: float, random: np.random.Generator) -> NDArray[np.bool_]:
    learners = events["learner"].unique().sort()
    chosen = learners.filter(pl.Series(random.random(learners.len()) < share))
    return events["learner"].is_in(chosen.implode()).to_numpy()


def _harder(events: pl.DataFrame, probability: Floats, onset: date, random: np.random.Generator) -> pl.DataFrame:
    del onset
    return _with_answers(events, shifted(_answers(events), probability, np.full(len(probability), -HARDER), random))


def _growing(events: pl.DataFrame, probability: Floats, onset: date, random: np.random.Generator) -> pl.DataFrame:
    days = (events["day"] - onset).dt.total_days().to_numpy() + 1.0
    return _with_answers(events, shifted(_answers(events), probability, GROWTH_A_DAY * days, random))


def _guessing(events: pl.DataFrame, probability: Floats, onset: date, random: np.random.Generator) -> pl.DataFrame:
    del onset
    guesses = _some_learners(events, GUESSERS, random) & (random.random(len(probability)) < GUESSED)
    lucky = random.random(len(probability)) < RIGHT_GUESSES
    faster = (pl.col("response_time_ms") * pl.lit(pl.Series(np.where(guesses, GUESSING_TIME, 1.0)))).cast(pl.Int64)
    return _with_answers(events, np.where(guesses, lucky, _answers(events))).with_columns(response_time_ms=faster)


def _wrong_labels(events: pl.DataFrame, probability: Floats, onset: date, random: np.random.Generator) -> pl.DataFrame:
    del onset
    flipped = _some_learners(events, BROKEN_CLIENTS, random) & (random.random(len(probability)) < WRONG_LABELS)
    return _with_answers(events, np.where(flipped, 1 - _answers(events), _answers(events)))


def _slower(events: pl.DataFrame, probability: Floats, onset: date, random: np.random.Generator) -> pl.DataFrame:
    del probability, onset, random
    return events.with_columns((pl.col("response_time_ms") * TIME_FACTOR).cast(pl.Int64))


INJECTIONS: Final[Mapping[str, Injection]] = {
    injection.name: injection
    for injection in (
        Injection("items harder", _harder, disturbance=lambda day: Disturbance(day, difficulty=HARDER)),
        Injection("new learners", arrives="newcomers"),
        Injection("guessing wave", _guessing, disturbance=lambda day: Disturbance(day, guessing=GUESSERS * GUESSED)),
        Injection(
            "wrong labels",
            _wrong_labels,
            disturbance=lambda day: Disturbance(day, wrong_labels=BROKEN_CLIENTS * WRONG_LABELS),
        ),
        Injection("new subject", arrives="new_subject"),
        Injection(
            "slower answers",
            _slower,
            disturbance=lambda day: Disturbance(day, response_time=TIME_FACTOR),
            needs_times=True,
        ),
        Injection("ability grows", _growing, disturbance=lambda day: Disturbance(day, learning=LEARNING_FACTOR)),
    )
}
