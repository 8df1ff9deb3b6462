"""The drift benchmark: injections do what they say, harm is measured without a detector, the whole runs end to end."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from aivo_assets.benchmarks.drift.data import DriftData, simulate_drift_school, weeks_later
from aivo_assets.benchmarks.drift.drift import DriftTrialPlan, Service, onset_of
from aivo_assets.benchmarks.drift.harm import Harm
from aivo_assets.benchmarks.drift.injections import INJECTIONS, injected, shifted
from aivo_assets.benchmarks.drift.report import OURS, Case, a_year_text, found_text, share_text
from aivo_assets.benchmarks.drift.rivals import evidently_alarms, plain_rule_alarms
from aivo_assets.benchmarks.drift.service import Checked
from aivo_assets.cli.benchmark import commands as benchmarks
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.errors import SourceError
from aivo_assets.settings import DriftSettings
from aivo_assets_tests.drift.school import School

SETTINGS = DriftSettings()
app = typer.Typer()
benchmarks.add_to(app)


@app.callback()
def _root() -> None:
    """A command of several."""


def verdict_of(day: date) -> pl.DataFrame:
    """A calm verdict of a day."""
    row = dict.fromkeys(DRIFT_VERDICTS.schema) | {"day": day, "verdict": "ok"}
    return pl.DataFrame([row], schema=dict(DRIFT_VERDICTS.schema), orient="row")


@pytest.fixture(scope="module")
def school() -> DriftData:
    return simulate_drift_school(learners=60, days=60, seed=2)


def change(name: str, school: DriftData, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events of ten days before and after an injection, by the rules for files."""
    onset = school.events["day"].unique().sort()[30]
    days = school.events.filter(pl.col("day").is_between(onset, onset + timedelta(days=9)))
    said = np.full(days.height, days["correct"].mean())
    random = np.random.default_rng(seed)
    data = DriftData("file", school.events, school.newcomers, school.new_subject)
    return days, injected(INJECTIONS[name], data, days, said, onset=onset, horizon=10, random=random)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.02, 0.98), st.floats(-2.0, 2.0), st.integers(0, 1000))
def test_a_shift_moves_the_log_odds_by_itself_and_no_answer_against_itself(p: float, by: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    before = (random.random(20_000) < p).astype(np.int8)
    after = shifted(before, np.full(20_000, p), np.full(20_000, by), random)
    expected = 1.0 / (1.0 + np.exp(-(np.log(p / (1 - p)) + by)))
    assert after.mean() == pytest.approx(expected, abs=0.02)
    assert ((after - before) * np.sign(by) >= 0).all()


def test_harder_items_are_answered_worse_and_wrong_labels_come_from_some_learners_only(school: DriftData) -> None:
    before, harder = change("items harder", school)
    assert harder["correct"].mean() < before["correct"].mean() - 0.1  # type: ignore[operator]
    before, flipped = change("wrong labels", school)
    changed = (before["correct"] != flipped["correct"]).alias("changed").to_frame().with_columns(before["learner"])
    share = changed.group_by("learner").agg(pl.col("changed").mean(), pl.len()).filter(pl.col("len") >= 40)["changed"]
    assert set((share > 0.3).to_list()) == {True, False}
    assert share.filter(share <= 0.3).sum() == 0.0


def test_guesses_are_quick_and_slower_answers_keep_their_outcome(school: DriftData) -> None:
    before, guessing = change("guessing wave", school)
    faster = guessing["response_time_ms"] < before["response_time_ms"] * 0.5
    assert 0.05 < faster.mean() < 0.5  # type: ignore[operator]
    assert guessing.filter(faster)["correct"].mean() == pytest.approx(0.25, abs=0.08)
    assert guessing.filter(~faster)["correct"].equals(before.filter(~faster)["correct"])
    before, slower = change("slower answers", school)
    assert slower["correct"].equals(before["correct"])
    assert (slower["response_time_ms"] == before["response_time_ms"] * 2).all()


def test_what_arrives_was_never_seen_before(school: DriftData) -> None:
    before, with_new = change("new learners", school)
    arrived = with_new.join(before, on="event", how="anti")
    assert arrived.height > 0
    assert not set(arrived["learner"]) & set(school.events["learner"])
    before, with_subject = change("new subject", school)
    arrived = with_subject.join(before, on="event", how="anti")
    assert arrived["subject"].n_unique() == 1
    assert arrived["subject"][0] not in school.events["subject"].unique()


def test_an_injection_begins_on_a_school_day(school: DriftData) -> None:
    answers = dict(school.events.group_by("day").len().rows())
    days = sorted(answers)[30:40]
    seen = [Checked(day, verdict_of(day), school.events.head(0)) for day in days]
    service = Service(None, None, tuple(seen), DRIFT_VERDICTS.empty())  # type: ignore[arg-type]
    half = float(np.median(list(answers.values()))) / 2.0
    assert any(answers[day] < half for day in days), "a weekend is among them"
    onsets = {
        onset_of([service], school, np.random.default_rng(seed), DriftTrialPlan(horizon=7, evidently=False))[1]
        for seed in range(60)
    }
    assert onsets == {day for day in days if answers[day] >= half}


def test_newcomers_are_moved_by_whole_weeks_into_the_first_week() -> None:
    first = date(2024, 9, 3)
    days = [first, first + timedelta(days=3), first + timedelta(days=40)]
    events = pl.DataFrame({"learner": ["a"] * 3, "day": days, "occurred_at": days})
    moved = weeks_later(events, date(2024, 11, 1), 28)
    assert moved["day"].to_list() == [date(2024, 11, 5), date(2024, 11, 8)]
    assert [day.weekday() for day in moved["day"]] == [first.weekday(), days[1].weekday()]


def test_a_simulated_school_lives_the_change_and_is_the_same_before_it(school: DriftData) -> None:
    onset = school.events["day"].unique().sort()[40]
    untouched = school.events.filter(pl.col("day").is_between(onset, onset + timedelta(days=4)))
    arguments = {"onset": onset, "horizon": 5, "random": np.random.default_rng(0)}
    said = np.full(untouched.height, 0.5)
    harder = injected(INJECTIONS["items harder"], school, untouched, said, **arguments)
    assert harder["correct"].mean() < untouched["correct"].mean() - 0.05  # type: ignore[operator]
    assert harder["day"].min() == onset
    slower = injected(INJECTIONS["slower answers"], school, untouched, said, **arguments)
    assert slower["response_time_ms"].median() > 1.5 * untouched["response_time_ms"].median()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("rise", "won", "kind"),
    [
        (0.05, 0.03, "harmful"),
        (-0.01, 0.03, "slight"),
        (0.05, 0.01, "slight"),
        (0.05, 0.0, "lost"),
        (0.01, 0.0, "harmless"),
    ],
)
def test_harm_is_what_a_retrained_model_would_win_back_of_a_tenth_of_a_nat(rise: float, won: float, kind: str) -> None:
    assert Harm(loss_rise=rise, recoverable=won, worth=0.1).kind(SETTINGS) == kind


