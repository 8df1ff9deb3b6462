"""`aivo benchmark policy`: its definitions on cases by hand, and a tiny run of the real thing."""

import json
import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from aivo_assets.adaptive.policy.policy import success_zone_policy
from aivo_assets.benchmarks.policy.content import FIRST_DAY, Content, enrolled, events_of, learner_names, prepare
from aivo_assets.benchmarks.policy.given import GivenContent
from aivo_assets.benchmarks.policy.measures import _flaps, at_same_false_alarms, noticed
from aivo_assets.benchmarks.policy.platform import Platform
from aivo_assets.benchmarks.policy.policy import SAME_ALARMS, PolicyTrialPlan, measure_policies, vary
from aivo_assets.benchmarks.policy.report import BETTER, WAY, Interval, PolicyReport, PolicyRun
from aivo_assets.benchmarks.policy.stability import stability
from aivo_assets.benchmarks.policy.trial import Trial, _success, run_trial
from aivo_assets.cli.benchmark import commands as benchmarks
from aivo_assets.cli.benchmark import policy as benchmark_policy
from aivo_assets.errors import SettingsError
from aivo_assets.settings import Settings
from aivo_assets.simulation import PARAMETERS, Simulation, World, build_world
from aivo_assets.simulation.policies.assigned import AssignedLevels
from aivo_assets.simulation.policies.policy import ItemRequest

SMALL = PolicyTrialPlan(
    seeds=2, first_seed=11, learners=20, weeks=2, contents=1, content_learners=100, content_days=12, items_per_skill=12
)


def moves(*steps: tuple[int, int, int]) -> pl.DataFrame:
    """(day, old, new) of one learner in one skill."""
    return pl.DataFrame([(0, 3, *step) for step in steps], schema=["row", "skill", "day", "old", "new"], orient="row")


@pytest.mark.parametrize(
    ("steps", "flaps"),
    [
        ([(1, 5, 6), (4, 6, 7)], 0),
        ([(1, 5, 6), (4, 6, 5)], 1),
        ([(1, 5, 6), (15, 6, 5)], 1),
        ([(1, 5, 6), (16, 6, 5)], 0),
        ([(1, 5, 6), (4, 6, 4), (6, 4, 5)], 2),
    ],
)
def test_a_flap_is_a_move_back_within_two_weeks(steps: list[tuple[int, int, int]], flaps: int) -> None:
    assert _flaps(moves(*steps)) == flaps


def watched(*pairs: tuple[list[float], list[bool], list[float]]) -> pl.DataFrame:
    """Pairs watched on days 0, 1 …, then one evening long after: true success, alarms, doubt by day."""
    parts = [
        pl.DataFrame({"day": range(len(true)), "p_true": true, "alarm": alarm, "doubt": doubt}).with_columns(
            learner=pl.lit(place)
        )
        for place, (true, alarm, doubt) in enumerate(pairs)
    ]
    late = parts[0].head(1).with_columns(day=pl.lit(60), alarm=pl.lit(value=False), doubt=pl.lit(-9.0))
    everything = pl.concat([*parts, late.cast(dict(parts[0].schema))])  # type: ignore[arg-type]
    return everything.with_columns(watcher=pl.lit("ours"), seed=pl.lit(1), skill=pl.lit(0))


HARD = ([0.5, 0.5, 0.5], [False, False, True], [-1.0, 0.5, 1.0])
WELL = ([0.8, 0.8, 0.9], [False, False, False], [-2.0, -1.0, 0.0])
NEITHER = ([0.65, 0.65, 0.65], [True, True, True], [3.0, 3.0, 3.0])


def test_days_to_notice_count_from_the_first_practice_of_who_struggles() -> None:
    found = noticed(watched(HARD, WELL, NEITHER, ([0.5], [False], [0.0])), 0.6, 0.7)
    assert found.filter("struggling")["days"].to_list() == [3, 28]
    assert found.filter(~pl.col("struggling"))["alarm"].to_list() == [False]


