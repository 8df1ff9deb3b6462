"""Who practises when: lessons, homework, weekends, holidays, absences. Belongs here: the rhythm of a day; no answers.

Two sessions a day at most: a lesson in the morning and homework after it. Times are UTC, as if the school lay there.
Hours, shares and lengths are ours, drawn after the daily and weekly rhythm of the assistments2012 log: most work on
weekdays, a peak in the afternoon, few on Saturdays.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from aivo_assets.simulation.draws import Draws
from aivo_assets.simulation.world.curriculum import GRADES, SKILLS_PER_GRADE, SUBJECTS
from aivo_assets.simulation.world.roster import Roster

LESSON, HOMEWORK = 0, 1
SESSIONS_A_DAY = 2
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
LAST_ANSWER_MS = DAY_MS - 2 * MINUTE_MS  # of a day: sessions never cross midnight

TOPIC_DAYS = 10
HOLIDAY_EVERY_DAYS, HOLIDAY_DAYS = 56, 7
HOLIDAY_HOMEWORK = 0.12
LESSON_HOURS = np.array([8.6, 9.5, 10.6, 11.5, 13.1, 14.0])
# Homework relative to a weekday, Monday first.
HOMEWORK_BY_WEEKDAY = np.array([1.0, 1.0, 1.0, 0.95, 0.6, 0.25, 0.5])
LESSON_ITEMS, HOMEWORK_ITEMS = 8.5, 7.5
LONG_SESSION_SHARE, LONG_SESSION_FACTOR = 0.03, 7.0
MOST_ITEMS = 150
SPELL_SHARE, SPELL_DAYS = 0.012, 4.0  # an absence begins on so many days, and lasts so long on average


@dataclass(frozen=True)
class DayPlan:
    """What a day holds for each of n learners.

    Attributes:
        subject: Int64 [2, n], subject of the lesson and of the homework.
        topic: Int64 [2, n], the skill that the class works on in that subject.
        start: Int64 [2, n], ms after midnight.
        length: Int64 [2, n], items planned; 0 = no session.
    """

    subject: npt.NDArray[np.int64]
    topic: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]


def is_holiday(day: int) -> bool:
    """Whether the school is closed: one week in eight, never in the first seven weeks."""
    return day % HOLIDAY_EVERY_DAYS >= HOLIDAY_EVERY_DAYS - HOLIDAY_DAYS


def plan_day(
    draws: Draws, roster: Roster, start: date, day: int, away_until: npt.NDArray[np.int64]
) -> tuple[DayPlan, npt.NDArray[np.int64]]:
    """Plan one day.

    Args:
        draws: The school's random numbers.
        roster: The learners.
        start: First day of the school.
        day: Day of the school, 0 = first.
        away_until: Int64 [n], first day after each learner's latest absence; replaced by the second value returned.
    """
    weekday = (start + timedelta(days=day)).weekday()
    uniform = draws.uniforms("day", roster.index, 14, day=day)
    away_until = _absences(uniform[:, 0:2], day, away_until)
    present = (roster.joins <= day) & (away_until <= day)
    spirit = np.exp(-roster.fading * day)
    lesson = present & (uniform[:, 2] < roster.attendance * spirit) & _has_lesson(roster, day, weekday)
    rhythm = HOMEWORK_BY_WEEKDAY[weekday] * (HOLIDAY_HOMEWORK if is_holiday(day) else 1.0)
    homework = present & (uniform[:, 3] < roster.homework * spirit * rhythm)

    taught = (roster.class_index + day) % len(SUBJECTS)
    chosen = np.where(uniform[:, 4] < 0.6, taught, (uniform[:, 5] * len(SUBJECTS)).astype(np.int64))
    subject = np.stack([taught, chosen])
    lesson_hour = LESSON_HOURS[(roster.class_index + day // 7) % LESSON_HOURS.size]
    hour = np.stack([lesson_hour + 0.08 * uniform[:, 6], roster.habit + 1.4 * (uniform[:, 7] - 0.5)])
    length = np.stack(
        [
            _length(LESSON_ITEMS, roster.persistence, uniform[:, 8:11]) * lesson,
            _length(HOMEWORK_ITEMS, roster.persistence, uniform[:, 11:14]) * homework,
        ]
    )
    plan = DayPlan(
        subject=subject,
        topic=topic_of(roster, subject, day),
        start=(hour * HOUR_MS).astype(np.int64),
        length=length,
    )
    return plan, away_until


def topic_of(roster: Roster, subject: npt.NDArray[np.int64], day: int) -> npt.NDArray[np.int64]:
    """The skill on which each learner's class works: its grade's skills in turn, some days each, then again."""
    turn = (day + 3 * (roster.class_index % 3)) // TOPIC_DAYS % SKILLS_PER_GRADE
    topic: npt.NDArray[np.int64] = (subject * len(GRADES) + roster.grade) * SKILLS_PER_GRADE + turn
    return topic


def _has_lesson(roster: Roster, day: int, weekday: int) -> npt.NDArray[np.bool_]:
    """Four of five weekdays have a lesson on the platform; which one has none depends on the class."""
    if weekday >= 5 or is_holiday(day):
        return np.zeros(roster.size, np.bool_)
    lesson: npt.NDArray[np.bool_] = roster.class_index % 5 != weekday
    return lesson


def _absences(uniform: npt.NDArray[np.float64], day: int, away_until: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    begins = (uniform[:, 0] < SPELL_SHARE) & (away_until <= day)
    days = 1 + (-SPELL_DAYS * np.log(uniform[:, 1])).astype(np.int64)
    return np.where(begins, day + days, away_until)


def _length(
    median: float, persistence: npt.NDArray[np.float64], uniform: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Items planned: about log-normal around the median, a few sessions several times as long."""
    spread = np.exp(0.4 * np.sqrt(-2.0 * np.log(uniform[:, 0])) * np.cos(2.0 * np.pi * uniform[:, 1]))
    stretch = np.where(uniform[:, 2] < LONG_SESSION_SHARE, LONG_SESSION_FACTOR, 1.0)
    return np.clip(np.rint(median * persistence * spread * stretch), 2, MOST_ITEMS).astype(np.int64)
