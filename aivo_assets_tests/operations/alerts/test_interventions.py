"""Whom teachers are told of: learners who newly struggle, each once a day at most, under their pseudonym."""

from datetime import UTC, date, datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.language import Language
from aivo_assets.operations.alerts.interventions import NEEDED, NOTIFIED, digests, newly_struggling, register

DAY, BEFORE = date(2026, 3, 10), date(2026, 3, 9)
NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
ANNA, BEN, CLEO = "a" * 32, "b" * 32, "c" * 32
NOBODY_TOLD = NOTIFIED.empty()


ENGLISH = Language("en")


def recommended(day: date, *rows: tuple[str, str, str]) -> pl.DataFrame:
    """A recommendation a row: learner, kind and priority; the skill is the row's number."""
    schema = {name: RECOMMENDATIONS.schema[name] for name in NEEDED}
    return pl.DataFrame(
        [
            {
                "day": day,
                "learner": learner,
                "rank": rank,
                "subject": "mathematics",
                "skill_id": f"skill-{rank}",
                "kind": kind,
                "passes": kind == "break",
                "priority": priority,
                "headline": f"Headline of {kind}.",
                "reasoning": "3 of 10 right.",
            }
            for rank, (learner, kind, priority) in enumerate(rows, start=1)
        ],
        schema=schema,
    ).select(NEEDED)


def classes(**of: str) -> pl.DataFrame:
    return pl.DataFrame([(learner, of[learner]) for learner in of], schema={"learner": pl.String, "class_": pl.String},
                        orient="row")  # fmt: skip


def test_who_struggles_now_and_did_not_before_is_new() -> None:
    now = recommended(DAY, (ANNA, "remediation", "urgent"), (BEN, "level_down", "urgent"))
    before = recommended(BEFORE, (ANNA, "maintain", "low"), (BEN, "remediation", "urgent"))
    assert newly_struggling(now, before, NOBODY_TOLD)["learner"].to_list() == [ANNA]


def test_only_urgent_remediation_and_going_down_a_level_count() -> None:
    now = recommended(DAY, (ANNA, "remediation", "high"), (BEN, "break", "urgent"), (CLEO, "change_approach", "urgent"))
    assert newly_struggling(now, recommended(BEFORE), NOBODY_TOLD).is_empty()


def test_on_the_first_day_of_all_nobody_is_new() -> None:
    assert newly_struggling(recommended(DAY, (ANNA, "remediation", "urgent")), None, NOBODY_TOLD).is_empty()


def test_a_learner_with_several_struggles_is_one_row_with_the_most_important() -> None:
    now = recommended(DAY, (ANNA, "level_down", "urgent"), (ANNA, "remediation", "urgent"))
    assert newly_struggling(now, recommended(BEFORE), NOBODY_TOLD)["skill_id"].to_list() == ["skill-1"]


def test_a_learner_is_compared_with_their_own_last_day_whatever_day_that_was() -> None:
    now = recommended(DAY, (ANNA, "remediation", "urgent"), (BEN, "remediation", "urgent"))
    before = pl.concat(
        [
            recommended(date(2026, 3, 2), (ANNA, "remediation", "urgent"), (BEN, "remediation", "urgent")),
            recommended(BEFORE, (CLEO, "maintain", "low"), (BEN, "maintain", "low")),
        ]
    )
    assert newly_struggling(now, before, NOBODY_TOLD)["learner"].to_list() == [BEN]


def test_a_break_hides_no_struggle() -> None:
    """Yesterday a break came over the remediation of the day before, in the same skill."""
    now = recommended(DAY, (ANNA, "remediation", "urgent"))
    before = pl.concat(
        [recommended(date(2026, 3, 8), (ANNA, "remediation", "urgent")), recommended(BEFORE, (ANNA, "break", "urgent"))]
    )
    assert newly_struggling(now, before, NOBODY_TOLD).is_empty()
    calm = pl.concat([recommended(date(2026, 3, 8), (ANNA, "maintain", "low")), before.filter(day=BEFORE)])
    assert newly_struggling(now, calm, NOBODY_TOLD)["learner"].to_list() == [ANNA]


@settings(max_examples=25)
@given(st.lists(st.lists(st.sampled_from([ANNA, BEN, CLEO]), unique=True), min_size=1, max_size=6), st.integers(1, 3))
def test_nobody_is_told_of_twice_a_day_however_often_it_is_looked(looks: list[list[str]], most: int) -> None:
    told = NOBODY_TOLD
    for struggling in looks:
        now = recommended(DAY, *((learner, "remediation", "urgent") for learner in struggling))
        new = newly_struggling(now, recommended(BEFORE), told)
        told = register(new, classes(), told, now=NOW, most=most)
    assert told["learner"].is_unique().all()
    assert all(part.height <= most for part in told.partition_by("digest"))


def test_the_digest_names_pseudonyms_by_class_and_says_why() -> None:
    now = recommended(DAY, (BEN, "remediation", "urgent"), (ANNA, "level_down", "urgent"))
    new = newly_struggling(now, recommended(BEFORE), NOBODY_TOLD)
    told = register(new, classes(**{ANNA: "d" * 32}), NOBODY_TOLD, now=NOW, most=50)
    (digest,) = digests(told, ENGLISH)
    assert digest.title == "2 learners newly struggle (10 Mar 2026)"
    assert digest.key == "intervention:2026-03-10:1"
    assert digest.body.splitlines() == [
        "No class known:",
        f"- {BEN} (mathematics): Headline of remediation. 3 of 10 right.",
        f"Class {'d' * 32}:",
        f"- {ANNA} (mathematics): Headline of level_down. 3 of 10 right.",
    ]


def test_digests_come_from_the_register_again_and_again_the_same() -> None:
    now = recommended(DAY, (ANNA, "remediation", "urgent"), (BEN, "remediation", "urgent"))
    told = register(newly_struggling(now, recommended(BEFORE), NOBODY_TOLD), classes(), NOBODY_TOLD, now=NOW, most=1)
    new = newly_struggling(now, recommended(BEFORE), told)
    told = register(new, classes(), told, now=NOW, most=1)
    assert digests(told, ENGLISH) == digests(told, ENGLISH)
    assert [each.key for each in digests(told, ENGLISH)] == ["intervention:2026-03-10:1", "intervention:2026-03-10:2"]
