"""When people are told: each rule at its edges."""

from datetime import UTC, date, datetime, timedelta

import pytest

from aivo_assets.operations.alerts.rules import (
    Intake,
    backlog,
    drift_alert,
    failed_run_alert,
    no_data,
    refused_twice,
    stale_champion,
    too_much_set_aside,
)
from aivo_assets.operations.jobs.causes import CAUSE_TAG
from aivo_assets.tracing.judging.bootstrap import Interval
from aivo_assets.tracing.judging.promotion import Finding, Identity, Verdict

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)


def refusal(fingerprint: str, *, lower: float = -0.001, slice_passed: bool = True) -> Verdict:
    return Verdict(
        promote=False,
        reason=f"Refused: {fingerprint}.",
        decided_at=NOW - timedelta(days=1),
        challenger=Identity(fingerprint=fingerprint, as_of=date(2026, 3, 9)),
        champion=Identity(fingerprint="champion", as_of=date(2026, 3, 1)),
        since=NOW - timedelta(days=8),
        events=5000,
        difference=Interval(mean=0.0, lower=lower, upper=0.002, confidence=0.95, samples=1000, learners=300),
        challenger_scores=None,
        reference_scores=None,
        findings=(Finding(check="slice", about="grade = 5", passed=slice_passed, sentence="of grade 5"),),
    )


def test_one_refusal_is_no_alert_and_two_are() -> None:
    assert refused_twice([], NOW) is None
    assert refused_twice([refusal("a")], NOW) is None
    told = refused_twice([refusal("b"), refusal("a")], NOW)
    assert told is not None
    assert told.title == "2 challengers in a row were refused"
    assert "Refused: b." in told.body
    assert told.severity == "warning"


def test_a_row_of_challengers_that_are_no_better_is_told_once_and_one_that_is_worse_again() -> None:
    two, three = [refusal("b"), refusal("a")], [refusal("c"), refusal("b"), refusal("a")]
    worse = [refusal("c", lower=0.001), refusal("b"), refusal("a")]
    told = [refused_twice(refused, NOW) for refused in (two, three, worse, [refusal("z"), refusal("y")])]
    occurrences = [alert.occurrence for alert in told if alert is not None]
    assert len(occurrences) == 4
    assert occurrences[0] == occurrences[1]
    assert len(set(occurrences)) == 3


@pytest.mark.parametrize("verdict", [refusal("b", lower=0.001), refusal("b", slice_passed=False)])
def test_a_challenger_that_is_surely_worse_is_graver_than_one_that_is_no_better(verdict: Verdict) -> None:
    told = refused_twice([verdict, refusal("a")], NOW)
    assert told is not None
    assert told.severity == "error"


@pytest.mark.parametrize(
    ("rows", "set_aside", "alerts"),
    [(1000, 50, False), (1000, 51, True), (99, 99, False), (100, 6, True), (0, 0, False)],
)
def test_a_share_of_five_per_cent_set_aside_is_the_limit(rows: int, set_aside: int, alerts: bool) -> None:
    assert (too_much_set_aside(Intake(rows, set_aside), 0.05, 100, NOW) is not None) == alerts


@pytest.mark.parametrize(("hours", "alerts"), [(72, False), (72.1, True), (500, True), (None, False)])
def test_silence_is_told_after_three_days_and_a_platform_not_in_use_is_not_silent(
    hours: float | None, alerts: bool
) -> None:
    last = None if hours is None else NOW - timedelta(hours=hours)
    assert (no_data(last, NOW, 72) is not None) == alerts


@pytest.mark.parametrize(("age", "alerts"), [(45, False), (46, True)])
def test_a_champion_is_stale_after_its_days(age: int, alerts: bool) -> None:
    assert (stale_champion(3, NOW.date() - timedelta(days=age), NOW, 45) is not None) == alerts


def test_a_run_that_waits_for_too_long_is_a_backlog() -> None:
    short, long = NOW - timedelta(minutes=119), NOW - timedelta(minutes=200)
    assert backlog([], NOW, 120) is None
    assert backlog([short, short], NOW, 120) is None
    told = backlog([short, long], NOW, 120)
    assert told is not None
    assert "1 of 2 queued runs" in told.body
    assert "one for 200" in told.body


def test_a_failed_training_is_graver_than_another_failed_run_and_says_who_started_it() -> None:
    tags = {CAUSE_TAG: "schedule aivo_main_brain_daily"}
    training = failed_run_alert("run-1", "main_brain_training", tags, ["main_brain_candidate"], NOW)
    check = failed_run_alert("run-2", "drift_monitoring", {}, [], NOW)
    assert (training.severity, check.severity) == ("critical", "error")
    assert "schedule aivo_main_brain_daily" in training.body
    assert "no step" in check.body
    again = failed_run_alert("run-3", "main_brain_training", tags, ["main_brain_candidate"], NOW)
    assert again.key == training.key
    assert again.occurrence != training.occurrence


def test_where_the_training_went_well_and_another_step_failed_no_training_failed() -> None:
    other = failed_run_alert("run-7", "weekly_full_retraining", {}, ["drift_report", "privacy_audit"], NOW)
    both = failed_run_alert("run-8", "weekly_full_retraining", {}, ["privacy_audit", "main_brain_evaluation"], NOW)
    assert (other.title, other.severity) == ("Run of weekly_full_retraining failed", "error")
    assert (both.title, both.severity) == ("Training of weekly_full_retraining failed", "critical")


def test_an_extreme_drift_is_one_matter_a_model() -> None:
    row = {"model_id": "main_brain", "model_version": "3", "day": NOW.date(), "score": 0.3, "reason": "It fell."}
    told = drift_alert(row, NOW)
    assert (told.severity, told.key, told.body) == ("critical", "drift:main_brain", "It fell.")
    assert drift_alert({**row, "model_id": "student_models"}, NOW).key != told.key
