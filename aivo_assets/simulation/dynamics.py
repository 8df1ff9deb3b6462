"""What happens when a learner meets an item. Belongs here: the compiled step that answers and learns.

The step is a pure function of state, item, conditions and uniform numbers; `parameters.py` has the sources. It reads
the truth, so no policy but an oracle may call it.
"""

import numpy as np
import numpy.typing as npt

from aivo_assets.simulation.draws import compiled
from aivo_assets.simulation.state import Answers, Laws, Rules, Sitting, State, Traits

UNIFORMS = 15  # uniform numbers that one answer takes
MS_A_DAY = 86_400_000.0
MOST_ATTEMPTS = 3
FOCUS_GIVEN = 0.92  # share of answers with focus, on devices that measure it
LONGEST_SECONDS = 900.0  # the client gives up waiting; with it no session can reach midnight


@compiled
def _sigmoid(x: float) -> float:
    return float(1.0 / (1.0 + np.exp(-x)))


@compiled
def _normal(first: float, second: float) -> float:
    return float(np.sqrt(-2.0 * np.log(first)) * np.cos(2.0 * np.pi * second))


@compiled
def _remaining(state: State, rules: Rules, row: int, skill: int, now: float) -> float:
    """What is left of the fresh gains: half after each half-life, which grows with practice."""
    fresh = state.fresh[row, skill]
    if fresh == 0.0:
        return 0.0
    practice = (1.0 + state.opportunities[row, skill]) ** rules.laws.half_life_growth
    passed = max(now - state.practised_ms[row, skill], 0.0)
    return float(fresh * 2.0 ** (-passed / (MS_A_DAY * rules.traits.half_life[row] * practice)))


@compiled
def _ability(state: State, rules: Rules, row: int, skill: int, now: float) -> float:
    return float(state.lasting[row, skill] + _remaining(state, rules, row, skill, now))


@compiled
def _item_ability(state: State, rules: Rules, row: int, item: int, now: float) -> float:
    """Ability that an item calls for: that in its skill, or the mean of that in its two."""
    first, second = rules.content.item_skills[item, 0], rules.content.item_skills[item, 1]
    ability = _ability(state, rules, row, first, now)
    return ability if second < 0 else 0.5 * (ability + _ability(state, rules, row, second, now))


@compiled
def _readiness(state: State, rules: Rules, row: int, skill: int, now: float) -> float:
    """Share of a gain that the mastery of the prerequisites lets through."""
    content, laws = rules.content, rules.laws
    mastered, known = 0.0, 0
    for column in range(2):
        before = content.prerequisites[skill, column]
        if before >= 0:
            above = _ability(state, rules, row, before, now) - content.skill_difficulty[before]
            mastered += _sigmoid(1.5 * (above + 0.5))
            known += 1
    if known == 0:
        return 1.0
    return laws.prerequisite_floor + (1.0 - laws.prerequisite_floor) * mastered / known


@compiled
def _practise(state: State, rules: Rules, row: int, skill: int, now: float, gain: float) -> None:
    """Add a gain to a skill: part of it for good, the rest to what is being forgotten."""
    content, traits, laws = rules.content, rules.traits, rules.laws
    remaining = _remaining(state, rules, row, skill, now)
    count = state.opportunities[row, skill]
    subject = content.skill_subject[skill]
    gain *= laws.learning_rate * traits.learning[row, subject] * content.skill_rate[skill]
    gain *= rules.conditions.learning[subject]
    known = state.lasting[row, skill] + remaining - content.skill_difficulty[skill]
    gain *= _sigmoid(2.0 * (laws.ceiling - known))
    gain *= (1.0 + count / laws.practice_scale) ** -laws.practice_exponent
    gain *= _readiness(state, rules, row, skill, now)
    state.lasting[row, skill] += laws.retained * gain
    state.fresh[row, skill] = remaining + (1.0 - laws.retained) * gain
    state.practised_ms[row, skill] = np.int64(now)
    state.opportunities[row, skill] = count + 1


@compiled
def _effort(sitting: Sitting, traits: Traits, laws: Laws, row: int, tired: float, uniform: float) -> None:
    """Effort goes more often when tired and after failures, and returns at a constant rate."""
    if sitting.drifting[row]:
        sitting.drifting[row] = uniform >= laws.reengage
    else:
        strain = 1.0 + 3.0 * tired + 0.8 * max(sitting.failures[row] - 1, 0)
        sitting.drifting[row] = uniform < min(traits.disengage[row] * strain, 0.6)