def test_the_plain_rule_speaks_at_fifteen_percent_and_evidently_when_half_of_the_columns_moved() -> None:
    reference = School(learners=120, events=40).week(1)
    same, worse = School(learners=120, events=40).week(2), School(learners=120, events=40, flipped=0.3).week(2)
    moved = same.with_columns(
        pl.col("ability", "item_difficulty", "log_gap", "skill_opportunities", "response_time_ms") * 3 + 5
    )
    assert [plain_rule_alarms(week, reference, SETTINGS) for week in (same, worse, moved)] == [False, True, False]
    assert [evidently_alarms(week, reference, SETTINGS) for week in (same, moved)] == [False, True]
    assert not plain_rule_alarms(worse.head(400), reference, SETTINGS)


def case(day: int | None) -> Case:
    return Case(
        injection="x", seed=0, onset="2024-01-01", loss_rise=0.3, recoverable=0.2, harm="harmful",
        found={OURS: day}, reported=day is not None, by="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("days", "text"),
    [
        ([1, 2, 9], "3/3 (29-100 %), 2 d"),
        ([1, None], "1/2 (1-99 %), never"),
        ([1, 2, None], "2/3 (9-99 %), 2 d"),
        ([None], "0/1 (0-98 %), never"),
    ],
)
def test_a_case_not_found_counts_as_later_than_all_in_the_median(days: Sequence[int | None], text: str) -> None:
    assert found_text([case(day) for day in days], OURS) == text


def test_intervals_are_exact_ones_from_the_tables() -> None:
    # Garwood, Poisson: 0 has up to 3.689, 2 have 0.242 to 7.225. Clopper and Pearson, 9 of 10: 0.555 to 0.997.
    assert a_year_text(0, 365) == "0.0 (0.0 to 3.7)"
    assert a_year_text(2, 365) == "2.0 (0.2 to 7.2)"
    assert a_year_text(2, 730) == "1.0 (0.1 to 3.6)"
    assert share_text(9, 10) == "9/10 (55-100 %)"
    assert share_text(0, 4) == "0/4 (0-60 %)"


@pytest.mark.slow
def test_the_command_finds_harder_items_and_lets_slower_answers_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIVO_TRAINING_MAX_ITERATIONS", "60")
    out = tmp_path / "drift.json"
    asked = ["benchmark", "drift", "--simulator", "--learners", "150", "--days", "70", "--seeds", "1", "--horizon", "7"]
    asked += ["--inject", "items harder", "--inject", "slower answers", "--no-evidently", "--json", str(out)]
    told = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert told.exit_code == 0
    found = json.loads(out.read_text())
    (school,) = found["schools"]
    harder, slower = school["cases"]
    assert harder["loss_rise"] > 0.15
    assert harder["harm"] == "harmful"
    assert set(harder["found"]) == {OURS, "accuracy -15 %"}
    assert harder["found"][OURS] is not None
    assert harder["by"]
    assert slower["harm"] == "harmless"
    assert slower["found"][OURS] is None
    assert school["quiet"]["checks"] > 20
    assert "items harder" in told.output
    # What was finished is not run again; a school that was stopped in its midst is, and gives the same figures.
    again = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert "untouched, seed" not in again.output
    assert json.loads(out.read_text())["schools"] == [school]
    out.write_text(json.dumps(found | {"schools": [school | {"cases": [harder], "finished": False}]}))
    CliRunner().invoke(app, asked, catch_exceptions=False)
    assert json.loads(out.read_text())["schools"] == [school]


def test_a_command_without_data_or_with_an_unknown_injection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a file or on the simulator"):
        CliRunner().invoke(app, ["benchmark", "drift"], catch_exceptions=False)
    with pytest.raises(SourceError, match="no injection earthquake"):
        CliRunner().invoke(app, ["benchmark", "drift", "--simulator", "--inject", "earthquake"], catch_exceptions=False)
    few = tmp_path / "few.csv"
    few.write_text("user_id,item_id,correct,ts\n1,2,1,2024-01-01T10:00:00\n")
    with pytest.raises(SourceError, match="answers on 1 days"):
        CliRunner().invoke(app, ["benchmark", "drift", str(few)], catch_exceptions=False)