def test_at_the_same_false_alarms_the_doubt_alone_decides() -> None:
    """Of two who do well, one may be alarmed: between the doubts 0 and 2 lies the limit; HARD passes it on day 3."""
    anxious = ([0.8, 0.8], [False, False], [0.0, 2.0])
    found = at_same_false_alarms(watched(HARD, WELL, anxious), 0.6, 0.7, 0.5)
    assert sorted(found.filter(~pl.col("struggling"))["alarm"].to_list()) == [False, True]
    stricter = at_same_false_alarms(watched(HARD, WELL, anxious), 0.6, 0.7, 0.0)
    assert stricter["alarm"].sum() == 0


def gains(policy: str, *values: float) -> Iterator[PolicyRun]:
    return (PolicyRun(policy=policy, seed=seed, measures={"gain": value}) for seed, value in enumerate(values))


def test_the_report_compares_seed_by_seed() -> None:
    """(0.9 - 0.5) / (1.0 - 0.5) and 0.9 / 0.6 - 1; the same on every seed, so that the intervals have no width."""
    known = {"ours": 0.9, "threshold": 0.6, "random": 0.5, "oracle": 1.0}
    report = PolicyReport(runs=tuple(run for name, gain in known.items() for run in gains(name, gain, gain)))
    for measure, value in ((WAY, 0.8), (BETTER, 0.5)):
        found = report.value("ours", measure)
        assert found is not None
        assert (found.mean, found.lower, found.upper) == pytest.approx((value, value, value))
    assert report.value("oracle", WAY) is None
    assert "| ours |" in report.markdown()


def test_an_interval_is_students() -> None:
    """Two values a distance d apart: half-width t(0.975, 1) · d / 2 = 12.706 · d / 2."""
    found = Interval.over([1.0, 2.0, math.nan])
    assert found is not None
    assert (found.mean, found.upper - found.mean) == pytest.approx((1.5, 6.353), abs=1e-3)
    assert Interval.over([math.nan]) is None


@pytest.fixture(scope="module")
def school() -> tuple[Content, World]:
    world = build_world(seed=3, learners=1, start=FIRST_DAY, items_per_skill=12)
    settings = Settings(training={"max_iterations": 10, "min_samples_leaf": 20, "minimum_events": 500})
    return prepare(3, settings=settings, learners=100, days=12, items_per_skill=12), world


@pytest.fixture(scope="module")
def trial(school: tuple[Content, World]) -> Trial:
    return run_trial(*school, [11], policies=("ours", "threshold", "fixed"), learners=20, days=12)


def test_nothing_changes_overnight_without_practice_whether_advice_is_followed_or_not(trial: Trial) -> None:
    advised = [evenings for school in trial.schools for evenings in school.advice.values()]
    assert len(advised) == 4  # ours and the threshold rules, each obeyed, and each unheeded at fixed levels
    for evenings in advised:
        found = stability(pl.concat(evenings))
        assert found["changed, nothing new"] == found["changed, all ranks, nothing new"] == 0.0
        assert found["first changed, no practice"] == 0.0


def test_a_day_reaches_the_platform_in_order_and_with_its_gaps() -> None:
    world = build_world(seed=3, learners=15, start=FIRST_DAY)
    log = Simulation(world).live_one_day()
    events = events_of(log, world, learner_names("x", 15))
    first = events.filter(pl.col("learner") == events["learner"][0])
    assert first["sequence"].to_list() == list(range(first.height))
    assert first["gap_s"].null_count() == 1
    assert first["gap_s"].drop_nulls().min() > 0
    assert (first["occurred_at"].dt.second() == 0).all()
    assert events["day"].unique().to_list() == [FIRST_DAY]
    assert events.height == log.rows.size


def test_last_years_learners_are_none_of_a_trial_and_their_bank_gives_the_usual_levels(
    school: tuple[Content, World],
) -> None:
    content, world = school
    assert content.usual_levels.shape == (48,)
    assert set(content.usual_levels.tolist()) <= set(range(1, 11))
    assert content.bank.height <= len(world.curriculum.item_ids)
    assert content.brain.statistics.events > 3000