@compiled
def _focus(drifting: bool, reported: bool, tired: float, uniform: npt.NDArray[np.float64]) -> float:
    if not reported or uniform[0] >= FOCUS_GIVEN:
        return np.nan
    centre = 0.28 if drifting else 0.80 - 0.25 * min(tired, 1.0)
    return min(max(centre + 0.11 * _normal(uniform[1], uniform[2]), 0.0), 1.0)


@compiled
def _success(row: int, item: int, knows: float, chance: float, rules: Rules) -> float:
    """Chance of what is recorded as correct: a right answer without a hint."""
    if rules.content.hints[item] == 0:
        return chance
    return float(chance * (1.0 - min(rules.traits.help_seeking[row] * (1.0 - knows), 1.0)))


@compiled
def _respond(
    row: int, item: int, margin: float, u: npt.NDArray[np.float64], sitting: Sitting, rules: Rules
) -> tuple[bool, float, float, float, int]:
    """How a learner goes about an item.

    Returns:
        Whether by rapid guess, the chance of a right answer, the same without a hint, the seconds it takes, the hints
        asked for.
    """
    content, traits, laws = rules.content, rules.traits, rules.laws
    subject = content.skill_subject[content.item_skills[item, 0]]
    noise = _normal(u[5], u[6])
    if (sitting.drifting[row] and u[3] < laws.rapid_share) or u[4] < rules.conditions.guessing[subject]:
        guess = content.guess[item]
        return True, guess, guess, laws.rapid_seconds * np.exp(laws.rapid_sd * noise), 0
    knows = _sigmoid(content.discrimination[item] * margin)
    chance = knows * (1.0 - traits.slip[row]) + (1.0 - knows) * content.guess[item]
    pace = content.intensity[item] - traits.speed[row] - laws.time_distance * abs(margin)
    pace -= 0.5 * (sitting.attempt[row] - 1)
    hints = 0
    if u[7] < traits.help_seeking[row] * (1.0 - knows):
        hints = min(content.hints[item], 1 + int(3.0 * u[8]))
    return False, chance, _success(row, item, knows, chance, rules), np.exp(pace + laws.time_sd * noise), hints


@compiled
def _fresh_chances(rules: Rules, row: int, item: int, ability: float) -> tuple[float, float]:
    """Chance of a right answer, and of one without a hint, of a rested, engaged learner at a first attempt."""
    content = rules.content
    subject = content.skill_subject[content.item_skills[item, 0]]
    margin = ability - content.difficulty[item] - rules.conditions.difficulty[subject]
    knows = _sigmoid(content.discrimination[item] * margin)
    chance = knows * (1.0 - rules.traits.slip[row]) + (1.0 - knows) * content.guess[item]
    return chance, _success(row, item, knows, chance, rules)


@compiled
def _zone_gain(chance: float, laws: Laws) -> float:
    """Share of the best gain that practice at this chance of success gives."""
    best = laws.best_success
    away = (np.log(chance / (1.0 - chance)) - np.log(best / (1.0 - best))) / laws.zone_width
    return float(np.exp(-0.5 * away * away))


@compiled
def _expected_gain(state: State, rules: Rules, row: int, item: int, now: float) -> float:
    """Gain that an item promises a rested, engaged learner, as a share of the best."""
    chance, success = _fresh_chances(rules, row, item, _item_ability(state, rules, row, item, now))
    return _zone_gain(chance, rules.laws) * (success + (1.0 - success) * rules.laws.failure_gain)


@compiled
def _learn(row: int, item: int, now: float, chance: float, right: bool, state: State, rules: Rules) -> None:
    """Practice teaches most near the right difficulty, and less by failing; two skills share the gain."""
    gain = _zone_gain(chance, rules.laws) * (1.0 if right else rules.laws.failure_gain)
    first, second = rules.content.item_skills[item, 0], rules.content.item_skills[item, 1]
    if second < 0:
        _practise(state, rules, row, first, now, gain)
    else:
        _practise(state, rules, row, first, now, 0.5 * gain)
        _practise(state, rules, row, second, now, 0.5 * gain)


@compiled
def _go_on(row: int, item: int, now: float, right: bool, uniform: float, sitting: Sitting, laws: Laws) -> None:
    """Move the clock, and perhaps try the same item again."""
    sitting.clock[row] = np.int64(now)
    sitting.failures[row] = 0 if right else sitting.failures[row] + 1
    if not right and sitting.attempt[row] < MOST_ATTEMPTS and uniform < laws.retry:
        sitting.again[row] = item
        sitting.attempt[row] += 1
    else:
        sitting.again[row] = -1
        sitting.attempt[row] = 1


