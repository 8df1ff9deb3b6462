"""The fold's recurrence, compiled. Belongs here: what an event reads from and writes to the state; no frames or names.

One row of features per event, computed from the state *before* it; then, if asked, the state moves on. Everything is
float64 inside and float32 in the features. All compiled code of the fold stays in this file: numba's cache notices a
change of this file only.
"""

import math

import numpy as np
import numpy.typing as npt

from aivo_assets.arrays import Floats
from aivo_assets.tracing.fold.compiled import allocation_free
from aivo_assets.tracing.fold.layout import FACTORS, Feature, Known, Own, Pair, Parameters, Prior, Rows, Work, require

LAYOUT = "9cc4685a4d045ee2"  # of layout.py; writing it here makes numba recompile, with today's columns
require(LAYOUT)


@allocation_free
def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


@allocation_free
def _moderated(mean: float, variance: float) -> float:
    """Logit of E[sigmoid(x)] for x ~ N(mean, variance); MacKay (1992), eq. for the probit approximation."""
    return mean / math.sqrt(1.0 + math.pi / 8.0 * variance)


@allocation_free
def _outcome(bits: float, back: int) -> float:
    """The answer `back` events ago (1 = last), NaN where there was none."""
    held = int(bits)
    return float((held >> (back - 1)) & 1) if held >= (1 << back) else math.nan


@allocation_free
def _residual(state: Floats, j: int, parameters: Parameters) -> float:
    """Weighted mean surprise at half-life j, shrunk to zero."""
    n = min(int(state[Pair.events]), parameters.weights.shape[1] - 1)
    return float(state[Pair.residual_1 + j] / parameters.weights[j, n])


@allocation_free
def _grown(variance: float, seconds: float, kind: int, parameters: Parameters) -> float:
    """Variance after so much time without an answer; never more than before the first one."""
    return float(min(variance + parameters.drift[kind] * seconds / 86400.0, parameters.prior[kind]))


@allocation_free
def _since(pair: Floats, clock: float) -> float:
    return float(clock - pair[Pair.last_at]) if pair[Pair.events] > 0 else 0.0


@allocation_free
def _clock(own: Floats, time: float, gap: int, day: int) -> float:
    """The instant in seconds: coarse for the first event of a day, exact steps from there, never backwards."""
    if own[Own.events] == 0:
        return float(time)
    if gap >= 0 and day == own[Own.last_day]:
        return float(own[Own.last_at] + gap)
    return max(float(own[Own.last_at]), float(time))


