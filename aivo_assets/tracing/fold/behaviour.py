"""Item behaviour beyond difficulty. Belongs here: the estimation, on arrays, from training learners; no storing.

Four things, each fitted on the surprises that difficulty and a learner's online ability leave:

- factors: a vector an item and one a skill, so that what a learner does on one says something of related ones
  (multidimensional item response theory, Reckase 2009; fitted by stochastic gradient over the learners' own order,
  each event predicted from its past, so that training sees exactly what serving will see);
- tendency and discrimination: the item's mean surprise, and how much more it asks of the able than of the others;
- repeats: its mean surprise at the first try, after a right answer to it, after one wrong one, after several;
- transitions: its mean surprise after each item that may come before it, which is where problem sets, scaffolding and
  hints that give the next answer away show up.

All means are drawn to zero by the priors of the settings.
"""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.arrays import Floats, Ints, Ints32
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.compiled import compiled
from aivo_assets.tracing.fold.encoding import Encoded
from aivo_assets.tracing.fold.layout import FACTORS, REPEATS

_SKILL_SCALE = 0.25  # sd of the skills' vectors before the first pass
_TRUST = 5.0  # learners' abilities are of sd one; so many events' worth of them halve a discrimination


@dataclass(frozen=True)
class Transitions:
    """Pairs of an item and the one that its learner answered just before, ascending by item, previous.

    Attributes:
        item, previous: Codes [m].
        events: int64 [m], how often.
        residual: float64 [m, (any, after a wrong answer, after a right one)], drawn to zero.
    """

    item: Ints
    previous: Ints
    events: Ints
    residual: Floats


@dataclass(frozen=True)
class Order:
    """What the order of the answers says, whoever is included: made once for all folds.

    Attributes:
        repeat: int32 [n]; 0 at the first try, 1 after a right answer to the item, 2 after one wrong one, 3 after more.
        follows: Rows that come after another one of their learner, ascending.
        pair: Of each of them, the position of (item, item before) in `distinct`.
        distinct: item * items + item before, ascending, each once.
    """

    repeat: Ints32
    follows: Ints
    pair: Ints
    distinct: Ints


@dataclass(frozen=True)
class Behaviour:
    """What `fit_behaviour` found; rows by code.

    Attributes:
        item_factors: float64 [items, FACTORS].
        skill_factors: float64 [skills, FACTORS].
        tendency: float64 [items], logit, to be added to the item's ease.
        discrimination: float64 [items], surprise for each logit of ability.
        repeats: float64 [items, REPEATS], mean surprise.
        repeat_events: int64 [items, REPEATS].
        transitions: Pairs that occurred often enough.
    """

    item_factors: Floats
    skill_factors: Floats
    tendency: Floats
    discrimination: Floats
    repeats: Floats
    repeat_events: Ints
    transitions: Transitions


def factor_steps(settings: FeatureSettings) -> Floats:
    """First and lasting step of the online ability, of the online factors, and the factors' forgetting; float64 [5]."""
    return np.array(
        [
            settings.factor_ability_step,
            settings.factor_ability_floor,
            settings.factor_step,
            settings.factor_floor,
            settings.factor_forgetting,
        ]
    )


def order_of(encoded: Encoded) -> Order:
    """Number the repeats of each learner's items, and find the pairs of items that follow each other."""
    repeat, pairs = np.zeros(encoded.height, np.int32), encoded.pairs("items")
    _number_repeats(encoded.item, pairs.position, encoded.correct, repeat, len(pairs.key))
    follows = np.flatnonzero(encoded.learner[1:] == encoded.learner[:-1]) + 1
    items = max(len(encoded.items), 1)
    distinct, pair = np.unique(
        encoded.item[follows].astype(np.int64) * items + encoded.item[follows - 1], return_inverse=True
    )
    return Order(repeat, follows, pair, distinct)


def fit_behaviour(
    encoded: Encoded, order: Order, included: npt.NDArray[np.bool_], difficulty: Floats, settings: FeatureSettings
) -> Behaviour:
    """Fit on the events of the learners that are included.

    Args:
        encoded: The events; every one has an item.
        order: Of the same events.
        included: bool [learners] by code, at least one true.
        difficulty: float64 [items], logit, fitted on the same learners.
        settings: Steps, passes, priors.
    """
    items = len(encoded.items)
    item_factors, skill_factors = np.zeros((items, FACTORS)), _start(encoded.skills)
    tendency = np.zeros(items)
    surprise, ability = np.zeros(encoded.height), np.zeros(encoded.height)
    _descend(
        (encoded.learner, encoded.item, encoded.skill, encoded.skill_offsets, encoded.correct, included),
        (difficulty, tendency, item_factors, skill_factors),
        (factor_steps(settings), settings.factor_rate, settings.factor_shrinkage),
        settings.factor_passes,
        (surprise, ability),
    )
    rows = np.flatnonzero(included[encoded.learner])
    item, surprised = encoded.item[rows].astype(np.int64), surprise[rows]
    weight = ability[rows]
    slope = np.bincount(item, surprised * weight, items)
    known = 0.2 * np.bincount(item, weight * weight, items)  # p (1 - p) is near 0.2
    means, events = _means(
        item * REPEATS + order.repeat[rows], surprised, items * REPEATS, settings.repeat_prior_events
    )
    return Behaviour(
        item_factors=item_factors,
        skill_factors=skill_factors,
        tendency=tendency,
        discrimination=slope / (known + _TRUST),
        repeats=means.reshape(items, REPEATS),
        repeat_events=events.reshape(items, REPEATS),
        transitions=_transitions(encoded, order, included, surprise, settings),
    )