def test_who_is_told_to_move_is_given_items_of_the_new_level(trial: Trial) -> None:
    told = [school for school in trial.schools if school.arm in ("ours", "threshold")]
    assert all(sum(frame.height for frame in school.decisions) > 0 for school in told)
    for school in told:
        last = pl.concat(school.decisions).group_by("row", "skill").agg(pl.col("new").sort_by("day").last())
        levels = school.policy.levels[last["row"].to_numpy(), last["skill"].to_numpy()]
        assert np.array_equal(levels, last["new"].to_numpy())


def step(uniforms: list[float], topics: list[int]) -> ItemRequest:
    """A step of as many learners as topics, in subject 0; a first uniform of 0.99 means no revision."""
    size = len(topics)
    return ItemRequest(
        day=0,
        rows=np.arange(size),
        at=np.zeros(size, np.int64),
        subject=np.zeros(size, np.int64),
        topic=np.array(topics),
        homework=False,
        position=0,
        uniforms=np.tile([0.99, *uniforms], (size, 1)),
    )


def test_what_is_listed_comes_first_and_in_its_order_then_any_item_of_the_level(school: tuple[Content, World]) -> None:
    content = school[0]
    levels = np.full((2, 48), 5, np.int8)
    given = GivenContent(content.curriculum, content.shelf, levels, 5)
    plain = AssignedLevels(content.curriculum, content.shelf, levels)
    first, second = content.shelf.order[content.shelf.skill_start[1] :][:2]
    given.give(np.array([0]), np.array([1]), np.array([second, first], np.int32), np.array([2]))
    met = [given.choose(step([0.5, 0.3], [1, 1])).tolist() for _ in range(3)]
    usual = plain.choose(step([0.5, 0.3], [1, 1])).tolist()
    assert met == [[second, usual[1]], [first, usual[1]], usual]
    given.give(np.array([0]), np.array([1]), np.array([first], np.int32), np.array([1]))
    assert given.choose(step([0.5, 0.3], [1, 1]))[0] == first


def test_a_skill_begins_at_the_level_that_the_platform_said(school: tuple[Content, World]) -> None:
    """Who begins at level 9 is taken to be there with two answers, whatever the level of the exercises found."""
    content, world = school
    platform = Platform(content, success_zone_policy(content.settings.policy), models=False)
    learners = enrolled(world, 11, 15)
    names = learner_names("x", 15)
    events = events_of(Simulation(learners).live_one_day(), learners, names)
    few = (
        events.explode("skill_ids").group_by("learner", "subject", skill_id="skill_ids").len().filter(pl.col("len") < 3)
    )
    pairs = few.drop("len").with_columns(recommended_level=pl.lit(9))
    platform.begin(pairs, FIRST_DAY - timedelta(days=1))
    found = pairs.join(platform.evening(events, FIRST_DAY), on=["learner", "subject", "skill_id"])
    assert found.height == few.height
    assert few.height > 0
    assert set(found["level_source"]) == {"standing"}
    assert set(found["current_level"]) == {9}
    assert found["never_moved"].all()


def test_content_is_listed_of_the_level_that_is_recommended(school: tuple[Content, World], trial: Trial) -> None:
    content = school[0]
    told = next(school for school in trial.schools if school.arm == "ours")
    assert isinstance(told.policy, GivenContent)
    platform = Platform(content, success_zone_policy(content.settings.policy), models=True)
    nobody = content.skills.select(pl.lit("nobody").alias("learner"), "subject", "skill_id")
    placed = platform.place(nobody, FIRST_DAY)
    listed = placed.with_columns(item_id=platform.listed(placed)).explode("item_id", keep_nulls=False)
    levels = listed.join(content.bank.select("item_id", "level"), on="item_id")
    assert levels["skill_id"].n_unique() > 40
    away = (pl.col("level") - pl.col("recommended_level")).abs()
    by_skill = levels.group_by("skill_id", "recommended_level").agg(away.max().alias("furthest"))
    bank = content.bank.explode("skill_ids").rename({"skill_ids": "skill_id"})
    found = by_skill.join(bank, on="skill_id").group_by("skill_id", "furthest").agg(away.min().alias("nearest"))
    assert found.filter(pl.col("nearest") <= 1)["furthest"].max() == 1  # within the tolerance, where there is something
    assert found.filter(pl.col("nearest") > 1).select(pl.col("furthest") == pl.col("nearest")).to_series().all()


