"""A teacher's word on a real instance: obeyed by the next check, recorded, and followed by an update."""

from datetime import UTC, datetime, time, timedelta

import dagster as dg
import polars as pl
import pytest

from aivo_assets.adaptive.schema import OUTCOMES, RECOMMENDATIONS
from aivo_assets.definitions import build_definitions
from aivo_assets.events.overrides import COLUMNS, land_overrides
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.resources.clock import FixedClock
from aivo_assets_tests.assets.conftest import LAST, SMALL, Platform

pytestmark = pytest.mark.slow

NOTE = "Spoke with Mrs Featherstonehaugh about the move"
DAY = LAST + timedelta(days=2)
NOW = datetime.combine(DAY, time(9), tzinfo=UTC)


def pin_somebody(platform: Platform) -> tuple[str, str]:
    """Pin level 9 for a learner of the newest recommendations; returns his pseudonym and the skill."""
    newest = platform.lake.days(RECOMMENDATIONS)[-1]
    made = platform.lake.scan(RECOMMENDATIONS, days=[newest]).filter(pl.col("current_level") < 8).collect()
    names = platform.lake.scan(RAW_INTERACTIONS).select(pl.col("learner_id").unique()).collect()["learner_id"].sort()
    known = pl.DataFrame({"name": names, "learner": pseudonyms(names, "learner", PseudonymKey(SMALL["pseudonym_key"]))})
    chosen = made.join(known, on="learner").sort("learner", "rank").row(0, named=True)
    said = {
        "learner_id": chosen["name"],
        "teacher_id": "t-featherstonehaugh",
        "subject": chosen["subject"],
        "skill_id": chosen["skill_id"],
        "action": "pin",
        "level": "9",
        "until": str(DAY + timedelta(days=7)),
        "note": NOTE,
    }
    frame = pl.DataFrame([{**dict.fromkeys(COLUMNS), **said}], schema=dict.fromkeys(COLUMNS, pl.String))
    frame = frame.with_columns(_location=pl.lit("test"), _row=pl.lit(1, pl.Int64))
    receipt = land_overrides(platform.lake, frame, subject="general", now=NOW, run="test", source="test")
    assert receipt.kept + receipt.duplicates == 1  # the second test says the same again
    return chosen["learner"], chosen["skill_id"]


def tick(platform: Platform, cursor: str | None) -> tuple[list[dg.RunRequest], str | None]:
    definitions = build_definitions(platform.settings, clock=FixedClock(NOW))
    repository = definitions.get_repository_def()
    context = dg.build_sensor_context(instance=platform.instance, cursor=cursor, repository_def=repository)
    data = definitions.resolve_sensor_def("student_model_update").evaluate_tick(context)
    return list(data.run_requests or []), data.cursor


def test_a_pin_is_obeyed_by_the_next_check_and_the_next_tick_updates_the_student_models(platform: Platform) -> None:
    learner, skill = pin_somebody(platform)
    assert platform.run("adaptive_check", DAY, DAY, now=NOW).success
    told = platform.lake.scan(RECOMMENDATIONS, days=[DAY]).filter(learner=learner, skill_id=skill).collect()
    (found,) = told.to_dicts()
    assert (found["recommended_level"], found["override"]) == (9, "pin")
    assert "override_pinned_level" in {each["signal"] for each in found["evidence"]}
    assert platform.lake.days(OUTCOMES)[-1] == DAY

    (request,), cursor = tick(platform, None)
    assert request.partition_key == DAY.isoformat()
    before = platform.instance.get_latest_materialization_event(dg.AssetKey("student_models"))
    assert platform.run("student_model_update", DAY, DAY, now=NOW).success
    after = platform.instance.get_latest_materialization_event(dg.AssetKey("student_models"))
    assert before is not None
    assert after is not None
    assert after.run_id != before.run_id
    assert tick(platform, cursor)[0] == []
    (again,), _ = tick(platform, None)  # a tick that was lost asks for the same run, which Dagster starts once
    assert again.run_key == request.run_key


def test_what_the_teacher_wrote_is_nowhere_past_the_raw_zone(platform: Platform) -> None:
    pin_somebody(platform)
    assert platform.run("adaptive_check", DAY, DAY, now=NOW).success
    for folder in ("anonymised", "recommendations", "outcomes", "signals"):
        files = list((platform.lake.root / folder).glob("**/*.parquet"))
        assert files
        for file in files:
            text = pl.read_parquet(str(file)).select(pl.col(pl.String)).write_csv().lower()
            assert "featherstonehaugh" not in text