def _start(names: pl.Series) -> Floats:
    """Where the skills' vectors begin, float64 [skills, FACTORS]: uniform by a hash of the name.

    Something must tell the factors apart, and it must not depend on which other skills there are.
    """
    hashed = b"".join(hashlib.blake2b(name.encode(), digest_size=4 * FACTORS).digest() for name in names.to_list())
    share = np.frombuffer(hashed, "<u4").reshape(-1, FACTORS) / 2.0**32
    return np.asarray(_SKILL_SCALE * math.sqrt(12.0) * (share - 0.5), dtype=np.float64)


def _means(code: Ints, surprise: Floats, codes: int, prior: float) -> tuple[Floats, Ints]:
    events = np.bincount(code, minlength=codes)
    return np.bincount(code, surprise, codes) / (events + prior), events


def _transitions(
    encoded: Encoded, order: Order, included: npt.NDArray[np.bool_], surprise: Floats, settings: FeatureSettings
) -> Transitions:
    use = included[encoded.learner[order.follows]]
    follows, code, distinct = order.follows[use], order.pair[use], order.distinct
    events = np.bincount(code, minlength=len(distinct))
    items = max(len(encoded.items), 1)
    prior, surprised = settings.transition_prior_events, surprise[follows]
    residual = np.empty((len(distinct), 3))
    residual[:, 0] = _means(code, surprised, len(distinct), prior)[0]
    for outcome in (0, 1):
        after = encoded.correct[follows - 1] == outcome
        residual[:, 1 + outcome] = _means(code[after], surprised[after], len(distinct), prior)[0]
    often = events >= settings.transition_minimum_events  # at least one: pairs of others alone are left out
    distinct = distinct[often]
    return Transitions(distinct // items, distinct % items, events[often].astype(np.int64), residual[often])


@compiled
def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


@compiled
def _descend(
    answers: tuple[Ints32, Ints32, Ints32, Ints, npt.NDArray[np.int8], npt.NDArray[np.bool_]],
    factors: tuple[Floats, Floats, Floats, Floats],
    rates: tuple[Floats, float, float],
    passes: int,
    left: tuple[Floats, Floats],
) -> None:
    """Go over each learner's events in order: predict, then update the learner and the item. Changes `factors`, `left`.

    The online steps are those of `kernel`; a last pass in which nothing but the learner moves leaves each row's
    surprise and the ability before it.
    """
    learner, item, skill, offsets, correct, included = answers
    difficulty, tendency, item_factors, skill_factors = factors
    steps, rate, shrinkage = rates
    size = item_factors.shape[1]
    own, load = np.zeros(size), np.zeros(size)
    for turn in range(passes + 1):
        ability, events, last = 0.0, 0, -1
        for i in range(len(learner)):
            if not included[learner[i]]:
                continue
            if learner[i] != last:
                last, ability, events = learner[i], 0.0, 0
                own[:] = 0.0
            code, share = item[i], 1.0 / (offsets[i + 1] - offsets[i])
            logit = ability - difficulty[code] + tendency[code]
            for f in range(size):
                load[f] = item_factors[code, f]
                for s in range(offsets[i], offsets[i + 1]):
                    load[f] += share * skill_factors[skill[s], f]
                logit += own[f] * load[f]
            error = correct[i] - _sigmoid(logit)
            if turn < passes:
                tendency[code] += rate * (error - shrinkage * tendency[code])
                _move_vectors(item_factors[code], skill_factors, skill[offsets[i] : offsets[i + 1]], own, error, rates)
            else:
                left[0][i], left[1][i] = error, ability
            ability += (steps[0] / (1.0 + 0.1 * events) + steps[1]) * error
            step = steps[2] / (1.0 + 0.02 * events) + steps[3]
            for f in range(size):
                own[f] += step * error * load[f] - steps[4] * own[f]
            events += 1


@compiled
def _move_vectors(
    of_item: Floats, of_skills: Floats, skills: Ints32, own: Floats, error: float, rates: tuple[Floats, float, float]
) -> None:
    """One gradient step of an item's vector and of its skills'."""
    _, rate, shrinkage = rates
    for f in range(len(own)):
        pull = error * own[f]
        of_item[f] += rate * (pull - shrinkage * of_item[f])
        for one in skills:
            before = of_skills[one, f]
            of_skills[one, f] = before + rate * (pull / len(skills) - 0.1 * shrinkage * before)


@compiled
def _number_repeats(item: Ints32, pair: Ints32, correct: npt.NDArray[np.int8], repeat: Ints32, pairs: int) -> None:
    """0 at the first try, 1 after a right answer to the item, 2 after one wrong one, 3 after more."""
    state = np.zeros(pairs, np.int32)
    tries = np.zeros(pairs, np.int32)
    for i in range(len(item)):
        if pair[i] < 0:
            continue
        repeat[i] = state[pair[i]]
        tries[pair[i]] += 1
        state[pair[i]] = 1 if correct[i] == 1 else (2 if tries[pair[i]] == 1 else 3)
