"""Where a learner stands now: to the last bit the state that the next check stores, whatever was sent in between."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from aivo_assets.events.inbox import open_inbox
from aivo_assets.live.receiving import receive
from aivo_assets_tests.live.school import FIRST, ITEMS, LAST, NOW, LiveSchool, answer, copied

MORNING = datetime.combine(LAST, datetime.min.time(), NOW.tzinfo).replace(hour=8)


def send(school: LiveSchool, *rows: dict[str, object]) -> list[str]:
    fates = receive(list(rows), school.inbox, school.key, now=NOW, subject="general")
    return [fate.status for fate in fates]


def test_without_new_answers_it_is_the_stored_state(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    now = here.learners().now(here.pseudonym("pupil-3"), here.brain)
    assert (now.since, now.checked, now.unread) == (0, LAST, "")
    assert now.states.equals(here.stored("pupil-3"))
    assert now.states.learners["events"].to_list() == [24]


def test_a_learner_whom_nobody_knows_has_no_state_and_then_that_of_the_first_answer(
    school: LiveSchool, tmp_path: Path
) -> None:
    here = copied(school, tmp_path / "home")
    new = here.pseudonym("new-pupil")
    assert here.learners().now(new, here.brain).states.learners.is_empty()
    send(here, answer("new-pupil", 5, NOW - timedelta(minutes=3), 1))
    assert here.learners().now(new, here.brain).states.learners["events"].to_list() == [1]


def test_an_answer_counts_at_once_and_only_once(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    learners, one = here.learners(), here.pseudonym("pupil-3")
    sent = answer("pupil-3", 7, NOW - timedelta(seconds=20), 0)
    assert send(here, sent, sent) == ["accepted", "accepted"]
    assert send(here, sent) == ["known"]
    now = learners.now(one, here.brain)
    assert now.since == 1
    assert now.states.learners["events"].to_list() == [25]
    assert here.land_inbox() == 1
    after = here.learners().now(one, here.brain)  # landed, and not folded yet
    assert (after.since, after.states.equals(now.states)) == (1, True)
    here.fold()
    folded = here.learners().now(one, here.brain)
    assert (folded.since, folded.states.equals(now.states)) == (0, True)


def test_an_answer_of_a_day_that_was_folded_changes_the_past(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    send(here, answer("pupil-4", 2, datetime.combine(FIRST, MORNING.timetz()) + timedelta(minutes=1), 1))
    live = here.learners().now(here.pseudonym("pupil-4"), here.brain)
    here.land_inbox()
    here.fold()
    assert live.states.equals(here.stored("pupil-4"))
    assert live.states.learners["events"].to_list() == [25]


def test_states_of_another_champion_are_not_continued(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    other = here.brain.__class__(here.brain.predict, here.brain.statistics, here.brain.fold_settings, "2")
    one = here.pseudonym("pupil-5")
    stored, fresh = here.stored("pupil-5"), here.learners().now(one, other)
    assert fresh.states.equals(stored)  # the same statistics: folded from nothing, it is the same


def test_a_database_that_is_away_is_said_and_the_stored_state_serves(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    learners = here.learners()
    away = LiveSchool(here.home, "postgresql://nobody@127.0.0.1:9/nothing")
    learners.inbox = open_inbox(away.settings)
    now = learners.now(here.pseudonym("pupil-3"), here.brain)
    assert "inbox cannot be used" in now.unread
    assert now.states.equals(here.stored("pupil-3"))


moment = st.builds(
    lambda day, minute, second, micro: (
        datetime.combine(LAST, datetime.min.time(), NOW.tzinfo)
        - timedelta(days=day)
        + timedelta(hours=8, minutes=minute, seconds=second, microseconds=micro)
    ),
    st.sampled_from([0, 0, 0, 0, 1, 5]),
    st.integers(0, 700),
    st.sampled_from([0, 7, 8, 59]),
    st.sampled_from([0, 1, 999_999]),
)
sent_answers = st.lists(
    st.tuples(
        st.sampled_from(["pupil-1", "pupil-2", "stranger"]), st.integers(0, ITEMS + 2), moment, st.integers(0, 1)
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.slow
@how(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=sent_answers, second=sent_answers, landed_between=st.booleans())
def test_it_is_the_state_that_the_next_check_stores(
    school: LiveSchool,
    tmp_path: Path,
    first: list[tuple[str, int, datetime, int]],
    second: list[tuple[str, int, datetime, int]],
    landed_between: bool,
) -> None:
    """Law: whatever is sent, in whatever order, late or not, and whether or not a check landed a part of it."""
    here = copied(school, tmp_path / "home")
    learners = here.learners()
    for number, rows in enumerate((first, second)):
        send(here, *(answer(*row, name=f"{number}-{place}") for place, row in enumerate(rows)))
        for name in ("pupil-1", "pupil-2", "stranger"):
            learners.now(here.pseudonym(name), here.brain)  # asked in between: nothing kept must be stale
        if landed_between and number == 0:
            here.land_inbox()
    fresh = here.learners()
    live = {name: fresh.now(here.pseudonym(name), here.brain).states for name in ("pupil-1", "pupil-2", "stranger")}
    here.land_inbox()
    here.fold()
    for name, states in live.items():
        assert states.equals(here.stored(name)), name
