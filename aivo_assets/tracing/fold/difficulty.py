"""Difficulties of items and skills by a Rasch fit. Belongs here: the estimation, on arrays; nothing is stored.

Model: logit P(right) = ability of the learner − difficulty of the item (Rasch 1960), so that an item which only the
able answer is not taken for an easy one. Abilities are N(0, ability_sd²); items are drawn around the mean of their
skills and skills around the whole, so that a rare item is taken for its skills. The prior's precision is that of
`difficulty_prior_events` answers at the base rate. Fitted by alternating Newton steps, each over all events.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aivo_assets.arrays import Floats, Ints, Ints32
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.compiled import compiled
from aivo_assets.tracing.fold.encoding import Encoded

_LONGEST_STEP = 2.0  # logit; keeps Newton from overshooting where all answers are alike


@dataclass(frozen=True)
class Difficulties:
    """What `fit_difficulties` found.

    Attributes:
        items: float64 [items, (events, wins, difficulty, sd)] by code; difficulty and sd in logit.
        skills: The same of skills; an event counts for each of its skills.
        log_response: Mean ln ms of each item, drawn to the mean of all; NaN where no response time is known at all.
        events: Events fitted on.
        base_rate: Share of right answers.
        difficulty: Difficulty of the whole, logit.
        prior_sd: Spread of items around their skills and of skills around the whole, logit.
        typical_log_response: Mean ln ms of all, NaN where unknown.
    """

    items: Floats
    skills: Floats
    log_response: Floats
    events: int
    base_rate: float
    difficulty: float
    prior_sd: float
    typical_log_response: float


def fit_difficulties(encoded: Encoded, included: npt.NDArray[np.bool_], settings: FeatureSettings) -> Difficulties:
    """Fit on the events of the learners that are included.

    Args:
        encoded: The events; every one has an item.
        included: bool [learners] by code, at least one true.
        settings: Strength of the priors, number of passes.
    """
    use = included[encoded.learner]
    right = encoded.correct[use]
    base_rate = (float(right.sum()) + 1.0) / (len(right) + 2.0)
    precision = settings.difficulty_prior_events * base_rate * (1.0 - base_rate)
    whole = -math.log(base_rate / (1.0 - base_rate))
    answers = Answers(
        encoded.learner,
        encoded.item,
        encoded.skill,
        encoded.skill_offsets,
        encoded.correct,
        included,
        settings.ability_sd**-2,
    )
    items, skills = np.zeros((len(encoded.items), 4)), np.zeros((len(encoded.skills), 4))
    items[:, 2] = skills[:, 2] = whole
    _fit(answers, items, skills, whole, precision, settings.difficulty_passes)
    log_response, typical = _log_response(encoded, use, settings.difficulty_prior_events)
    return Difficulties(items, skills, log_response, len(right), base_rate, whole, 1.0 / math.sqrt(precision), typical)


def _log_response(encoded: Encoded, use: npt.NDArray[np.bool_], prior: float) -> tuple[Floats, float]:
    use = use & ~np.isnan(encoded.log_response)
    values, item = encoded.log_response[use], encoded.item[use]
    if not len(values):
        return np.full(len(encoded.items), np.nan), math.nan
    typical = float(values.mean())
    counts = np.bincount(item, minlength=len(encoded.items))
    sums = np.bincount(item, weights=values, minlength=len(encoded.items))
    return (sums + prior * typical) / (counts + prior), typical


class Answers(NamedTuple):
    """What the passes read: encoded events, which learners are included, and the precision of abilities."""

    learner: Ints32
    item: Ints32
    skill: Ints32
    offsets: Ints
    correct: npt.NDArray[np.int8]
    included: npt.NDArray[np.bool_]
    precision: float


@compiled
def _fit(answers: Answers, items: Floats, skills: Floats, whole: float, precision: float, passes: int) -> None:
    """Newton steps in turn: abilities, skills around the whole, items around their skills. Changes items and skills."""
    ability = np.zeros(len(answers.included))
    for _ in range(passes):
        _step_abilities(answers, items, ability)
        by_item, by_skill = _compare(answers, items, skills, ability)
        for code in range(len(skills)):
            _newton(skills[code], by_skill[code], whole, precision)
        centre = _centres(answers, skills, len(items))
        for code in range(len(items)):
            if by_item[code, 0] > 0:
                _newton(items[code], by_item[code], centre[code] / by_item[code, 0], precision)


@compiled
def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


@compiled
def _clipped(step: float) -> float:
    return min(max(step, -_LONGEST_STEP), _LONGEST_STEP)


@compiled
def _step_abilities(answers: Answers, items: Floats, ability: Floats) -> None:
    slope, curve = np.zeros(len(ability)), np.zeros(len(ability))
    for i in range(len(answers.learner)):
        one = answers.learner[i]
        if answers.included[one]:
            p = _sigmoid(ability[one] - items[answers.item[i], 2])
            slope[one] += answers.correct[i] - p
            curve[one] += p * (1.0 - p)
    for one in range(len(ability)):
        ability[one] += _clipped((slope[one] - answers.precision * ability[one]) / (curve[one] + answers.precision))


@compiled
def _mean_of_skills(answers: Answers, i: int, skills: Floats) -> float:
    total = 0.0
    for s in range(answers.offsets[i], answers.offsets[i + 1]):
        total += float(skills[answers.skill[s], 2])
    return total / float(answers.offsets[i + 1] - answers.offsets[i])


@compiled
def _compare(answers: Answers, items: Floats, skills: Floats, ability: Floats) -> tuple[Floats, Floats]:
    """Events, wins, slope and curvature of each item, by its own difficulty, and each skill, by that of the skills."""
    by_item, by_skill = np.zeros((len(items), 4)), np.zeros((len(skills), 4))
    for i in range(len(answers.learner)):
        one = answers.learner[i]
        if not answers.included[one]:
            continue
        code, right = answers.item[i], answers.correct[i]
        _count(by_item[code], right, _sigmoid(ability[one] - items[code, 2]), 1.0)
        p = _sigmoid(ability[one] - _mean_of_skills(answers, i, skills))
        share = 1.0 / (answers.offsets[i + 1] - answers.offsets[i])
        for s in range(answers.offsets[i], answers.offsets[i + 1]):
            _count(by_skill[answers.skill[s]], right, p, share)
    return by_item, by_skill


@compiled
def _centres(answers: Answers, skills: Floats, items: int) -> Floats:
    """Sum over each item's events of the mean difficulty of the event's skills."""
    centre = np.zeros(items)
    for i in range(len(answers.learner)):
        if answers.included[answers.learner[i]]:
            centre[answers.item[i]] += _mean_of_skills(answers, i, skills)
    return centre


@compiled
def _count(sums: Floats, right: int, p: float, share: float) -> None:
    """Add an answer to events, wins, slope and curvature."""
    sums[0] += 1.0
    sums[1] += right
    sums[2] += share * (p - right)
    sums[3] += share * p * (1.0 - p)


@compiled
def _newton(row: Floats, sums: Floats, centre: float, precision: float) -> None:
    """Move a difficulty by one step; `row` is events, wins, difficulty, sd."""
    row[0], row[1] = sums[0], sums[1]
    row[2] += _clipped((sums[2] - precision * (row[2] - centre)) / (sums[3] + precision))
    row[3] = 1.0 / math.sqrt(sums[3] + precision)
