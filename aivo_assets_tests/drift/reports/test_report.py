"""The report renders for real, says on top what was decided, and holds no learner."""

import os
import re
import time
from functools import cache

import polars as pl
import pytest

from aivo_assets.drift.reports.report import DriftReport, render_report
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.drift.verdicts.verdict import judge
from aivo_assets.errors import ModelError
from aivo_assets.settings import DriftSettings
from aivo_assets_tests.drift.school import DAY, School
from aivo_assets_tests.drift.scored import score_main_brain, score_student_models

SETTINGS = DriftSettings()
REFERENCE = School(learners=300, events=60).week(1).with_columns(response_time_ms=pl.lit(None, dtype=pl.Float32))
WINDOW = School(learners=200, flipped=0.12, difficulty=0.6).week(2)


@cache
def verdicts() -> pl.DataFrame:
    scores = [
        score(WINDOW, REFERENCE, day=DAY, settings=SETTINGS) for score in (score_main_brain, score_student_models)
    ]
    return judge(pl.concat(scores), DRIFT_VERDICTS.empty(), SETTINGS)


@pytest.fixture(scope="module")
def report() -> DriftReport:
    return render_report(WINDOW, REFERENCE, verdicts(), SETTINGS)


def test_the_summary_is_on_top_of_a_page_that_needs_nothing_else(report: DriftReport) -> None:
    page = report.html.decode()
    reason = verdicts().row(by_predicate=pl.col("model_id") == "main_brain", named=True)["reason"]
    assert f"main_brain: alert. {reason}" in report.summary
    assert page.index("<body>") < page.index(f"main_brain: alert. {reason}") < page.index('<div id="root_metric')
    assert "data:image/png;base64," in page
    assert not re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=[\"']https?:", page)


def test_the_findings_a_column_are_plain_numbers(report: DriftReport) -> None:
    found = {row["column"]: row for row in report.columns.rows(named=True)}
    assert found["item_difficulty"]["drifted"]
    assert found["item_difficulty"]["value"] > 0.2
    assert not found["log_gap"]["drifted"]
    assert {row["method"] for row in found.values()} == {"jensenshannon"}
    assert {row["threshold"] for row in found.values()} == {0.1}
    assert report.columns.schema["value"] == pl.Float64


def test_a_column_without_values_is_left_out_and_named(report: DriftReport) -> None:
    assert report.left_out == ("response_time_ms",)
    assert "response_time_ms" not in report.columns["column"].to_list()
    assert b"Left out, as the window or the reference has no value of them: response_time_ms." in report.html


def test_no_learner_is_in_it(report: DriftReport) -> None:
    page = report.html.decode()
    assert not [learner for learner in WINDOW["learner"].unique().to_list() if learner in page]
    assert "learner_id" not in page


def test_it_takes_seconds_and_the_same_sample_whatever_the_order_of_rows(report: DriftReport) -> None:
    began = time.process_time()
    again = render_report(WINDOW.sample(fraction=1.0, shuffle=True, seed=4), REFERENCE, verdicts(), SETTINGS)
    assert time.process_time() - began < 6.0
    assert again.columns.equals(report.columns)


def test_telemetry_is_off(report: DriftReport) -> None:
    assert os.environ["DO_NOT_TRACK"]


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(ModelError, match="window 0, reference 18000"):
        render_report(WINDOW.clear(), REFERENCE, verdicts(), SETTINGS)
