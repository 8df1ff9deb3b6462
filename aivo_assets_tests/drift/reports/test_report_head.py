"""The top of a report: whole models and what is not in order in sentences, whatever the number of cohorts."""

import polars as pl

from aivo_assets.drift.reports.report_head import head, sentences
from aivo_assets_tests.drift.stored_verdicts import verdicts

MOVED = pl.DataFrame({"name": ["ability"], "value": [0.31]})


def test_whole_models_are_told_and_cohorts_that_hold_are_counted() -> None:
    calm = [(f"main_brain/grade={grade}", "ok", 0.0) for grade in range(12)]
    assert sentences(verdicts(("student_models", "ok", 0.0), ("main_brain", "ok", 0.02), *calm)) == [
        "main_brain: ok. Reason of main_brain.",
        "student_models: ok. Reason of student_models.",
        "Of 12 cohorts judged by themselves, 12 hold.",
    ]


def test_the_cohort_that_asks_comes_before_those_that_lost_more_and_only_watch() -> None:
    told = sentences(
        verdicts(
            ("main_brain", "ok", 0.1),
            ("main_brain/subject=a", "watch", 0.5),
            ("main_brain/subject=b", "retrain", 0.2),
            ("main_brain/subject=c", "ok", 0.0),
        )
    )
    assert [sentence.split(":")[0] for sentence in told[:3]] == [
        "main_brain",
        "main_brain/subject=b",
        "main_brain/subject=a",
    ]
    assert told[3] == "Of 3 cohorts judged by themselves, 1 holds."


def test_many_cohorts_on_watch_are_told_by_name_and_score_alone() -> None:
    watching = [(f"main_brain/grade={grade:02}", "watch", 0.9 - grade / 100) for grade in range(30)]
    told = sentences(verdicts(("main_brain", "alert", 0.6), *watching))
    assert len(told) == 6
    assert told[4] == "main_brain/grade=03: watch. Reason of main_brain/grade=03."
    assert told[5].startswith(
        "Also on watch, with their scores: main_brain/grade=04 (0.86), main_brain/grade=05 (0.85)"
    )


def test_names_of_cohorts_cannot_break_out_of_the_page() -> None:
    page = head(verdicts(("main_brain", "ok", 0.0), ("main_brain/subject=<b>", "watch", 0.3)), MOVED, [], [])
    assert "<b>" not in page
    assert page.count("main_brain/subject=&lt;b&gt;") == 3  # twice in its sentence, once in the table


def test_the_table_has_a_row_a_model_and_a_dash_where_nothing_is_known() -> None:
    page = head(
        verdicts(("main_brain", "ok", 0.1234), ("student_models", "too_few_events", None), events=1500), MOVED, [], []
    )
    assert page.count("<tr>") == 3
    assert '<td class="number">0.1234</td>' in page
    assert '<td class="number">1,500</td>' in page
    assert "<td>–</td>" in page
    assert "ability (0.31)" in page


def test_cohorts_that_hold_are_folded_away_under_their_number() -> None:
    page = head(
        verdicts(("main_brain", "ok", 0.0), ("main_brain/grade=5", "ok", 0.0), ("main_brain/grade=6", "watch", 0.3)),
        MOVED,
        [],
        [],
    )
    seen, folded = page.split("<details>")
    assert "Cohorts that hold (1)" in folded
    assert "<td>main_brain/grade=5</td>" in folded
    assert "<td>main_brain/grade=6</td>" in seen
    assert "<td>main_brain</td>" in seen
