"""`aivo student show`: what a person reads about a learner, and the error where there is nothing to read."""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.cli.main import app
from aivo_assets.errors import LakeError, ModelError, PrivacyError
from aivo_assets.lake import Lake, open_lake
from aivo_assets.lake.shards import shard_of
from aivo_assets.language import Language
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS, FeatureTable
from aivo_assets.tracing.fold.statistics import fit_statistics
from aivo_assets.tracing.students.student_models import Brain, build_student_models
from aivo_assets_tests.tracing.small_lake import FIRST, SHARDS, events, filled, settings

SECRET = "a key of thirty-two characters or more"
ENGLISH = Language("en")
LAST = FIRST + timedelta(days=5)
LEVELS = pl.DataFrame(
    [
        {"subject": subject, "level": level, "difficulty": 0.5 * level - 2.5}
        for subject in ("algebra", "geometry")
        for level in range(1, 11)
    ]
)


@dataclass(frozen=True)
class School:
    """Student models of a small school."""

    settings: Settings
    learner: str  # pseudonym of learner-003


def believes_the_filter(table: FeatureTable) -> object:
    return 1.0 / (1.0 + 2.718281828 ** -table.column("logit").astype(float))


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    """Twelve learners over six days, whose models were made as of the fourth day and the last."""
    given = settings(tmp_path_factory.mktemp("home"))
    plain = events(learners=12, days=6)
    key = PseudonymKey(SECRET)
    hashed = pseudonyms(plain["learner"], "learner", key)
    history = plain.with_columns(hashed).with_columns(shard_of(pl.col("learner"), SHARDS))
    lake = open_lake(given)
    filled(lake, history)
    roll = history.select("learner", "shard").unique().sort("learner")
    statistics = fit_statistics(history, given.features)
    brain = Brain(believes_the_filter, statistics, given.features, "1")  # type: ignore[arg-type]
    for day in (FIRST + timedelta(days=3), LAST):
        states = fold(history.filter(pl.col("day") <= day), statistics, None, given.features).states
        as_of = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
        made = build_student_models(states, brain, LEVELS, as_of, given.students, day=day, learners=roll)
        for dataset, rows in ((STUDENT_MODELS, made.learners), (SKILL_MASTERY, made.skills)):
            for shard in range(SHARDS):
                here, note = rows.filter(pl.col("shard") == shard), {"stamp": "1", "sequence": 0, "whole": True}
                lake.replace_shard(dataset, here, day=day, shard=shard, made_by=note)
    return School(given, str(pseudonyms(pl.Series(["learner-003"]), "learner", key)[0]))


@pytest.fixture
def show(school: School, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AIVO_HOME", str(school.settings.home))
    monkeypatch.setenv("AIVO_LAKE_SHARDS", str(SHARDS))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("AIVO_PSEUDONYM_KEY", raising=False)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["student", "show", *arguments], catch_exceptions=False)

    return call


def test_it_shows_ability_mastery_and_the_last_answers_as_of_the_newest_day(show, school: School):
    told = show(school.learner, "--events", "5").stdout
    assert f"Learner {school.learner}" in told
    assert f"24 answers, the last on {ENGLISH.date(LAST)}" in told
    assert f"As of {ENGLISH.date(LAST)}, main brain version 1." in told
    assert re.search(r"Ability [+-]\d\.\d\d logits \([+-]\d\.\d\d to [+-]\d\.\d\d\), above \d+% of the learners", told)
    assert len(re.findall(r"\d+% to \d+%", told)) == len(set(re.findall(r"(?:algebra|geometry) +skill-\d", told)))
    assert told.count(" right ") + told.count(" wrong ") >= 5
    assert "There is no recommendation yet." in told


def test_the_numbers_are_those_of_the_lake(show, school: School):
    lake = open_lake(school.settings)
    row = (
        lake.scan(STUDENT_MODELS, days=[LAST]).filter(pl.col("learner") == school.learner).collect().row(0, named=True)
    )
    told = show(school.learner).stdout
    assert f"Ability {row['ability']:+.2f} logits ({row['ability_lower']:+.2f} to {row['ability_upper']:+.2f})" in told
    mastery = lake.scan(SKILL_MASTERY, days=[LAST]).filter(pl.col("learner") == school.learner).collect()
    for each in mastery.iter_rows(named=True):
        assert re.search(
            rf"{each['skill_id']} .*{each['mastery']:.0%}.*{each['wins']} of {each['opportunities']}", told
        )


