"""What was read last, while it is still the newest. Belongs here: when the lake is read again; nothing is computed.

The versions of the newest units are looked up at most once in a few seconds, by their manifests. As long as they are
the same, a class or a learner that was read is not read again. A word given here counts at once.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeVar, cast

from aivo_assets.adaptive.advice.words_given import words_given
from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.events.landing.overrides import OVERRIDES_GIVEN, OVERRIDES_REMOVED, raw_overrides
from aivo_assets.lake import Lake
from aivo_assets.lake.newest import newest_filled
from aivo_assets.pages.reading.class_view import ClassView, read_class
from aivo_assets.pages.reading.learner_view import LearnerView, read_learner
from aivo_assets.pages.reading.learner_words import DAYS_HELD, LEARNER_WORDS, read_words
from aivo_assets.pages.reading.membership import Membership, read_membership
from aivo_assets.privacy.lake_key import key_of_lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.schema import STUDENT_MODELS

LOOK_SECONDS: Final = 2.0
MOST_KEPT: Final = 2000
T = TypeVar("T")
Word = dict[str, Any]


@dataclass(frozen=True)
class State:
    """The newest units.

    Attributes:
        day: The newest day with recommendations; None where there is none.
        answers: Version of the newest day of answers.
        advice: Of everything else that a page shows but words.
        words: Of what teachers said.
        said: Of what learners said.
        today: The present day, by which words run out.
    """

    day: date | None
    answers: str
    advice: str
    words: str
    said: str
    today: date


class Readings:
    """Reads the lake for pages.

    Args:
        settings: Of the platform.
        lake: Where rows are.
        now: Tells the platform's time, UTC.
    """

    def __init__(self, settings: Settings, lake: Lake, now: Callable[[], datetime]) -> None:
        self.settings, self.lake, self.now = settings, lake, now
        self._kept: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._state: tuple[float, State] | None = None

    def state(self) -> State:
        """The newest units, as of a few seconds ago at most."""
        held = self._state
        if held is None or time.monotonic() - held[0] > LOOK_SECONDS:
            held = (time.monotonic(), self._look())
            self._state = held
        return held[1]

    def forget_state(self) -> None:
        """Look again at the next question: something was written here."""
        self._state = None

    def membership(self) -> Membership:
        """Who is in which class."""
        return self.remembered(("membership", self.state().answers), lambda: read_membership(self.lake))

    def class_view(self, class_: str) -> ClassView | None:
        """A class; None where nobody is in it."""
        state, members = self.state(), self.membership()
        rows = members.learners(class_)
        if rows.is_empty():
            return None
        return self.remembered(
            ("class", class_, state.advice, state.answers),
            lambda: read_class(
                self.lake, rows, day=state.day, newest_answer=members.newest_answers, settings=self.settings.policy
            ),
        )

    def learner_view(self, learner: str) -> LearnerView:
        """A learner."""
        state, members = self.state(), self.membership()
        return self.remembered(
            ("learner", learner, state.advice, state.answers),
            lambda: read_learner(self.lake, learner, day=state.day, newest_answer=members.newest_answers),
        )

    def learner_words(self) -> Mapping[str, list[Word]]:
        """What learners said lately, the newest first, by learner."""
        state = self.state()
        return self.remembered(
            ("learner words", state.said, state.today), lambda: read_words(self.lake, now=self.now())
        )

    def words(self) -> Mapping[str, list[Word]]:
        """What teachers said, the newest first, by learner."""
        state = self.state()
        return self.remembered(("words", state.words, state.advice, state.today), self._words)

    def remembered(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made under a key; made once, however many ask at the same time."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast(T, self._kept[key])
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            with self._lock:
                if key in self._kept:
                    return cast(T, self._kept[key])
            made = make()
            with self._lock:
                self._kept[key] = made
                self._locks.pop(key, None)
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
            return made

    def _words(self) -> Mapping[str, list[Word]]:
        if raw_overrides(self.lake).is_empty():  # then no key is needed either
            return {}
        key = key_of_lake(self.settings, create=False)
        by_learner: dict[str, list[Word]] = {}
        for row in words_given(self.lake, key, today=self.state().today, settings=self.settings.policy):
            by_learner.setdefault(row["learner"], []).append(row)
        return by_learner

    def _look(self) -> State:
        lake, day = self.lake, newest_filled(self.lake, RECOMMENDATIONS)
        answers = lake.newest_days(ANONYMISED_INTERACTIONS, 1)
        models = lake.newest_days(STUDENT_MODELS, 1)
        advice = (
            lake.version(RECOMMENDATIONS, days=[] if day is None else [day]),
            lake.version(STUDENT_MODELS, days=models),
        )
        return State(
            day=day,
            answers=f"{answers} {lake.version(ANONYMISED_INTERACTIONS, days=answers)}",
            advice=f"{day} {models} {' '.join(advice)}",
            words=f"{lake.version(OVERRIDES_GIVEN)} {lake.version(OVERRIDES_REMOVED)}",
            said=lake.version(LEARNER_WORDS, days=lake.newest_days(LEARNER_WORDS, DAYS_HELD)),
            today=self.now().date(),
        )