@compiled
def answer(
    rows: npt.NDArray[np.int64],
    items: npt.NDArray[np.int32],
    uniforms: npt.NDArray[np.float64],
    state: State,
    sitting: Sitting,
    rules: Rules,
    out: Answers,
) -> None:
    """Let learners answer one item each, and learn from it.

    Args:
        rows: Int64 [m], which learners; each at most once.
        items: Int32 [m], which item each meets.
        uniforms: Float64 [m, UNIFORMS].
        state: Truth, changed in place.
        sitting: Sessions, changed in place.
        rules: What holds today.
        out: Filled with m answers.
    """
    content, traits, laws = rules.content, rules.traits, rules.laws
    for k in range(rows.shape[0]):
        row, item, u = rows[k], items[k], uniforms[k]
        subject = content.skill_subject[content.item_skills[item, 0]]
        begin = sitting.clock[row] + 1000.0 * laws.pause_seconds * np.exp(0.6 * _normal(u[0], u[1]))
        over = (begin - sitting.begun[row]) / 60_000.0 - traits.stamina[row]
        tired = traits.fatigue[row] * max(over, 0.0) / 30.0
        _effort(sitting, traits, laws, row, tired, u[2])
        margin = _item_ability(state, rules, row, item, begin) - tired - content.difficulty[item]
        margin += laws.retry_gain * (sitting.attempt[row] - 1) - rules.conditions.difficulty[subject]
        rapid, chance, success, seconds, hints = _respond(row, item, margin, u, sitting, rules)
        seconds = min(seconds, LONGEST_SECONDS)
        right = u[9] < chance and hints == 0
        now = begin + 1000.0 * seconds
        if not rapid:
            _learn(row, item, now, chance, right, state, rules)
        out.at[k] = np.int64(now)
        out.correct[k] = 1 if right != (u[10] < rules.conditions.wrong_labels[subject]) else 0
        out.response_time_ms[k] = np.int64(1000.0 * seconds * rules.conditions.response_time[subject])
        out.hint_count[k] = hints
        out.attempt_number[k] = sitting.attempt[row]
        out.focus[k] = _focus(sitting.drifting[row], traits.focus_reported[row], tired, u[11:14])
        out.rapid[k] = rapid
        out.probability[k] = chance
        out.success[k] = success
        _go_on(row, item, now, right, u[14], sitting, laws)


@compiled
def abilities(state: State, rules: Rules, now: float, out: npt.NDArray[np.float32]) -> None:
    """Write the true ability of every learner in every skill at `now` (ms) into `out`, Float32 [n, S]."""
    for row in range(out.shape[0]):
        for skill in range(out.shape[1]):
            out[row, skill] = _ability(state, rules, row, skill, now)


@compiled
def successes(state: State, rules: Rules, now: float, out: npt.NDArray[np.float32]) -> None:
    """Write the chance of `correct` of every learner at every item, rested, engaged and at a first attempt.

    Args:
        state: Truth.
        rules: What holds today.
        now: ms after the first midnight.
        out: Float32 [n, Q], filled.
    """
    skills = rules.content.item_skills
    ability = np.empty(state.lasting.shape[1])
    for row in range(out.shape[0]):
        for skill in range(ability.size):
            ability[skill] = _ability(state, rules, row, skill, now)
        for item in range(out.shape[1]):
            first, second = skills[item, 0], skills[item, 1]
            called_for = ability[first] if second < 0 else 0.5 * (ability[first] + ability[second])
            out[row, item] = _fresh_chances(rules, row, item, called_for)[1]


@compiled
def best_items(
    rows: npt.NDArray[np.int64],
    order: npt.NDArray[np.int32],
    stretch: npt.NDArray[np.int32],
    last_item: npt.NDArray[np.int32],
    at: npt.NDArray[np.int64],
    state: State,
    rules: Rules,
    out: npt.NDArray[np.int32],
) -> None:
    """Write the item that promises most to each learner into `out`, Int32 [m]; not the last one, if there is another.

    Args:
        rows: Int64 [m], which learners.
        order: Int32, items.
        stretch: Int32 [m, 2], first and end of the places in `order` from which each chooses; at least one.
        last_item: Int32 [m], the item that each met last.
        at: Int64 [m], when, ms after the first midnight.
        state: Truth.
        rules: What holds today.
        out: Filled.
    """
    for k in range(rows.shape[0]):
        most, out[k] = -1.0, order[stretch[k, 0]]
        for place in range(stretch[k, 0], stretch[k, 1]):
            item = order[place]
            gain = _expected_gain(state, rules, rows[k], item, float(at[k]))
            if item != last_item[k] and gain > most:
                most, out[k] = gain, item