def test_what_the_oracles_lead_is_made_of(school: tuple[Content, World]) -> None:
    """One frees nobody; one gives items of the level at which the truth is nearest to the zone's middle."""
    arms = ("oracle", "oracle-unfreed", "true-levels")
    ran = run_trial(*school, [11], policies=arms, learners=20, days=4)
    freed = {each.arm: bool(each.simulation.taught_otherwise.any()) for each in ran.schools}
    assert freed == {"oracle": True, "oracle-unfreed": False, "true-levels": False}
    by_level = ran.schools[2]
    success = _success(by_level, school[0], 3)
    chosen = np.take_along_axis(success, by_level.policy.levels[:, :, None].astype(np.int64) - 1, axis=2)[:, :, 0]
    untouched = by_level.simulation.state.opportunities == 0  # of these the truth has not moved since the choice …
    untouched &= np.roll(untouched, 1, axis=1)  # … if the skill before, which some items call for too, stood still
    away, least = np.abs(chosen - 0.775), np.abs(success - 0.775).min(axis=2)
    assert untouched.any()
    assert np.allclose(away[untouched], least[untouched], atol=1e-6)


def test_both_watch_the_same_answers_and_move_nobody(trial: Trial, school: tuple[Content, World]) -> None:
    fixed = next(school for school in trial.schools if school.arm == "fixed")
    assert (fixed.policy.levels == school[0].usual_levels).all()
    pairs = ["learner", "skill", "day", "p_true"]
    ours, threshold = (trial.watched.filter(pl.col("watcher") == name).select(pairs) for name in ("ours", "threshold"))
    assert ours.sort(pairs).equals(threshold.sort(pairs))


@pytest.mark.slow
def test_the_same_plan_gives_the_same_report_and_every_policy_is_measured() -> None:
    settings = Settings(training={"min_samples_leaf": 20})
    report = measure_policies(SMALL, settings)
    assert set(report.policies) - {SAME_ALARMS} == set(SMALL.policies)
    for policy in SMALL.policies:
        assert report.value(policy, "gain") is not None
    gain = {policy: report.value(policy, "gain") for policy in ("oracle", "random")}
    assert gain["oracle"].mean > gain["random"].mean  # type: ignore[union-attr]
    assert measure_policies(SMALL, settings) == report


def test_a_variation_changes_one_assumption_of_both_schools() -> None:
    plans = vary(SMALL, ["peak at 0.65"])
    assert plans["as assumed"] == SMALL
    assert plans["peak at 0.65"].parameters.best_success == 0.65
    assert plans["peak at 0.65"].parameters.zone_width == PARAMETERS.zone_width
    with pytest.raises(SettingsError, match="no variation 'peak'"):
        vary(SMALL, ["peak"])


def test_an_unknown_policy_is_refused(school: tuple[Content, World]) -> None:
    with pytest.raises(SettingsError, match="no policy 'guess'"):
        run_trial(*school, [11], policies=("guess",), learners=20, days=1)


def test_the_command_prints_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    app = typer.Typer()
    for part in (benchmarks, benchmark_policy):
        part.add_to(app)
    app.callback()(lambda: None)
    size = ["--seeds", "1", "--learners", "10", "--weeks", "1", "--content-learners", "75", "--workers", "1"]
    command = ["benchmark", "policy", *size, "--policies", "random,oracle,fixed", "--json", str(tmp_path / "out.json")]
    told = CliRunner().invoke(app, command, catch_exceptions=False)
    assert told.exit_code == 0
    assert "| oracle |" in told.stdout
    written = json.loads((tmp_path / "out.json").read_text())
    assert {run["policy"] for run in written["reports"]["as assumed"]["runs"]} >= {"random", "oracle", "fixed"}


def test_the_first_day_is_a_monday() -> None:
    assert FIRST_DAY.weekday() == 0
    assert (FIRST_DAY - timedelta(days=364)).weekday() == 0
