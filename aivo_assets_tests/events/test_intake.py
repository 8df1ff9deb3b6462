"""Which rows are kept, which are set aside, and what is said about them."""

# ruff: noqa: DTZ001 - times without a zone are what sources hand over

from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from aivo_assets.errors import SourceError
from aivo_assets.events.intake import Validated, validate
from aivo_assets.events.schema import Event
from aivo_assets.events.sources.base import Window, broken_rows
from aivo_assets.events.values.labels import NEITHER, PARTIAL
from aivo_assets_tests.events.memory_source import answer, extract


def judged(*rows: dict[str, object], now: datetime, window: Window | None = None) -> Validated:
    return validate(extract(rows), now=now, subject="general", window=window)


def problems(validated: Validated) -> list[tuple[str | None, str | None, str]]:
    return [tuple(row) for row in validated.quarantined.select("column", "value", "reason").iter_rows()]


def test_a_sound_row_becomes_an_event_of_the_schema(now: datetime) -> None:
    validated = judged(answer(5, skill_ids="fractions", response_time_ms="1234.4", hint_count="2"), now=now)
    event = validated.events.row(0, named=True)
    assert event["occurred_at"] == datetime(2024, 5, 1, 0, 0, 5, tzinfo=UTC)
    assert (event["learner_id"], event["correct"], event["response_time_ms"]) == ("ada", 1, 1234)
    assert (event["skill_ids"], event["hint_count"], event["focus"]) == (["fractions"], 2, None)
    assert Event.validate(validated.events.select(Event.column_names()).with_columns(event_id=pl.lit("e"))).height == 1


def test_an_item_without_skills_is_its_own_skill_and_the_subject_has_a_default(now: datetime) -> None:
    events = judged(answer(skill_ids=""), answer(subject="maths", skill_ids="s"), now=now).events
    assert events["skill_ids"].to_list() == [["i1"], ["s"]]
    assert events["subject"].to_list() == ["general", "maths"]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("learner_id", "", "learner_id is missing"),
        ("item_id", None, "item_id is missing"),
        ("occurred_at", "", "occurred_at is missing"),
        ("occurred_at", "soon", "occurred_at is not a date and time"),
        ("occurred_at", "1989-12-31T23:59:59Z", "occurred_at is before 1990"),
        ("occurred_at", "2026-11-01T12:00:01Z", "occurred_at is in the future"),
        ("correct", "", "correct is missing"),
        ("correct", "2", NEITHER),
        ("correct", "-1", NEITHER),
        ("correct", "0.5", PARTIAL),
        ("correct", "maybe", NEITHER),
        ("response_time_ms", "-1", "response_time_ms is negative"),
        ("response_time_ms", "fast", "response_time_ms is not a duration in milliseconds"),
        ("hint_count", "-2", "hint_count is negative"),
        ("hint_count", "1.5", "hint_count is not a whole number"),
        ("attempt_number", "0", "attempt_number is below 1"),
        ("focus", "1.2", "focus is outside 0 to 1"),
        ("focus", "high", "focus is not a number"),
    ],
)
def test_a_bad_value_sets_its_row_aside_with_column_value_and_reason(
    column: str, value: str | None, reason: str, now: datetime
) -> None:
    validated = judged(answer(), answer(**{column: value}), now=now)
    assert (validated.events.height, validated.set_aside, validated.rows_read) == (1, 1, 2)
    assert problems(validated) == [(column, value, reason)]
    assert validated.quarantined["row"].to_list() == [2]
    assert validated.quarantined["location"].to_list() == ["memory"]


def test_the_present_instant_is_not_the_future(now: datetime) -> None:
    assert judged(answer(occurred_at=now.isoformat()), now=now).events.height == 1


def test_a_row_with_several_bad_values_is_one_row_and_several_problems(now: datetime) -> None:
    validated = judged(answer(correct="x", hint_count="-1", occurred_at="soon"), now=now)
    assert validated.set_aside == 1
    assert [column for column, _, _ in problems(validated)] == ["occurred_at", "correct", "hint_count"]


def test_reasons_hold_no_values_and_long_values_are_cut(now: datetime) -> None:
    validated = judged(answer(correct="Ada Lovelace " * 100), now=now)
    assert "Ada" not in validated.quarantined["reason"].item()
    assert len(validated.quarantined["value"].item()) == 500


def test_broken_lines_count_as_rows_that_are_set_aside(now: datetime) -> None:
    given = replace(extract([answer()]), broken=broken_rows("memory", [(7, "x,y", "broken")]))
    validated = validate(given, now=now, subject="general")
    assert (validated.rows_read, validated.set_aside, validated.events.height) == (2, 1, 1)
    assert validated.quarantined.row(0) == ("memory", 7, None, "x,y", "broken")


def test_a_row_that_the_source_calls_no_answer_is_set_aside_for_that_alone(now: datetime) -> None:
    given = extract([answer(correct="STUDY", hint_count="-1", _problem="it is no answer"), answer(_problem=None)])
    validated = validate(given, now=now, subject="general")
    assert problems(validated) == [("correct", "STUDY", "it is no answer")]
    assert validated.events.height == 1


def test_rows_of_other_days_are_not_judged_but_rows_without_a_sound_time_always_are(now: datetime) -> None:
    day = Window(date(2024, 5, 1), date(2024, 5, 1))
    validated = judged(
        answer(),
        answer(occurred_at="2024-05-02T00:00:00Z"),
        answer(occurred_at="2024-04-30T23:59:59Z", correct="7"),
        answer(occurred_at="soon"),
        answer(occurred_at="2030-01-01"),
        answer(occurred_at="1980-01-01"),
        now=now,
        window=day,
    )
    assert (validated.events.height, validated.outside_window, validated.set_aside) == (1, 2, 3)


def test_equal_rows_have_equal_identity_whatever_their_types_and_defaults(now: datetime) -> None:
    typed = pl.DataFrame(
        {"learner_id": ["ada"], "item_id": ["i1"], "occurred_at": [datetime(2024, 5, 1)], "correct": [True]}
    ).with_columns(_location=pl.lit("memory"), _row=pl.lit(1, dtype=pl.Int64))
    from_text = validate(extract([answer()]), now=now, subject="general").events["_identity"].item()
    from_types = validate(replace(extract([]), frame=typed), now=now, subject="maths").events["_identity"].item()
    assert from_text == from_types
    assert judged(answer(hint_count="1"), now=now).events["_identity"].item() != from_text


def test_a_missing_required_column_is_one_clear_error(now: datetime) -> None:
    given = extract([answer()])
    with pytest.raises(SourceError, match="no correct"):
        validate(replace(given, frame=given.frame.drop("correct")), now=now, subject="general")


def test_an_extract_without_rows_is_no_error(now: datetime) -> None:
    given = extract([answer()])
    validated = validate(replace(given, frame=given.frame.clear()), now=now, subject="general")
    assert (validated.rows_read, validated.events.height) == (0, 0)
