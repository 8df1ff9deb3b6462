"""Who needs help first, who needs the same, how a skill stands, and which exercises a class misses."""

from datetime import timedelta
from pathlib import Path

import pytest

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.kinds import LEVEL_UP, REMEDIATION
from aivo_assets.pages.reading.class_view import ClassView, read_class, standing_of
from aivo_assets.pages.reading.learner_view import read_learner
from aivo_assets.pages.reading.membership import read_membership
from aivo_assets.pages.reading.rewording import TEXTS, in_language
from aivo_assets_tests.pages.school import ADA, BEN, CID, CLASS, EVE, OTHER_CLASS, TODAY, fill, settings_of


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> ClassView:
    settings = settings_of(tmp_path_factory.mktemp("class"))
    lake = fill(settings)
    members = read_membership(lake)
    assert members.class_of(EVE) == OTHER_CLASS
    assert members.newest_answers == TODAY
    return read_class(lake, members.learners(CLASS), day=TODAY, newest_answer=TODAY, settings=settings.policy)


def test_those_who_struggle_come_first_and_nobody_of_another_class(view: ClassView) -> None:
    assert set(view.learners) == {ADA, BEN, CID}
    assert {row["learner"] for row in view.needs} == {ADA, BEN}
    assert {row["kind"] for row in view.needs} == {REMEDIATION}
    assert [(row["learner"], row["kind"]) for row in view.ready] == [(CID, LEVEL_UP)]


def test_two_with_the_same_need_are_a_group(view: ClassView) -> None:
    group = view.groups[0]
    assert set(group.learners) == {ADA, BEN}
    assert (group.kind, group.skill) == (REMEDIATION, "fractions")
    assert group.items


def test_an_exercise_counts_as_missed_by_the_answers_of_this_class_alone(view: ClassView) -> None:
    missed = {each.item: each for each in view.missed}
    assert "fractions-4" not in missed  # answered right by everybody
    assert (missed["fractions-3"].answers, missed["fractions-3"].wrong, missed["fractions-3"].learners) == (9, 9, 3)


def test_another_subject_shows_nothing_of_this_one(view: ClassView) -> None:
    other = view.of_subject("history")
    assert (other.needs, other.groups, other.skills) == ((), (), {})
    assert view.of_subject(None) == view


@pytest.mark.parametrize(
    ("band", "answers", "standing"),
    [
        ((0.72, 0.9), 9, "secure"),
        ((0.1, 0.69), 9, "weak"),
        ((0.5, 0.88), 9, "growing"),
        ((0.3, 0.95), 2, "unsure"),
        ((0.72, 0.9), 0, "none"),
    ],
)
def test_a_standing_is_only_as_sure_as_its_band(band: tuple[float, float], answers: int, standing: str) -> None:
    policy = settings_of("unused").policy
    assert standing_of(*band, answers, policy) == standing


def test_advice_that_stood_for_a_week_is_stuck(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    lake = fill(settings)
    made = lake.scan(RECOMMENDATIONS, days=[TODAY]).collect()
    old = made.with_columns(decided_on=TODAY - timedelta(days=7))
    lake.write(RECOMMENDATIONS, old, day=TODAY)
    members = read_membership(lake).learners(CLASS)
    view = read_class(lake, members, day=TODAY, newest_answer=TODAY, settings=settings.policy)
    assert {row["learner"] for row in view.stuck()} == {ADA, BEN}


def test_a_class_that_nobody_is_in_and_a_lake_without_days_are_empty(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    lake = fill(settings)
    nobody = read_membership(lake).learners("f" * 32)
    assert read_class(lake, nobody, day=TODAY, newest_answer=None, settings=settings.policy).learners == ()


def test_advice_is_said_again_in_german_and_word_for_word_in_its_own_language(view: ClassView) -> None:
    policy = settings_of("unused").policy
    german = in_language(view.needs, "de", policy)
    assert {row["said_in"] for row in german} == {"de"}
    assert all("Grundlagen" in row["headline"] for row in german)
    # German is taken for the language of the lake, so that English is made anew, and compared with what was kept.
    again = in_language([*view.needs, *view.ready], "en", policy.model_copy(update={"language": "de"}))
    for before, after in zip([*view.needs, *view.ready], again, strict=True):
        assert {name: before[name] for name in TEXTS} == {name: after[name] for name in TEXTS}


def test_a_row_whose_signals_are_gone_keeps_its_language(view: ClassView) -> None:
    row = {**view.needs[0], "recent_attempts": None}
    said = in_language([row], "de", settings_of("unused").policy)[0]
    assert (said["said_in"], said["headline"]) == ("en", row["headline"])


def test_weeks_are_counted_back_from_the_newest_day(tmp_path: Path) -> None:
    lake = fill(settings_of(tmp_path))
    view = read_learner(lake, ADA, day=TODAY, newest_answer=TODAY)
    assert [(week.answers, week.right, week.days) for week in view.weeks] == [(3, 1, 1), (6, 2, 2)]
    assert view.known
    assert 0.59 < view.ability["value"][0] < 0.6
    assert not read_learner(lake, "0" * 32, day=TODAY, newest_answer=TODAY).known