def advised(school: School, **values: object) -> None:
    """A recommendation of the last day about one of the learner's skills, which the lake then holds."""
    lake = open_lake(school.settings)
    mastery = lake.scan(SKILL_MASTERY, days=[LAST]).filter(pl.col("learner") == school.learner).collect()
    about = mastery.row(0, named=True)
    row = (
        {name: about[name] for name in ("learner", "shard", "subject", "skill_id")} | {"day": LAST, "rank": 1} | values
    )
    frame = pl.DataFrame([{**dict.fromkeys(RECOMMENDATIONS.schema), **row}], schema=dict(RECOMMENDATIONS.schema))
    lake.write(RECOMMENDATIONS, frame, day=LAST)


def test_the_level_and_plan_in_force_stand_beside_the_mastery(
    show, school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In the words of the language, in the terminal and on the page."""
    lake = open_lake(school.settings)
    theirs = (pl.col("learner") == school.learner) & (pl.col("skill_id") == "skill-0")
    models = lake.scan(SKILL_MASTERY, days=[LAST]).collect()
    shard = models.filter(theirs)["shard"][0]
    planned = models.filter(pl.col("shard") == shard).with_columns(
        level=pl.when(theirs).then(pl.lit(3, pl.Int8)),
        plan=pl.when(theirs).then(pl.lit("change_approach")),
        success_at_level=pl.when(theirs).then(0.618),
    )
    note = {"stamp": "1", "sequence": 0, "whole": True}
    lake.replace_shard(SKILL_MASTERY, planned, day=LAST, shard=shard, made_by=note)
    assert re.search(r"skill-0 .* 3 +62% +another approach ", show(school.learner).stdout)
    monkeypatch.setenv("AIVO_POLICY_LANGUAGE", "de")
    assert re.search(r"skill-0 .* 3 +62% +anderer Zugang ", show(school.learner, "--html", str(tmp_path / "p")).stdout)
    assert "anderer Zugang" in (tmp_path / "p").read_text()


def test_the_recommendation_begins_with_its_headline_and_lists_what_to_give(show, school: School):
    advised(
        school,
        kind="level_up",
        headline="Move up 2 levels in “skill-0”, from level 4 to level 6.",
        reasoning="Level 4 has become easy.",
        suggested_actions=["Start with the 2 exercises chosen for this: item-7, item-9."],
        priority="medium",
        confidence=0.72,
    )
    told = show(school.learner).stdout
    day = ENGLISH.date(LAST)
    assert f"Move up 2 levels in “skill-0”, from level 4 to level 6. (medium priority, 72% sure, as of {day})" in told
    assert "item-7, item-9" in told
    assert "level_up" not in told


def test_the_beginning_of_a_pseudonym_is_enough(show, school: School):
    assert f"Learner {school.learner}" in show(school.learner[:8]).stdout


def test_an_identifier_of_the_source_needs_the_key(show, school: School, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(PrivacyError, match="There is no pseudonym key"):
        show("learner-003", "--raw")
    monkeypatch.setenv("AIVO_PSEUDONYM_KEY", SECRET)
    told = show("learner-003", "--raw").stdout
    assert f"Learner {school.learner}" in told
    assert "learner-003" not in told


def test_the_page_holds_its_pictures_and_needs_nothing_beside_it(show, school: School, tmp_path: Path):
    show(school.learner, "--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png;base64,") == 3  # mastery, ability, and its history over two days
    assert "http" not in page.replace("http-equiv", "")
    assert "skill-0" in page
    assert "The last answers" in page


def test_somebody_unknown_is_refused_with_what_to_do(show):
    with pytest.raises(LakeError, match=r"(?s)No learner 'learner-003' has a student model.*add --raw"):
        show("learner-003")
    with pytest.raises(LakeError, match="No learner 'a' has"):
        show("a")


def test_somebody_enrolled_since_is_told_to_wait(show, school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(school.settings.home, tmp_path / "home")
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    lake = Lake(tmp_path / "home" / "lake", shards=SHARDS)
    known = lake.scan(ANONYMISED_LEARNERS).collect()
    lake.write(ANONYMISED_LEARNERS, pl.concat([known, known[:1].with_columns(learner=pl.lit("f" * 32))]))
    with pytest.raises(LakeError, match=r"(?s)the next student models, made within two hours"):
        show("f" * 32)


def test_a_lake_without_models_says_how_to_make_them(show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "empty"))
    with pytest.raises(ModelError, match=r"(?s)There are no student models in .*aivo demo"):
        show("f" * 32)


def test_answers_come_newest_first(show, school: School):
    lake = open_lake(school.settings)
    his = lake.scan(ANONYMISED_INTERACTIONS).filter(pl.col("learner") == school.learner)
    newest = his.sort("day", "sequence", descending=True).head(3).collect()["item_id"].to_list()
    told = show(school.learner, "--events", "3").stdout.split("Last answers")[1]
    assert re.findall(r"item-\d+", told) == newest
