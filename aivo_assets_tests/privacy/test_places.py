"""Attributes are shared by k learners also for those who join them with school, class and teacher."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.privacy import PseudonymKey, anonymise_learners
from aivo_assets.privacy.attributes import HIERARCHIES
from aivo_assets.privacy.places import places
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ATTRIBUTES
from aivo_assets.settings import PrivacySettings
from aivo_assets.settings.data import AlikeWithin
from aivo_assets_tests.privacy import raw_school

KEY = PseudonymKey("juniper-" * 6)
TODAY = date(2025, 10, 1)
_SEEN = dict.fromkeys(["learner", "school", "class_", "teacher"], pl.String)
ROOMS = ["1a", "1b", "2c", None]


def learners(rows: list[dict[str, str]]) -> pl.DataFrame:
    return raw_school.learners([{"learner_id": f"learner-{number}", **row} for number, row in enumerate(rows)])


def seen(rows: list[tuple[str, str | None, str | None, str | None]]) -> pl.LazyFrame:
    """Answers of learners at school, class and teacher; every pseudonym stands for itself."""
    frame = pl.DataFrame(
        rows, schema=dict.fromkeys(["learner", "school", "class_", "teacher"], pl.String), orient="row"
    )
    return ANONYMISED_INTERACTIONS.empty().join(frame, on=list(frame.columns), how="full", coalesce=True).lazy()


def test_a_place_is_everything_that_stands_in_a_learners_rows() -> None:
    answers = seen(
        [
            ("ada", "s", "2c", "t"),
            ("ada", "s", "1a", "u"),
            ("ben", "s", "1a", "u"),
            ("cem", None, None, None),
            ("dee", "s", "1a", "t"),
            ("dee", "s", "2c", "u"),
        ]
    )
    by_class = dict(places(answers, "class").iter_rows())
    assert by_class["ada"] == by_class["dee"] != by_class["ben"]
    assert by_class["cem"] not in {by_class["ada"], by_class["ben"]}
    by_school = dict(places(answers, "school").iter_rows())
    assert by_school["ada"] == by_school["ben"] == by_school["dee"] != by_school["cem"]
    assert places(answers, "everybody").is_empty()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["f", "m", "x"]),
            st.sampled_from(["3", "4"]),
            st.sampled_from(["hills", "coast"]),
            st.sampled_from(ROOMS),
        ),
        max_size=40,
    ),
    st.sampled_from([2, 5]),
    st.sampled_from(["class", "school"]),
)
@settings(max_examples=25, deadline=None)
def test_whoever_joins_the_tables_still_finds_k_learners_alike(
    people: list[tuple[str, str, str, str | None]], k: int, within: AlikeWithin
) -> None:
    raw = learners([{"gender": g, "grade": n, "region": r, "disability": "none"} for g, n, r, _ in people])
    hashed = pseudonyms(raw["learner_id"], "learner", KEY)
    rooms = zip(hashed, [room for *_, room in people], strict=True)
    beside = places(seen([(name, room and room[0], room, room) for name, room in rooms]), within)
    wanted = PrivacySettings(k_anonymity=k, alike_within=within)
    made = anonymise_learners(raw, KEY, wanted, 2, TODAY, beside)
    joined = made.frame.join(beside, on="learner", how="left")
    telling = joined.filter(~pl.all_horizontal(pl.col(name) == "*" for name in ATTRIBUTES).fill_null(value=False))
    sizes = telling.group_by([*ATTRIBUTES, "place"]).len()["len"]
    assert (sizes >= k).all()
    assert made.report.achieved_k == (sizes.min() if telling.height else None)


def test_what_was_alike_among_everybody_only_is_hidden_within_classes() -> None:
    people = [{"gender": "f" if number < 6 else "m", "grade": "5"} for number in range(12)]
    raw = learners(people)
    hashed = pseudonyms(raw["learner_id"], "learner", KEY)
    # Five girls and one boy in one class, one girl and five boys in the other.
    rooms = ["1a"] * 5 + ["1b"] + ["1a"] + ["1b"] * 5
    answers = seen([(name, "s", room, None) for name, room in zip(hashed, rooms, strict=True)])

    def hidden(within: AlikeWithin) -> int:
        chosen = PrivacySettings(alike_within=within)
        made = anonymise_learners(raw, KEY, chosen, 2, TODAY, places(answers, within))
        return int((made.frame["gender"] == "*").sum())

    assert [hidden("everybody"), hidden("school"), hidden("class")] == [0, 0, 2]


@pytest.mark.parametrize("within", ["class", "school", "everybody"])
def test_hierarchies_are_not_published_of_places(within: AlikeWithin) -> None:
    """Nothing of a place comes into the learner table: it stands in the answers already."""
    raw = learners([{"gender": "f"} for _ in range(6)])
    hashed = pseudonyms(raw["learner_id"], "learner", KEY)
    beside = places(seen([(name, "s", "1a", "t") for name in hashed]), within)
    made = anonymise_learners(raw, KEY, PrivacySettings(alike_within=within), 2, TODAY, beside)
    assert set(made.frame.columns) == {"learner", "shard", *(hierarchy.column for hierarchy in HIERARCHIES)}
