"""The simulated school's roster, so that its pages show names. Belongs here: invented people in the roster's form."""

from typing import Final

import polars as pl
from faker import Faker

from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import Lake
from aivo_assets.people.roster import SIMULATED, Account, Entry, Member, Roster, replace_roster, to_rows

DAYS: Final = 7  # of answers that say who is in which class


def write_simulated_roster(lake: Lake, *, seed: int, run: str) -> Account:
    """Write a roster of the learners who answered lately; a parent a learner, a teacher a class, a head a school."""
    answers = lake.scan(RAW_INTERACTIONS, days=lake.newest_days(RAW_INTERACTIONS, DAYS))
    of_class = answers.select("learner_id", "class_id", "school_id", "occurred_at").drop_nulls()
    newest = of_class.sort("occurred_at").unique("learner_id", keep="last", maintain_order=True)
    names = lake.scan(RAW_LEARNERS).select("learner_id", "name").drop_nulls()
    rows = newest.join(names, on="learner_id").sort("class_id", "learner_id").collect()
    faker = Faker("en_GB")
    faker.seed_instance(seed)
    entries = [Entry("operator", "operator-1", faker.name())]
    members, children = [], []
    for school in rows["school_id"].unique().sort():
        entries += [
            Entry("school", school, f"{faker.city()} School"),
            Entry("head", f"head-{school}", faker.name(), school=school),
        ]
    for class_, school in rows.select("class_id", "school_id").unique("class_id").sort("class_id").iter_rows():
        entries += [
            Entry("class", class_, f"Class {class_.removeprefix('class-')}", school=school),
            Entry("teacher", f"teacher-of-{class_}", faker.name(), school=school),
        ]
        members.append(Member(f"teacher-of-{class_}", class_))
    for learner, class_, school, name in rows.select("learner_id", "class_id", "school_id", "name").iter_rows():
        parent = f"parent-of-{learner}"
        entries += [
            Entry("learner", learner, name, school=school),
            Entry("parent", parent, f"{faker.first_name()} {name.split()[-1]}"),
        ]
        members.append(Member(learner, class_))
        children.append((parent, learner))
    made, account = to_rows(lake, Roster(tuple(entries), tuple(members), tuple(children)), SIMULATED)
    replace_roster(lake, made.cast({"starts": pl.Date, "ends": pl.Date}), run=run)
    return account
