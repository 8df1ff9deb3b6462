"""A teacher's word on a real instance: obeyed by the next check, recorded, judged, and followed by an update.

A school of its own, for its overrides and runs would be in the way of what others look for in the shared one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg
import polars as pl
import pytest

from aivo_assets.adaptive.advice.plans import outdated
from aivo_assets.adaptive.schema import OUTCOMES, RECOMMENDATIONS
from aivo_assets.definitions import build_definitions
from aivo_assets.events.landing.overrides import COLUMNS, land_overrides
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.kinds import KINDS, MAINTAIN
from aivo_assets.lake import Lake, calendar
from aivo_assets.operations.jobs.causes import Cause
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.resources.clock import FixedClock
from aivo_assets.settings import Settings
from aivo_assets.tracing.students.model_store import mastery_in_force, students_in_force
from aivo_assets.tracing.students.state_store import StateStore
from aivo_assets_tests.assets.conftest import FIRST, LAST, SMALL, Platform

pytestmark = pytest.mark.slow

NOTE = "Spoke with Mrs Featherstonehaugh about the move"
BEFORE, DAY = LAST - timedelta(days=7), LAST - timedelta(days=6)  # a Sunday, and the Monday of the next week
KEYS = ["learner", "subject", "skill_id"]


def morning(day: date) -> datetime:
    return datetime.combine(day, time(9), tzinfo=UTC)


@dataclass(frozen=True)
class Taught:
    """A school whose teachers spoke after the recommendations of `BEFORE`, and what then became of them.

    Attributes:
        platform: The school.
        words: learner, subject, skill_id, action, level, kind of each word.
        receipt: Of their landing.
        ticks: What the sensor asks for after the check of `DAY`; then, with its cursor; and where that was lost.
        concerned: Learners whose models held another level or plan than the recommendations before that run.
        models: Student models and mastery in force before and after the run that it asked for, and after another.
        versions: Of the states and of the recommendations, likewise.
        last: The check of the last day.
    """

    platform: Platform
    words: pl.DataFrame
    receipt: Receipt
    ticks: list[list[dg.RunRequest]]
    concerned: pl.Series
    models: list[tuple[pl.DataFrame, pl.DataFrame]]
    versions: list[tuple[str, str]]
    last: dg.ExecuteInProcessResult


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taught]:
    home = tmp_path_factory.mktemp("taught")
    (home / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(home / "dagster")) as instance:
        platform = Platform(Settings.model_validate({**SMALL, "home": home}), instance)
        calendar.extend(platform.lake, FIRST)
        assert platform.run("main_brain_training", FIRST, BEFORE, now=morning(BEFORE)).success
        assert follow(platform, tick(platform, None)[0][0]).success  # the first levels and plans
        words = chosen(platform.lake)
        receipt = say(platform.lake, words)
        assert platform.run("adaptive_check", DAY, DAY, now=morning(DAY)).success
        first, cursor = tick(platform, None)
        ticks = [first, tick(platform, cursor)[0], tick(platform, None)[0]]
        models, versions = [in_force(platform.lake)], [stamps(platform.lake)]
        concerned = outdated(platform.lake, day=DAY)["learner"]
        for _ in range(2):
            assert follow(platform, first[0]).success
            models.append(in_force(platform.lake))
            versions.append(stamps(platform.lake))
        last = platform.run("adaptive_check", DAY + timedelta(days=1), LAST, now=morning(LAST))
        yield Taught(platform, words, receipt, ticks, concerned, models, versions, last)


def chosen(lake: Lake) -> pl.DataFrame:
    """Of half of the learners the first recommendation is pinned two levels away, of the others its kind rejected."""
    made = lake.scan(RECOMMENDATIONS, days=[BEFORE]).filter(pl.col("rank") == 1).sort("learner").collect()
    other = pl.when(pl.col("recommended_level") < 8).then(pl.col("recommended_level") + 2).otherwise(1)
    words = made.with_row_index("n").with_columns(
        action=pl.when(pl.col("n") % 2 == 0).then(pl.lit("pin")).otherwise(pl.lit("reject")), level=other.cast(pl.Int8)
    )
    pins = words.filter(pl.col("action") == "pin").with_columns(kind=pl.lit(None, pl.String))
    rejections = words.filter((pl.col("action") == "reject") & pl.col("kind").is_in(set(KINDS) - {MAINTAIN}))
    words = pl.concat([pins, rejections.with_columns(level=pl.lit(None, pl.Int8))])
    return words.select(*KEYS, "action", "level", "kind").sort("learner")


def say(lake: Lake, words: pl.DataFrame) -> Receipt:
    """Land these words under the names that the school uses."""
    names = lake.scan(RAW_INTERACTIONS).select(pl.col("learner_id").unique()).collect()["learner_id"].sort()
    known = pl.DataFrame(
        {"learner_id": names, "learner": pseudonyms(names, "learner", PseudonymKey(SMALL["pseudonym_key"]))}
    )
    pinned = pl.col("action") == "pin"
    given = words.join(known, on="learner").with_columns(
        teacher_id=pl.lit("t-featherstonehaugh"),
        level=pl.col("level").cast(pl.String),
        until=pl.when(pinned).then(pl.lit(str(LAST))),
        reason=pl.when(~pinned).then(pl.lit("not_now")),
        note=pl.lit(NOTE),
    )
    missing = [pl.lit(None, pl.String).alias(name) for name in COLUMNS if name not in given.columns]
    frame = given.with_columns(missing).with_columns(_location=pl.lit("test"), _row=pl.int_range(pl.len()))
    columns = [*COLUMNS, "_location", "_row"]
    return land_overrides(lake, frame.select(columns), now=morning(BEFORE), run="test", source="test")


def tick(platform: Platform, cursor: str | None) -> tuple[list[dg.RunRequest], str | None]:
    """Let the sensor of the real definitions look."""
    definitions = build_definitions(platform.settings, clock=FixedClock(morning(DAY)))
    context = dg.build_sensor_context(
        instance=platform.instance,
        cursor=cursor,
        repository_def=definitions.get_repository_def(),
        resources={"lake": platform.lake},
    )
    data = definitions.resolve_sensor_def("student_model_update").evaluate_tick(context)
    return list(data.run_requests or []), data.cursor


def follow(platform: Platform, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
    """Run what a sensor asked for, as the daemon would."""
    definitions = build_definitions(platform.settings, clock=FixedClock(morning(DAY)))
    job = definitions.resolve_job_def("student_model_update")
    return job.execute_in_process(instance=platform.instance, partition_key=request.partition_key, tags=request.tags)


def in_force(lake: Lake) -> tuple[pl.DataFrame, pl.DataFrame]:
    return students_in_force(lake, until=DAY).collect(), mastery_in_force(lake, until=DAY).collect()


def stamps(lake: Lake) -> tuple[str, str]:
    store = StateStore(lake)
    sequences = [folded.sequence for shard in range(lake.shards) if (folded := store.folded(shard)) is not None]
    return f"{store.version(lake.shards)} {sequences}", lake.version(RECOMMENDATIONS, days=[DAY])


def told(taught: Taught, action: str) -> pl.DataFrame:
    """The words of a kind beside the recommendations of the next day for the same learners and skills."""
    made = taught.platform.lake.scan(RECOMMENDATIONS, days=[DAY]).collect()
    words = taught.words.filter(pl.col("action") == action).rename({"level": "wanted", "kind": "refused"})
    return made.join(words, on=KEYS)


def test_every_word_is_kept(taught: Taught) -> None:
    assert (taught.receipt.kept, taught.receipt.set_aside) == (taught.words.height, 0)
    assert min(taught.words["action"].value_counts()["count"]) >= 10


def test_a_pin_is_obeyed_by_the_next_recommendations_and_shown_as_evidence(taught: Taught) -> None:
    pinned = told(taught, "pin")
    assert pinned.height == taught.words.filter(pl.col("action") == "pin").height
    assert pinned["override"].unique().to_list() == ["pin"]
    moving = pinned.filter(pl.col("kind") != "break")
    assert moving.height >= 10
    assert moving["recommended_level"].to_list() == moving["wanted"].to_list()
    for evidence in moving["evidence"].to_list():
        assert "override_pinned_level" in {each["signal"] for each in evidence}


def test_a_rejected_kind_is_not_recommended_again_the_next_day(taught: Taught) -> None:
    refused = told(taught, "reject")
    assert refused.height >= 10
    assert refused.filter(pl.col("kind") == pl.col("refused")).is_empty()
    replaced = refused.filter(pl.col("override") == "reject")
    assert replaced.height > 0
    assert replaced["kind"].unique().to_list() == ["maintain"]


def test_the_next_tick_asks_once_for_the_update_of_the_learners_whose_level_or_plan_changed(taught: Taught) -> None:
    (request,), after, (lost,) = taught.ticks
    assert request.partition_key == DAY.isoformat()
    cause = Cause.of(request.tags)
    assert cause is not None
    assert f"of {taught.concerned.len()} learners" in cause.sentence
    assert after == []
    assert lost.run_key == request.run_key  # Dagster starts it once


def test_a_pinned_level_is_the_level_of_the_student_model_after_the_update(taught: Taught) -> None:
    pins = taught.words.filter(pl.col("action") == "pin").select(*KEYS, "level")
    before, after, _ = (mastery.select(*KEYS, "level", "plan") for _, mastery in taught.models)
    held = pins.join(after, on=KEYS, suffix="_held")
    assert held.height == pins.height
    assert held["level_held"].to_list() == held["level"].to_list()
    assert pins.join(before, on=[*KEYS, "level"]).height < pins.height
    said = taught.platform.lake.scan(RECOMMENDATIONS, days=[DAY]).select(*KEYS, "recommended_level", "plan").collect()
    both = said.join(after, on=KEYS, suffix="_held")
    assert both.height == said.height
    assert both.filter(pl.col("recommended_level") != pl.col("level")).is_empty()
    assert both.filter(pl.col("plan") != pl.col("plan_held")).is_empty()


def test_the_update_makes_the_models_of_these_learners_as_of_the_day_and_touches_nothing_else(taught: Taught) -> None:
    theirs = pl.col("learner").is_in(taught.concerned.implode())
    (students, mastery), (new_students, new_mastery), again = taught.models
    assert new_students.filter(theirs)["day"].unique().to_list() == [DAY]
    assert students.filter(theirs & (pl.col("day") < DAY)).height > 0  # without an answer since: only the word is new
    assert new_students.filter(~theirs & (pl.col("day") < DAY)).height > 0
    for before, after in ((students, new_students), (mastery, new_mastery)):
        assert after.filter(~theirs).equals(before.filter(~theirs))
        assert after["learner"].n_unique() == before["learner"].n_unique()
    assert again[0].equals(new_students)
    assert again[1].equals(new_mastery)
    assert len(set(taught.versions)) == 1


def test_the_outcome_of_what_a_teacher_decided_joins_the_evaluation(taught: Taught) -> None:
    assert taught.last.success
    judged = taught.platform.lake.scan(OUTCOMES, days=[LAST]).collect()
    under = judged.filter((pl.col("recommended_on") == DAY) & pl.col("override").is_not_null())
    assert under.height > 0
    words = under.join(taught.words, on=KEYS)
    assert words.height == under.height
    answered = judged.filter(pl.col("recommended_on") == BEFORE).join(taught.words, on=KEYS)
    assert answered.height > 0
    assert answered["answered"].to_list() == answered["action"].to_list()


def test_what_the_teacher_wrote_is_nowhere_past_the_raw_zone(taught: Taught) -> None:
    lake = taught.platform.lake
    found = [file for file in lake.root.glob("**/*.parquet") if "featherstonehaugh" in strings(str(file))]
    assert {str(file.relative_to(lake.root)).split("/")[0] for file in found} == {"raw"}
    past = [str(file.relative_to(lake.root)).split("/")[0] for file in lake.root.glob("**/*.parquet")]
    assert {"anonymised", "recommendations", "signals", "student_models"} <= set(past)


def strings(file: str) -> str:
    return pl.read_parquet(file).select(pl.col(pl.String)).write_csv().lower()