@allocation_free
def _describe_learner(out: npt.NDArray[np.float32], own: Floats, clock: float, day: int, p: Parameters) -> None:
    events = own[Own.events]
    out[Feature.learner_opportunities] = events
    out[Feature.learner_wins] = own[Own.wins]
    for j in range(4):
        out[Feature.learner_residual_1 + j] = _residual(own, j, p)
        out[Feature.outcome_1 + j] = _outcome(own[Own.last_outcomes], j + 1)
    since = clock - own[Own.last_at]
    out[Feature.ability] = own[Own.ability]
    out[Feature.learner_streak] = own[Own.streak]
    out[Feature.log_gap] = math.log1p(since) if events > 0 else math.nan
    out[Feature.log_age] = math.log1p(clock - own[Own.first_at]) if events > 0 else math.nan
    same_session = events > 0 and since <= p.session_gap
    out[Feature.session_position] = own[Own.session_events] if same_session else 0.0
    out[Feature.session_minutes] = (clock - own[Own.session_at]) / 60.0 if same_session else 0.0
    out[Feature.today_events] = own[Own.today_events] if own[Own.last_day] == day else 0.0
    out[Feature.pace] = own[Own.pace] / own[Own.pace_weight]  # 0 / 0 is NaN: unknown
    out[Feature.last_pace] = own[Own.last_pace]
    out[Feature.hint_rate] = own[Own.hints] / own[Own.hints_weight]
    out[Feature.last_hints] = own[Own.last_hints]
    out[Feature.last_difficulty] = own[Own.last_difficulty]
    out[Feature.hour] = (clock % 86400.0) / 3600.0
    out[Feature.weekday] = (clock // 86400.0 + 3.0) % 7.0  # 1970-01-01 was a Thursday; Monday is 0


@allocation_free
def _describe_item(out: npt.NDArray[np.float32], pair: Floats, clock: float, index: float, p: Parameters) -> None:
    out[Feature.item_opportunities] = pair[Pair.events]
    out[Feature.item_wins] = pair[Pair.wins]
    for j in range(4):
        out[Feature.item_residual_1 + j] = _residual(pair, j, p)
    out[Feature.item_streak] = pair[Pair.streak]
    out[Feature.item_outcome_1] = _outcome(pair[Pair.last_outcomes], 1)
    seen = pair[Pair.events] > 0
    out[Feature.item_log_gap] = math.log1p(clock - pair[Pair.last_at]) if seen else math.nan
    out[Feature.item_log_lag] = math.log1p(index - pair[Pair.last_index]) if seen else math.nan
    out[Feature.item_last_hints] = pair[Pair.last_hints]


@allocation_free
def _describe_population(out: npt.NDArray[np.float32], work: Work, i: int) -> tuple[float, float, float]:
    """Difficulty, its sd and typical ln ms; an item that nobody answered is taken for the mean of its skills."""
    rows, population = work.rows, work.population
    fold = population.fold[rows.learner[i]]
    first, last = rows.skill_offsets[i], rows.skill_offsets[i + 1]
    share = 1.0 / (last - first)
    skill_difficulty = skill_sd = skill_events = 0.0
    for s in range(first, last):
        skill = population.skills[fold, rows.skill_code[s]]
        skill_difficulty += share * skill[0]
        skill_sd += share * skill[1]
        skill_events += share * skill[2]
    out[Feature.skill_difficulty], out[Feature.skill_difficulty_sd] = skill_difficulty, skill_sd
    out[Feature.skill_log_events] = skill_events
    item = population.items[fold, rows.item_code[i]]
    difficulty, sd = item[0], item[1]
    if math.isnan(difficulty):
        difficulty = skill_difficulty
    if math.isnan(sd):
        sd = math.sqrt(population.spread[fold] ** 2 + skill_sd**2)
    if rows.difficulty.size > 0 and not math.isnan(rows.difficulty[i]):
        difficulty = rows.difficulty[i]
    out[Feature.item_difficulty], out[Feature.item_difficulty_sd], out[Feature.item_log_events] = (
        difficulty,
        sd,
        item[2],
    )
    out[Feature.item_log_response_time] = item[3]
    out[Feature.skills] = last - first
    return difficulty, sd, item[3]


@allocation_free
def _loading(item: Floats, work: Work, i: int, f: int) -> float:
    """Factor f of the event: of its item, and the mean of its skills."""
    rows, fold = work.rows, work.population.fold[work.rows.learner[i]]
    first, last = rows.skill_offsets[i], rows.skill_offsets[i + 1]
    share, loading = 1.0 / (last - first), float(item[Known.factor_1 + f])
    for s in range(first, last):
        loading += share * work.population.skills[fold, rows.skill_code[s], Known.factor_1 + f]
    return loading


@allocation_free
def _describe_behaviour(
    out: npt.NDArray[np.float32], item: Floats, pair: Floats, work: Work, i: int, difficulty: float
) -> float:
    """What items do beyond being hard; returns the logit of the factors."""
    own = work.state.learners[work.rows.learner[i]]
    offset = 0.0
    for f in range(FACTORS):
        offset += own[Own.factor_1 + f] * _loading(item, work, i, f)
    logit = own[Own.factor_ability] - difficulty + item[Known.tendency] + offset
    out[Feature.factor_logit], out[Feature.factor_offset] = logit, offset
    out[Feature.item_discrimination] = item[Known.discrimination]
    repeat = 0
    if pair[Pair.events] > 0:
        repeat = 1 if pair[Pair.streak] > 0 else (2 if pair[Pair.events] == 1 else 3)
    out[Feature.repeat_surprise] = item[Known.repeat_0 + repeat]
    out[Feature.repeat_log_events] = item[Known.repeat_log_0 + repeat]
    return float(logit)


@allocation_free
def _describe_transition(out: npt.NDArray[np.float32], own: Floats, work: Work, i: int) -> None:
    """What is known of this item after the learner's last one; NaN without one.

    A pair not met before is zero, and so is a typical item of the skills: it does not come next by any habit.
    """
    rows, population = work.rows, work.population
    code, last = rows.item_code[i], int(own[Own.last_item])
    if last < 0:
        out[Feature.transition_surprise : Feature.transition_rarity + 1] = np.nan
        return
    out[Feature.transition_surprise : Feature.transition_rarity + 1] = 0.0
    fold = population.fold[rows.learner[i]]
    low = stop = np.int64(0)
    if code >= 0:
        low, stop = population.offsets[fold, code], population.offsets[fold, code + 1]
    high = stop
    while low < high:
        middle = (low + high) // 2
        if population.previous[middle] < last:
            low = middle + 1
        else:
            high = middle
    met = 0.0
    if low < stop and population.previous[low] == last:
        row = population.transitions[low]
        right = int(own[Own.last_outcomes]) & 1
        out[Feature.transition_surprise], out[Feature.transition_outcome_surprise] = row[0], row[1 + right]
        met = row[3]
    out[Feature.transition_log_events] = met
    out[Feature.transition_rarity] = population.followed[fold, last] - met


@allocation_free
def _describe_skill(
    out: npt.NDArray[np.float32], pair: Floats, share: float, since: float, lag: float, p: Parameters
) -> None:
    """Add one skill's part to the means over the event's skills."""
    out[Feature.skill_opportunities] += share * pair[Pair.events]
    out[Feature.skill_fewest_opportunities] = min(out[Feature.skill_fewest_opportunities], pair[Pair.events])
    out[Feature.skill_wins] += share * pair[Pair.wins]
    for j in range(4):
        out[Feature.skill_residual_1 + j] += share * _residual(pair, j, p)
    out[Feature.skill_streak] += share * pair[Pair.streak]
    if pair[Pair.events] > 0:
        out[Feature.skill_outcome_1] += _outcome(pair[Pair.last_outcomes], 1)
        out[Feature.skill_log_gap] += math.log1p(since)
        out[Feature.skill_log_lag] += math.log1p(lag)
    if pair[Pair.events] > 1:
        out[Feature.skill_outcome_2] += _outcome(pair[Pair.last_outcomes], 2)


@allocation_free
def _describe_skills(
    out: npt.NDArray[np.float32], work: Work, i: int, clock: float, mean: float, variance: float
) -> tuple[float, float]:
    """Means over the event's skills, of what is known of them; returns mean and variance of their mean offset."""
    rows, p = work.rows, work.parameters
    own, fold = work.state.learners[rows.learner[i]], work.population.fold[rows.learner[i]]
    first, last = rows.skill_offsets[i], rows.skill_offsets[i + 1]
    share = 1.0 / (last - first)
    out[Feature.skill_opportunities : Feature.skill_log_lag + 1] = 0.0
    out[Feature.skill_fewest_opportunities] = np.inf
    out[Feature.mastery_lowest] = 1.0
    offset = spread = once = twice = 0.0
    for s in range(first, last):
        pair = work.state.skills[rows.skill_pair[s]]
        since = _since(pair, clock)
        _describe_skill(out, pair, share, since, own[Own.events] - pair[Pair.last_index], p)
        once += pair[Pair.events] > 0
        twice += pair[Pair.events] > 1
        grown = _grown(pair[Pair.offset_variance], since, 2, p)
        offset += share * pair[Pair.offset]
        spread += share * share * grown
        logit = mean + pair[Pair.offset] - work.population.skills[fold, rows.skill_code[s], 0]
        mastery = _sigmoid(_moderated(logit, variance + grown))
        out[Feature.mastery] += share * mastery
        out[Feature.mastery_lowest] = min(out[Feature.mastery_lowest], mastery)
    out[Feature.skill_outcome_1] /= once  # 0 / 0 is NaN: unknown
    out[Feature.skill_log_gap] /= once
    out[Feature.skill_log_lag] /= once
    out[Feature.skill_outcome_2] /= twice
    out[Feature.skill_offset_sd] = math.sqrt(spread)
    return offset, spread


@allocation_free
def _describe(out: npt.NDArray[np.float32], work: Work, i: int, clock: float) -> Prior:
    """All features of row i."""
    rows, state, p = work.rows, work.state, work.parameters
    own, subject = state.learners[rows.learner[i]], state.subjects[rows.subject_pair[i]]
    _describe_learner(out, own, clock, rows.day[i], p)
    pair = state.items[rows.item_pair[i]]
    _describe_item(out, pair, clock, own[Own.events], p)
    difficulty, sd, typical = _describe_population(out, work, i)
    item = work.population.items[work.population.fold[rows.learner[i]], rows.item_code[i]]
    factor_logit = _describe_behaviour(out, item, pair, work, i, difficulty)
    _describe_transition(out, own, work, i)
    own_variance = _grown(own[Own.ability_variance], _since(own, clock), 0, p)
    variance = own_variance + _grown(subject[Pair.offset_variance], _since(subject, clock), 1, p)
    mean = own[Own.ability] + subject[Pair.offset]
    out[Feature.ability_sd] = math.sqrt(own_variance)
    out[Feature.subject_opportunities] = subject[Pair.events]
    out[Feature.subject_ability] = mean
    out[Feature.subject_residual] = _residual(subject, 2, p)
    offset, spread = _describe_skills(out, work, i, clock, mean, variance)
    mean += offset - difficulty
    variance += spread + sd * sd
    out[Feature.logit] = _moderated(mean, variance)
    out[Feature.logit_sd] = math.sqrt(variance)
    return Prior(mean, variance, difficulty, typical, factor_logit)


@allocation_free
def _learn(
    pair: Floats, right: int, surprise: float, clock: float, kind: int, step: tuple[float, float, float], p: Parameters
) -> None:
    """Move on what learners and pairs have in common.

    The filter is an extended Kalman step on the logistic likelihood with the moderated expectation p: of the summed
    logit's variance S and w = p (1 - p), a part with variance v and share h moves by v h (y - p) / (1 + w S), and its
    variance falls by (v h)^2 w / (1 + w S). `step` is ((y - p) / (1 + w S), w / (1 + w S), h). Parts are kept as if
    independent. Items (kind 3) have no part.
    """
    if kind < 3:
        variance = _grown(pair[Pair.offset_variance], _since(pair, clock), kind, p)
        gain = variance * step[2]
        pair[Pair.offset] += gain * step[0]
        pair[Pair.offset_variance] = min(variance - gain * gain * step[1] + p.growth[kind], p.prior[kind])
    pair[Pair.events] += 1
    pair[Pair.wins] += right
    for j in range(4):
        pair[Pair.residual_1 + j] = p.decay[j] * pair[Pair.residual_1 + j] + surprise
    before = pair[Pair.streak]
    pair[Pair.streak] = max(before, 0.0) + 1.0 if right == 1 else min(before, 0.0) - 1.0
    bits = (max(int(pair[Pair.last_outcomes]), 1) << 1) | right
    pair[Pair.last_outcomes] = bits if bits < 32 else (bits & 15) | 16
    pair[Pair.last_at] = clock


@allocation_free
def _learn_habits(own: Floats, rows: Rows, i: int, clock: float, typical: float, p: Parameters) -> None:
    """Move on what only learners have: pace, hints, session, day. Call it before `_learn` moves the clock."""
    pace, hints = rows.log_response[i] - typical, rows.hints[i]
    if not math.isnan(pace):
        own[Own.pace] = p.pace_decay * own[Own.pace] + pace
        own[Own.pace_weight] = p.pace_decay * own[Own.pace_weight] + 1.0
    if not math.isnan(hints):
        own[Own.hints] = p.pace_decay * own[Own.hints] + min(hints, 1.0)
        own[Own.hints_weight] = p.pace_decay * own[Own.hints_weight] + 1.0
    own[Own.last_pace], own[Own.last_hints] = pace, hints
    first = own[Own.events] == 0
    if first:
        own[Own.first_at] = clock
    if first or clock - own[Own.last_at] > p.session_gap:
        own[Own.session_at], own[Own.session_events] = clock, 0.0
    own[Own.session_events] += 1
    own[Own.today_events] = own[Own.today_events] + 1 if not first and own[Own.last_day] == rows.day[i] else 1.0
    own[Own.last_day], own[Own.last_sequence] = rows.day[i], rows.sequence[i]


@allocation_free
def _learn_factors(own: Floats, work: Work, i: int, error: float) -> None:
    """Move the online ability and factors, as `behaviour` did when it fitted the items'. Before `_learn` counts."""
    steps, events = work.parameters.factor_steps, own[Own.events]
    item = work.population.items[work.population.fold[work.rows.learner[i]], work.rows.item_code[i]]
    own[Own.factor_ability] += (steps[0] / (1.0 + 0.1 * events) + steps[1]) * error
    step = steps[2] / (1.0 + 0.02 * events) + steps[3]
    for f in range(FACTORS):
        before = own[Own.factor_1 + f]
        own[Own.factor_1 + f] = before + step * error * _loading(item, work, i, f) - steps[4] * before
    own[Own.last_item] = work.rows.item_code[i]


@allocation_free
def _move_on(work: Work, i: int, clock: float, asked: Prior) -> None:
    """Let the answer of row i change the state."""
    rows, state, p = work.rows, work.state, work.parameters
    mean, variance, difficulty, typical, factor_logit = asked
    right = int(rows.correct[i])
    expected = _sigmoid(_moderated(mean, variance))
    weight = expected * (1.0 - expected)
    scale = 1.0 + weight * variance
    innovation, information = (right - expected) / scale, weight / scale
    surprise = right - _sigmoid(-difficulty)
    own = state.learners[rows.learner[i]]
    index, hints = own[Own.events], rows.hints[i]
    _learn_habits(own, rows, i, clock, typical, p)
    _learn_factors(own, work, i, right - _sigmoid(factor_logit))
    _learn(own, right, surprise, clock, 0, (innovation, information, 1.0), p)
    own[Own.last_difficulty] = difficulty
    subject = state.subjects[rows.subject_pair[i]]
    _learn(subject, right, surprise, clock, 1, (innovation, information, 1.0), p)
    subject[Pair.last_index], subject[Pair.last_hints] = index, hints
    first, last = rows.skill_offsets[i], rows.skill_offsets[i + 1]
    for s in range(first, last):
        skill = state.skills[rows.skill_pair[s]]
        _learn(skill, right, surprise, clock, 2, (innovation, information, 1.0 / (last - first)), p)
        skill[Pair.last_index], skill[Pair.last_hints] = index, hints
    item = state.items[rows.item_pair[i]]
    _learn(item, right, surprise, clock, 3, (0.0, 0.0, 0.0), p)
    item[Pair.last_index], item[Pair.last_hints] = index, hints


@allocation_free
def run(work: Work, out: npt.NDArray[np.float32], start: int, stop: int, update: bool) -> None:
    """Write the features of rows start … stop to `out` [n, Feature]; with `update` the answers move the state on.

    The category `skill_set` is not written here: it needs names.

    Rows of a learner must lie in order and in one call; different learners may run in parallel.
    """
    rows = work.rows
    for i in range(start, stop):
        clock = _clock(work.state.learners[rows.learner[i]], rows.time[i], rows.gap[i], rows.day[i])
        asked = _describe(out[i], work, i, clock)
        if update:
            _move_on(work, i, clock, asked)
