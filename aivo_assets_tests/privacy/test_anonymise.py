"""What leaves the raw zone: the allow-list, order, gaps, coarse times."""

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aivo_assets.privacy import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS, anonymise_interactions, anonymise_learners
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.settings import PrivacySettings
from aivo_assets_tests.privacy.raw_school import KEY, MORNING, SCHOOL_EVENTS, SCHOOL_LEARNERS, events

MINUTE = PrivacySettings()


def at(*times: datetime) -> pl.DataFrame:
    return events([{"occurred_at": moment} for moment in times])


def test_only_the_allow_list_comes_out():
    more = SCHOOL_EVENTS.with_columns(home_address=pl.lit("12 Elm Street"))
    out = anonymise_interactions(more, KEY, MINUTE, 4)
    assert dict(out.schema) == dict(ANONYMISED_INTERACTIONS.empty().schema)
    assert out.columns == list(ANONYMISED_INTERACTIONS.schema)


def test_no_identifier_survives():
    out = anonymise_interactions(SCHOOL_EVENTS, KEY, MINUTE, 4)
    text = out.write_ndjson()
    for column in ("event_id", "learner_id", "session_id", "assignment_id", "teacher_id", "school_id"):
        for value in SCHOOL_EVENTS[column].unique():
            assert value not in text
    assert "7" not in out["class_"]


def test_content_and_answers_stay_as_they_are():
    raw = events([{"correct": 0, "response_time_ms": 1234, "hint_count": 2, "attempt_number": 3, "focus": 0.25}])
    out = anonymise_interactions(raw, KEY, MINUTE, 4)
    kept = ["item_id", "skill_ids", "subject", "correct", "response_time_ms", "hint_count", "attempt_number", "focus"]
    assert_frame_equal(out.select(kept), raw.select(kept))


def test_times_are_floored_and_order_and_gaps_are_kept():
    out = anonymise_interactions(
        at(
            MORNING + timedelta(seconds=59, milliseconds=900),
            MORNING + timedelta(seconds=61, milliseconds=200),
            MORNING + timedelta(seconds=61, milliseconds=700),
            MORNING + timedelta(days=1, seconds=5),
        ),
        KEY,
        MINUTE,
        1,
    )
    assert out["occurred_at"].to_list() == [
        MORNING,
        MORNING + timedelta(minutes=1),
        MORNING + timedelta(minutes=1),
        MORNING + timedelta(days=1),
    ]
    assert out["sequence"].to_list() == [0, 1, 2, 0]
    assert out["gap_s"].to_list() == [None, 2, 0, None]
    assert out["day"].to_list() == [date(2024, 3, 4)] * 3 + [date(2024, 3, 5)]


def test_events_of_one_instant_keep_the_order_of_the_raw_zone():
    raw = events([{"event_id": name, "item_id": name, "occurred_at": MORNING} for name in ("c", "a", "b")])
    assert anonymise_interactions(raw, KEY, MINUTE, 4)["item_id"].to_list() == ["c", "a", "b"]


def test_the_day_is_the_utc_day():
    out = anonymise_interactions(at(datetime(2024, 3, 4, 23, 59, 59, 999_999, tzinfo=UTC)), KEY, MINUTE, 1)
    assert out["day"].to_list() == [date(2024, 3, 4)]
    assert out["occurred_at"].to_list() == [datetime(2024, 3, 4, 23, 59, tzinfo=UTC)]


def test_no_event_gives_no_row():
    out = anonymise_interactions(SCHOOL_EVENTS.clear(), KEY, MINUTE, 4)
    assert_frame_equal(out, ANONYMISED_INTERACTIONS.empty())


MOMENTS = st.timedeltas(timedelta(0), timedelta(days=3)).map(lambda since: MORNING + since)
ROWS = st.lists(st.tuples(st.sampled_from(["ann", "bob", "eve"]), MOMENTS), min_size=1, max_size=40)


def frame_of(rows: list[tuple[str, datetime]]) -> pl.DataFrame:
    return events([{"learner_id": learner, "occurred_at": moment} for learner, moment in rows])


