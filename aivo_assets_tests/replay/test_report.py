"""What a person reads of a replay: the numbers, one file that needs nothing beside it, and two replays side by side."""

import re
from pathlib import Path

import pytest

from aivo_assets.documents import Paragraph
from aivo_assets.errors import LakeError
from aivo_assets.replay.comparison import write_comparison
from aivo_assets.replay.figures import causes, cost_by_day, cost_by_job, cost_by_step, differing, failures, key_figures
from aivo_assets.replay.record import COSTS, RECORD, Alerted, Record, read, write
from aivo_assets.replay.report import MOST_ROWS, table, write_report
from aivo_assets_tests.replay.records import AT, DAY, costs, record, run, score


def test_the_key_figures_are_those_of_the_record() -> None:
    figures = key_figures(record(), costs())
    assert figures["challengers trained"] == "2"
    assert figures["promoted"] == "1"
    assert figures["refused"] == "1"
    assert figures["log loss of the champion on answers to come"] == "0.5750"  # (100 × 0.5 + 300 × 0.6) / 400
    assert figures["drift verdicts, of these to retrain"] == "2, 1"
    assert figures["runs, of these failed"] == "3, 1"
    assert figures["runs left out, for they could change nothing"] == "30"
    assert figures["minutes by the wall"] == "1.5"
    assert figures["days on which the champion was better than that"] == "2 of 2"
    assert figures["seconds of processor time of a day's runs: median, most"] == "11.0, 11.0"


def test_the_auc_of_a_day_counts_as_often_as_the_day_has_answers() -> None:
    days = ((100, 0.6), (300, 0.8), (7, None))
    scores = tuple(score(DAY, events, 0.5).model_copy(update={"auc": auc}) for events, auc in days)
    figures = key_figures(record(scores=scores), costs())
    assert figures["AUC of the champion within a day, mean over answers"] == "0.7500"  # (100 × 0.6 + 300 × 0.8) / 400


def test_failures_that_differ_only_in_numbers_are_one() -> None:
    said = ("there are 22 events, 2,000 are needed", "there are 808 events, 2,000 are needed", "the disk is full")
    runs = tuple(run(AT, "late_events", "late_events", failure=failure) for failure in said)
    assert [len(alike) for alike in failures(record(runs=runs)).values()] == [2, 1]
    other = (*runs[:1], run(AT, "drift_monitoring", "drift_monitor_6h", failure=said[0]))
    assert [len(alike) for alike in failures(record(runs=other)).values()] == [1, 1]


def test_trainings_are_counted_by_who_asked_for_them() -> None:
    assert causes(record()) == {
        ("aivo_main_brain_daily", "main_brain_training"): (1, 1),
        ("drift_retraining", "emergency_retrain"): (1, 0),
    }


def test_cost_is_summed_by_job_and_by_step_the_dearest_first() -> None:
    jobs = cost_by_job(costs())
    assert list(jobs) == ["main_brain_training", "adaptive_check"]
    assert (jobs["adaptive_check"].runs, jobs["adaptive_check"].wall, jobs["adaptive_check"].cpu) == (2, 4.0, 2.0)
    assert cost_by_step(costs())["ingest"] == (2, 1.0)
    assert next(iter(cost_by_step(costs()))) == "main_brain_candidate"
    assert cost_by_day(costs()) == {AT.date(): {"adaptive_check": 2.0, "main_brain_training": 9.0}}


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path, record(), costs())
    assert read(tmp_path) == (record(), costs())
    assert {path.name for path in tmp_path.iterdir()} == {RECORD, COSTS}


def test_a_folder_without_a_replay_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=str(tmp_path)):
        read(tmp_path)


def test_the_report_says_what_was_decided_and_needs_nothing_beside_it(tmp_path: Path) -> None:
    page = write_report(tmp_path, record(), costs()).read_text()
    for said in ("It fell.", "drift retraining", "ingest: the disk is full", "main_brain drifted", "level up"):
        assert said in page
    assert "Score 0.31: &lt;it&gt; fell." in page  # text is text, whatever a reason holds
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert page.count('src="data:image/png') == 6


def test_a_replay_in_which_nothing_was_decided_still_has_its_report(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("runs", "trainings", "moves", "drift", "needs", "recommendations", "scores", "alerts"), ())
    page = write_report(tmp_path, record(**nothing), costs()).read_text()
    for said in ("No challenger was trained.", "No run failed.", "No model was checked"):
        assert said in page


def test_a_replay_that_was_stopped_says_so(tmp_path: Path) -> None:
    assert "stopped before its end" in write_report(tmp_path, record(ended="stopped"), costs()).read_text()
    assert "stopped before its end" not in write_report(tmp_path, record(), costs()).read_text()


def test_no_whole_pseudonym_stands_in_a_report_that_may_be_handed_on(tmp_path: Path) -> None:
    told = Alerted(at=AT, severity="warning", title="1 learner newly struggles", body=f"- learner {'4f' * 16}, algebra")
    page = write_report(tmp_path, record(alerts=(told,)), costs()).read_text()
    assert "4f4f4f…, algebra" in page
    assert "4f4f4f4f" not in page


def test_settings_other_than_the_defaults_are_shown(tmp_path: Path) -> None:
    changed = {**record().settings, "drift.retrain_score": "0.2"}
    page = write_report(tmp_path, record(settings=changed), costs()).read_text()
    assert "drift.retrain_score</th><td>0.2</td><td>0.15</td>" in page


def test_a_long_table_says_what_it_leaves_out() -> None:
    blocks = table(("number",), [(str(number),) for number in range(MOST_ROWS + 3)], nothing="")
    assert blocks[-1] == Paragraph("3 more are in replay.json.")


def test_two_replays_stand_side_by_side(tmp_path: Path) -> None:
    bold = record(settings={**record().settings, "drift.retrain_score": "0.05"}, trainings=record().trainings[:1])
    written = write_comparison(tmp_path, ("careful", record(), costs()), ("bold", bold, costs()))
    page = written.read_text()
    assert "drift.retrain_score</th><td>0.15</td><td>0.05</td>" in page
    assert "challengers trained</th><td>2</td><td>1</td>" in page
    assert "did not replay the same events" not in page
    assert page.count('src="data:image/png') == 12


def test_replays_of_other_events_are_not_compared_in_silence(tmp_path: Path) -> None:
    other: Record = record(seed=5, events=4000)
    page = write_comparison(tmp_path, ("one", record(), costs()), ("other", other, costs())).read_text()
    assert "did not replay the same events" in page


def test_differing_settings_are_named_with_both_values() -> None:
    assert differing({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == [("b", "2", "3"), ("c", "absent", "4")]
