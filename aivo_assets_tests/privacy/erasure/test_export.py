"""What is told to a learner is all that is held of them, with its purpose, and nothing of anybody else."""

import json
from datetime import date
from pathlib import Path

import polars as pl

from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.privacy.erasure.export import gather
from aivo_assets.privacy.erasure.wanted import collect
from aivo_assets.privacy.keys import load_key
from aivo_assets_tests.privacy.erasure.test_forgetting import GONE, MAIL, NAME, NOW, SCHOOL, made


def test_everything_of_one_learner_and_nothing_of_others_is_told(tmp_path: Path) -> None:
    settings, lake = made(tmp_path, SCHOOL)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "run.log").write_text(f"mail to {MAIL}\n")
    wanted = collect(lake, [GONE], load_key(settings, create=False))
    export = gather(lake, (), GONE, wanted, home=tmp_path, now=NOW, remembered=["The main brain, version 4."])
    told = json.loads(export.to_json())
    held = {each["dataset"]: each for each in told["held"]}
    assert set(held) == {"raw/interactions", "raw/learners", "anonymised/interactions", "anonymised/learners"}
    answers = lake.scan(RAW_INTERACTIONS).filter(pl.col("learner_id") == GONE).collect()
    assert [row["event_id"] for row in held["raw/interactions"]["rows"]] == answers["event_id"].to_list()
    assert held["raw/interactions"]["first_day"] == str(date(2026, 5, 4))
    assert held["raw/learners"]["rows"][0]["name"] == NAME
    assert all(each["kept_for"] and each["comes_from"] for each in told["held"])
    assert told["mentioned_in"] == ["home: logs/run.log"]
    assert not [other for other in SCHOOL if other != GONE and other in export.to_json()]
    page = export.to_document().to_html()
    assert NAME in page
    assert "the record that all else is made from" in page