@given(ROWS, st.integers(1, 86_400))
@settings(max_examples=60, deadline=None)
def test_the_clock_of_a_day_is_never_further_off_than_the_resolution(rows: list[tuple[str, datetime]], resolution: int):
    out = anonymise_interactions(frame_of(rows), KEY, PrivacySettings(time_resolution_seconds=resolution), 3)
    raw = frame_of(rows)
    exact = raw.select(pseudonyms(raw["event_id"], "event", KEY).alias("event"), exact="occurred_at")
    day = ("learner", "day")
    told = out.join(exact, on="event", maintain_order="left").with_columns(
        clock=pl.col("occurred_at").first().over(*day)
        + pl.duration(seconds=pl.col("gap_s").fill_null(0).cum_sum().over(*day))
    )
    off = (told["exact"] - told["clock"]).dt.total_microseconds()
    assert ((off >= 0) & (off < resolution * 1_000_000)).all()
    assert (
        told["sequence"].to_list() == told.select(pl.col("exact").rank("ordinal").over(*day) - 1).to_series().to_list()
    )
    assert (out["occurred_at"].dt.date() == out["day"]).all()


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_only_the_order_within_an_instant_matters_and_days_may_be_done_apart(
    rows: list[tuple[str, datetime]], random: Random
):
    raw = frame_of(rows)
    together = anonymise_interactions(raw, KEY, MINUTE, 3)
    place = [random.random() for _ in range(raw.height)]
    first = {moment: min(place[i] for i, at in enumerate(raw["occurred_at"]) if at == moment) for _, moment in rows}
    order = sorted(range(raw.height), key=lambda i: (first[raw["occurred_at"][i]], i))
    assert_frame_equal(anonymise_interactions(raw[order].lazy(), KEY, MINUTE, 3), together)
    days = [part for _, part in raw.group_by(pl.col("occurred_at").dt.date().alias("day"))]
    apart = [anonymise_interactions(part, KEY, MINUTE, 3) for part in days]
    assert_frame_equal(pl.concat(apart).sort("day", "shard", "learner", "sequence"), together)


def test_learners_share_their_pseudonym_and_shard_with_their_events():
    rows = anonymise_learners(SCHOOL_LEARNERS, KEY, MINUTE, 4, date(2024, 3, 4)).frame
    assert dict(rows.schema) == dict(ANONYMISED_LEARNERS.empty().schema)
    known = anonymise_interactions(SCHOOL_EVENTS, KEY, MINUTE, 4).select("learner", "shard").unique()
    assert_frame_equal(rows.select("learner", "shard"), known, check_row_order=False)
    assert rows.sort("shard", "learner").equals(rows)


def test_three_learners_are_too_few_to_publish_anything_of_them():
    out = anonymise_learners(SCHOOL_LEARNERS, KEY, MINUTE, 4, date(2024, 3, 4))
    assert out.report.suppressed_learners == 3
    assert out.report.achieved_k is None
    assert out.frame.select("age_band", "grade", "gender", "region", "disability").unique().rows() == [("*",) * 5]


@pytest.mark.real_data
@pytest.mark.slow
def test_a_school_quarter_is_anonymised_in_seconds(real_data: Path):
    raw = pl.scan_parquet(real_data / "assistments2012" / "interactions.parquet").filter(
        pl.col("ts") < pl.datetime(2012, 12, 1)
    )
    shaped = raw.with_row_index("row").select(
        event_id=pl.format("{}-{}", "user_id", "row"),
        learner_id=pl.col("user_id").cast(pl.String),
        item_id=pl.col("item_id").cast(pl.String),
        skill_ids=pl.concat_list(pl.col("skill_id").cast(pl.String)),
        subject=pl.lit("maths"),
        occurred_at=pl.col("ts").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        correct=pl.col("correct").cast(pl.Int8),
        response_time_ms=pl.lit(None, pl.Int64),
        hint_count=pl.lit(None, pl.Int32),
        attempt_number=pl.lit(None, pl.Int32),
        session_id=pl.lit(None, pl.String),
        focus=pl.lit(None, pl.Float64),
        **{f"{name}_id": pl.lit(None, pl.String) for name in ("assignment", "teacher", "class", "school")},
    )
    frame = shaped.collect()
    assert frame.height > 700_000
    started = time.process_time()
    out = anonymise_interactions(frame, KEY, MINUTE, 4)
    assert time.process_time() - started < 8.0  # processor seconds, so that a busy machine does not matter
    assert out.height == frame.height
    assert out["learner"].n_unique() == frame["learner_id"].n_unique()
    assert out["event"].n_unique() == frame.height
