"""The skill graph: what is wrong with it is named, and remediation goes to the weakest thing that a skill builds on."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.adaptive.advice.recommendations import Known, recommend
from aivo_assets.adaptive.advice.wording import load_wording
from aivo_assets.adaptive.policy.prerequisites import SkillGraph, read_prerequisites, skill_graph
from aivo_assets.errors import SettingsError
from aivo_assets_tests.adaptive.advice.consistency import consistent
from aivo_assets_tests.adaptive.learners import SETTINGS, ladder, signals
from aivo_assets_tests.adaptive.policy.cases import BASICS
from aivo_assets_tests.adaptive.policy.practised_skills import practised

SKILLS = pl.Series(["a", "b", "c", "d"])


def edges(*pairs: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema={"skill": pl.String, "prerequisite": pl.String}, orient="row")


def test_prerequisites_of_prerequisites_are_known_with_their_distance() -> None:
    graph = skill_graph(edges(("a", "b"), ("b", "c"), ("a", "d"), ("d", "c")), SKILLS)
    assert graph.problems == ()
    assert graph.closure.rows() == [
        ("a", "b", 1),
        ("a", "c", 2),
        ("a", "d", 1),
        ("b", "c", 1),
        ("d", "c", 1),
    ]


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        ([("a", "b"), ("b", "c"), ("c", "a")], "edge 3, c ← a: closes the cycle"),
        ([("a", "a")], "edge 1, a ← a: closes the cycle"),
        ([("a", "z")], "edge 1, a ← z: no item practises 'z'"),
        ([("y", "z")], "no item practises 'y', 'z'"),
    ],
)
def test_what_is_wrong_is_left_out_and_named(pairs: list[tuple[str, str]], problem: str) -> None:
    graph = skill_graph(edges(*pairs), SKILLS)
    assert len(graph.problems) == 1
    assert problem in graph.problems[0]
    assert ("c", "a", 1) not in graph.closure.rows()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), max_size=12))
def test_whatever_is_given_nothing_builds_on_itself(pairs: list[tuple[str, str]]) -> None:
    graph = skill_graph(edges(*pairs), SKILLS)
    assert graph.closure.filter(pl.col("skill_id") == pl.col("prerequisite")).is_empty()
    kept = graph.closure.filter(pl.col("depth") == 1).height
    assert kept + len(graph.problems) == len(set(pairs))


@pytest.mark.parametrize("name", ["graph.csv", "graph.parquet"])
def test_it_is_read_from_either_kind_of_file(tmp_path: Path, name: str) -> None:
    table = pl.DataFrame({"skill": [7, 8], "prerequisite": [1, 7], "comment": ["x", "y"]})
    file = tmp_path / name
    if name.endswith("csv"):
        table.write_csv(file)
    else:
        table.write_parquet(file)
    assert read_prerequisites(file).rows() == [("7", "1"), ("8", "7")]


def test_a_file_that_is_none_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"There is no skill graph .*graph\.csv"):
        read_prerequisites(tmp_path / "graph.csv")
    (tmp_path / "graph.csv").write_text("skill,needs\na,b\n")
    with pytest.raises(SettingsError, match="no column prerequisite"):
        read_prerequisites(tmp_path / "graph.csv")


GRAPH = skill_graph(
    edges(("fractions", "division"), ("division", "counting"), ("fractions", "ratios")),
    pl.Series(["fractions", "division", "counting", "ratios"]),
)
BANK = ladder("fractions", "division", "counting", "ratios", per_level=3)


def remediation(*known: pl.DataFrame, graph: SkillGraph = GRAPH, **more: Any) -> dict[str, Any]:
    rows = pl.concat([signals(**consistent(BASICS), **more)])
    found = recommend(
        rows,
        BANK,
        settings=SETTINGS,
        wording=load_wording(SETTINGS),
        made_by="test",
        known=Known(graph=graph, mastery=pl.concat(known) if known else None),
    )
    return found.row(0, named=True)


def test_remediation_goes_to_the_weakest_prerequisite_at_the_level_that_fits_there() -> None:
    found = remediation(practised("division", 0.6), practised("counting", 0.3), practised("ratios", 0.5))
    assert found["kind"] == "remediation"
    assert (found["content_skill"], found["prerequisite_mastery"]) == ("counting", 0.3)
    assert found["content_level"] == 3  # 0.8 there is nearest to the zone's middle
    assert all(item.startswith("counting-") for item in found["content"])
    assert "“counting” is weakest (mastered to 30%)" in found["reasoning"]
    assert {"signal": "prerequisite_mastery", "value": 0.3, "threshold": 0.7, "direction": "<"} in found["evidence"]
    assert any("They practise “counting”, at level 3" in action for action in found["suggested_actions"])


def test_what_is_mastered_is_no_weak_spot_and_what_was_never_seen_may_be() -> None:
    found = remediation(practised("division", 0.9), practised("counting", 0.95))
    assert (found["content_skill"], found["prerequisite_mastery"]) == ("ratios", None)
    assert "builds on “ratios”, which has not been practised" in found["reasoning"]


def test_with_all_of_it_mastered_or_no_graph_it_is_the_skill_itself() -> None:
    all_mastered = [practised(name, 0.9) for name in ("division", "counting", "ratios")]
    for found in (remediation(*all_mastered), remediation(practised("counting", 0.3), graph=SkillGraph.none())):
        assert (found["content_skill"], found["content_level"]) == ("fractions", 3)
        assert "builds on “" not in found["reasoning"]


def test_other_kinds_stay_with_their_skill() -> None:
    rows = signals()
    known = Known(graph=GRAPH, mastery=practised("counting", 0.3))
    found = recommend(rows, BANK, settings=SETTINGS, wording=load_wording(SETTINGS), made_by="test", known=known)
    assert found["content_skill"].to_list() == ["fractions"]


def test_items_of_the_prerequisite_that_were_just_done_are_not_offered() -> None:
    done = ["counting-7", "counting-8"]
    rows = pl.concat([signals(**consistent(BASICS)), signals(skill_id="counting", recent_items=done, latest=False)])
    known = Known(graph=GRAPH, mastery=practised("counting", 0.3))
    found = recommend(rows, BANK, settings=SETTINGS, wording=load_wording(SETTINGS), made_by="test", known=known)
    offered = found.filter(kind="remediation")["content"].item().to_list()
    assert offered == ["counting-9"]
