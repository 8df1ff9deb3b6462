"""A school looks like a school: shares, rhythms and orders that every log of real learners shows."""

import numpy as np

from aivo_assets.simulation import Simulation, build_world
from aivo_assets.simulation.world.timetable import DAY_MS, HOUR_MS, plan_day
from aivo_assets_tests.simulation.conftest import MONDAY, Lived


def test_between_six_and_eight_in_ten_answers_are_right(lived: Lived) -> None:
    assert 0.6 < lived.answers.correct.mean() < 0.8


def test_harder_items_of_a_skill_are_answered_worse(lived: Lived) -> None:
    curriculum = lived.world.curriculum
    skill = curriculum.item_skills[lived.items, 0]
    above = curriculum.difficulty[lived.items] - curriculum.skill_difficulty[skill]
    correct = lived.answers.correct
    shares = [correct[(above > low) & (above <= high)].mean() for low, high in ((-9, -1), (-1, 0), (0, 1), (1, 9))]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] - shares[-1] > 0.1


def test_abler_learners_answer_better(lived: Lived) -> None:
    general = lived.world.roster.ability.mean(axis=1) - 0.8 * lived.world.roster.grade
    low, high = np.quantile(general, [0.2, 0.8])
    correct = lived.answers.correct
    assert correct[general[lived.rows] > high].mean() - correct[general[lived.rows] < low].mean() > 0.15


def test_practice_helps_and_those_who_are_stuck_hardly(lived: Lived) -> None:
    gained = lived.simulation.abilities(lived.simulation.next_day * DAY_MS) - lived.world.roster.ability
    opportunities = lived.simulation.state.opportunities
    stuck = (lived.world.roster.learning < 0.3)[:, lived.world.curriculum.skill_subject]
    much, little = opportunities >= 20, (opportunities > 0) & (opportunities < 5)
    assert np.median(gained[much & ~stuck]) > 2 * np.median(gained[little & ~stuck]) > 0
    assert np.median(gained[much & stuck]) < 0.3 * np.median(gained[much & ~stuck])
    assert np.all(gained[opportunities == 0] == 0)


def test_forgetting_hurts(lived: Lived) -> None:
    end = lived.simulation.next_day * DAY_MS
    now, later = lived.simulation.abilities(end), lived.simulation.abilities(end + 30 * DAY_MS)
    practised = lived.simulation.state.opportunities > 0
    assert np.all(later[practised] <= now[practised])
    lost = (now - later)[lived.simulation.state.opportunities > 10]
    assert np.median(lost) > 0.1


def test_rapid_guesses_are_few_fast_and_near_chance(lived: Lived) -> None:
    answers, rapid = lived.answers, lived.answers.rapid
    assert 0.005 < rapid.mean() < 0.08
    assert np.median(answers.response_time_ms[rapid]) < 3000 < np.quantile(answers.response_time_ms[~rapid], 0.02)
    chance = lived.world.curriculum.guess[lived.items][rapid].mean()
    assert abs(answers.correct[rapid].mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / rapid.sum())


def test_true_probabilities_are_calibrated(lived: Lived) -> None:
    answers = lived.answers
    plain = answers.hint_count == 0  # a hint makes the answer wrong, whatever its chance was
    for low in np.arange(0.1, 0.9, 0.1):
        among = plain & ~answers.rapid & (answers.probability >= low) & (answers.probability < low + 0.1)
        error = answers.correct[among].mean() - answers.probability[among].mean()
        assert abs(error) < 4 * np.sqrt(0.25 / among.sum())


def test_response_times_are_log_normal_around_half_a_minute(lived: Lived) -> None:
    logs = np.log(lived.answers.response_time_ms[~lived.answers.rapid])
    assert 15_000 < np.exp(logs.mean()) < 60_000
    centred = (logs - logs.mean()) / logs.std()
    assert abs((centred**3).mean()) < 0.2
    assert 0.5 < logs.std() < 1.0


def test_focus_is_missing_for_some_and_low_where_effort_is_gone(lived: Lived) -> None:
    focus, rapid = lived.answers.focus, lived.answers.rapid
    assert 0.2 < np.isnan(focus).mean() < 0.7
    assert np.nanmean(focus[rapid]) < 0.5
    assert np.nanmean(focus[~rapid]) > 0.7
    assert np.nanmin(focus) >= 0
    assert np.nanmax(focus) <= 1


