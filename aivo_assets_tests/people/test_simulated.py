"""The simulated school's roster names everybody who answers, in the classes in which they answer."""

from datetime import date
from pathlib import Path

import pytest

from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import open_lake
from aivo_assets.people.names import NameBook
from aivo_assets.people.roster import RAW_ROSTER
from aivo_assets.people.simulated import write_simulated_roster
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.settings import Settings, SimulatorSettings
from aivo_assets.simulation.school import School

START = date(2025, 9, 1)


@pytest.mark.slow
def test_a_teacher_of_the_simulated_school_knows_the_class(tmp_path: Path) -> None:
    lake = open_lake(Settings.model_validate({"home": tmp_path}))
    school = School.build(SimulatorSettings(learners=40, dirt=0.0), START)
    ((day, answers),) = school.days(START, START)
    lake.write(RAW_INTERACTIONS, answers.select(list(RAW_INTERACTIONS.schema)), day=day)
    lake.write(RAW_LEARNERS, school.learners())
    account = write_simulated_roster(lake, seed=7, run="a test")
    answering = answers.filter(answers["class_id"] == "class-" + answers["class_id"][0].removeprefix("class-"))
    book = NameBook(lake.scan(RAW_ROSTER).collect(), PseudonymKey("k" * 32), START)
    assert book.simulated
    assert account.kept["learner"] == account.learners_with_answers == answers["learner_id"].n_unique()
    (teacher,) = (each for each in book.people("teacher") if each.id == f"teacher-of-{answers['class_id'][0]}")
    viewer = book.viewer(teacher)
    assert len(viewer.learners) == answering["learner_id"].n_unique()
    assert all(book.learners[each] for each in viewer.learners)