def test_weekends_are_quiet_and_homework_peaks_in_the_afternoon(lived: Lived) -> None:
    sizes = np.array([log.rows.size for log in lived.logs])
    weekend = np.array([lived.world.date_of(log.day).weekday() >= 5 for log in lived.logs])
    assert sizes[weekend].mean() < 0.4 * sizes[~weekend].mean()
    homework = np.concatenate([log.answers.at[log.session == 1] % DAY_MS // HOUR_MS for log in lived.logs])
    assert np.bincount(homework, minlength=24).argmax() in range(14, 18)


def test_holidays_come_after_seven_weeks_and_are_quiet() -> None:
    simulation = Simulation(build_world(seed=1, learners=100, start=MONDAY))
    weeks = [sum(simulation.live_one_day().rows.size for _ in range(7)) for _ in range(9)]
    assert weeks[7] < 0.15 * np.mean([weeks[6], weeks[8]])


def test_the_absent_do_nothing_and_return_after_some_days() -> None:
    world = build_world(seed=2, learners=3000, start=MONDAY, items_per_skill=2)
    away = np.zeros(world.roster.size, np.int64)
    away[::2] = 9
    plan, after = plan_day(world.draws, world.roster, MONDAY, 8, away)
    assert plan.length[:, ::2].sum() == 0
    assert (plan.length[:, 1::2].sum(axis=0) > 0).mean() > 0.5
    assert np.all(after[::2] == 9)
    begun = after[1::2][after[1::2] > 0] - 8
    assert 0.006 < begun.size / 1500 < 0.02
    assert begun.min() >= 1
    assert 2 < begun.mean() < 8
    assert np.all(plan.length[:, 1::2][:, after[1::2] > 0] == 0)


def test_some_stay_away_for_a_week_some_join_later(lived: Lived) -> None:
    roster = lived.world.roster
    came = np.zeros((roster.size, len(lived.logs)), np.bool_)
    for log in lived.logs:
        came[log.rows, log.day] = True
    for day in range(len(lived.logs)):
        assert not came[roster.joins > day, day].any()
    late = (roster.joins > 0) & (roster.joins < 20)
    assert 0.01 < late.mean() < 0.10
    regular = (roster.joins == 0) & (came.mean(axis=1) > 0.4)
    gaps = [np.diff(np.flatnonzero(row)).max() for row in came[regular]]
    assert np.mean(np.array(gaps) >= 6) > 0.02


def test_sessions_lie_within_a_day_and_do_not_overlap(lived: Lived) -> None:
    for log in lived.logs:
        assert np.all(log.answers.at // DAY_MS == log.day)
        order = np.lexsort((log.position, log.session, log.rows))
        same = np.diff(log.rows[order]) == 0
        apart = np.diff(log.answers.at[order])[same]
        assert np.all(apart > 0)
        between = np.diff(log.session[order])[same] > 0
        assert np.all(apart[between] >= 40 * 60_000)


def test_some_sessions_are_long_enough_to_need_a_break(lived: Lived) -> None:
    minutes = []
    for log in lived.logs:
        for session in (0, 1):
            among = log.session == session
            begun, ended = np.full(lived.world.roster.size, np.inf), np.zeros(lived.world.roster.size)
            np.minimum.at(begun, log.rows[among], log.answers.at[among])
            np.maximum.at(ended, log.rows[among], log.answers.at[among])
            minutes.append((ended - begun)[ended > 0] / 60_000)
    assert 0.003 < np.mean(np.concatenate(minutes) > 50) < 0.03


def test_classes_move_from_topic_to_topic(lived: Lived) -> None:
    curriculum = lived.world.curriculum
    learner_class = lived.world.roster.class_index[lived.rows]
    lesson = np.concatenate([log.session for log in lived.logs]) == 0
    day = np.concatenate([np.full(log.rows.size, log.day) for log in lived.logs])
    skill = curriculum.item_skills[lived.items, 0]

    def usual(first: int, last: int) -> int:
        among = lesson & (learner_class == 0) & (day >= first) & (day < last) & (curriculum.skill_subject[skill] == 0)
        return int(np.bincount(skill[among]).argmax())

    assert usual(0, 9) + 1 == usual(11, 19) == usual(21, 29) - 1
