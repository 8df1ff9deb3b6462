"""What a person can do with versions at a terminal: look, promote on a verdict or by force, and go back."""

import shutil
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from aivo_assets.assets.brain.main_brain import VERDICTS
from aivo_assets.assets.stored import published_attributes
from aivo_assets.cli.main import app
from aivo_assets.cli.models.registry import promote_version, roll_back
from aivo_assets.drift.schema import DRIFT_REFERENCE
from aivo_assets.errors import ModelError, SettingsError
from aivo_assets.lake import open_lake
from aivo_assets.settings import Settings
from aivo_assets.tracing.card.model_card import HTML
from aivo_assets.tracing.judging.evaluation import evaluate, hold_out
from aivo_assets.tracing.judging.promotion import Contender, decide
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.model.main_brain import MadeBy, fit_main_brain
from aivo_assets.tracing.model.training import TrainingSet
from aivo_assets_tests.cli.loading import LEARNING, PLATFORM, loaded
from aivo_assets_tests.tracing.small_lake import FIRST, events, filled, settings, trained_on

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

DAYS = (FIRST + timedelta(days=19), FIRST + timedelta(days=20))
GOOD, WEAK = {"max_iterations": 25}, {"max_iterations": 2, "learning_rate": 0.02}


def morning_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(2), tzinfo=UTC)


def judge(given: Settings, training: TrainingSet, day: date, changed: dict[str, float]) -> int:
    """Train, register and judge as the assets do; the verdict is stored, nothing is promoted."""
    lake, registry, now = open_lake(given), Registry(given.home), morning_after(day)
    made_by = MadeBy(data_versions={}, code_version="c")
    fitting = given.training.model_copy(update=changed)
    brain = fit_main_brain(training.table, training.split, fitting, statistics=training.statistics, made_by=made_by)
    attributes = published_attributes(lake)
    evaluation = evaluate(brain, training.table, training.split, given.promotion, attributes=attributes)
    version = registry.register(brain, evaluation, as_of=day, now=now)
    rows = training.table.take(training.split.evaluate)
    serving = registry.champion()
    champion = None
    if serving is not None:
        unseen, said = serving.brain.summary.unseen_from, serving.brain.predict(rows)
        champion = Contender(serving.version.fingerprint, serving.version.as_of, unseen, said)
    ours = Contender(version.fingerprint, day, brain.summary.unseen_from, brain.predict(rows))
    holdout = hold_out(training.table.keys, training.split, training.statistics, given.promotion)
    verdict = decide(holdout, ours, champion, given.promotion, now=now)
    row = {
        "day": day, "promote": verdict.promote, "reason": verdict.reason,
        "challenger_version": version.number, "verdict": verdict.model_dump_json(),
    }  # fmt: skip
    lake.write(VERDICTS, pl.DataFrame([row], schema=dict(VERDICTS.schema)), day=day)
    return version.number


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A good champion, version 1, and a judged weak challenger, version 2, of the day after."""
    given = settings(tmp_path_factory.mktemp("home"))
    lake = open_lake(given)
    filled(lake, events(days=21))
    assert judge(given, trained_on(lake, DAYS[0], given), DAYS[0], GOOD) == 1
    promote_version(given, 1, now=morning_after(DAYS[0]), force=None)
    assert judge(given, trained_on(lake, DAYS[1], given), DAYS[1], WEAK) == 2
    return given


@pytest.fixture
def home(school: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    shutil.copytree(school.home, tmp_path / "home")
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIVO_LAKE_SHARDS", str(school.lake.shards))
    monkeypatch.setenv("COLUMNS", "200")
    return Settings.model_validate({**school.model_dump(), "home": tmp_path / "home"})


def aivo(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["registry", *arguments])


def reference(given: Settings) -> set[str]:
    return set(open_lake(given).scan(DRIFT_REFERENCE).collect()["model_version"])


def test_list_shows_scores_and_aliases_newest_first(home: Settings) -> None:
    lines = aivo("list").output.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["2", "1"]
    assert "challenger" in lines[1]
    assert "champion" in lines[2]
    assert f"{Registry(home.home).evaluation(1).scores.log_loss:.4f}" in lines[2]


def test_list_loads_neither_mlflow_nor_what_fits_models(home: Settings) -> None:
    assert not loaded(home.home, "registry", "list") & (PLATFORM | LEARNING - {"numba"})
    assert not loaded(home.home, "registry", "history") & (PLATFORM | LEARNING - {"numba"})


def test_list_says_what_is_wrong_with_the_champion_and_goes_on(home: Settings) -> None:
    registry = Registry(home.home)
    aivo("promote", "2", "--force", "--reason", "a test")
    (home.home / "mlflow" / "artifacts" / registry.version(2).tags["artefact"] / "evaluation.json").unlink()
    (home.home / "mlflow" / "artifacts" / registry.version(2).tags["artefact"] / "model" / "trees_0.txt").unlink()
    output = aivo("list").output
    assert "unreadable" in output
    assert "Champion 2 cannot serve" in output
    assert "version 1 serves" in output


def test_list_of_nothing_says_how_to_begin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIVO_HOME", str(tmp_path))
    assert "There is no version yet" in aivo("list").output


def test_show_names_the_model_card(home: Settings) -> None:
    assert "model card: none yet" in aivo("show", "1").output
    Registry(home.home).attach(1, {HTML: b"<!doctype html>"})
    shown = aivo("show", "1").output.splitlines()
    (line,) = [each for each in shown if "model card" in each]
    assert Path(line.split(": ", 1)[1]).read_text() == "<!doctype html>"


def test_a_version_whose_verdict_says_no_is_not_promoted(home: Settings) -> None:
    result = aivo("promote", "2")
    assert isinstance(result.exception, ModelError)
    assert "The verdict on version 2 is: Not promoted" in result.exception.what
    assert "by force with a reason" in result.exception.fix
    assert len(Registry(home.home).moves()) == 1


def test_by_force_it_is_and_that_is_recorded_with_the_reason(home: Settings) -> None:
    assert reference(home) == {"1"}
    assert (
        "Version 2 is champion (forced); before it was 1." in aivo("promote", "2", "--force", "--reason", "fire").output
    )
    move = Registry(home.home).moves()[-1]
    assert (move.kind, move.by) == ("forced", "aivo registry promote")
    assert move.reason.startswith("Forced: fire (Not promoted: ")
    assert reference(home) == {"2"}


@pytest.mark.parametrize("reason", [[], ["--reason", "  "]])
def test_force_without_a_reason_is_refused(home: Settings, reason: list[str]) -> None:
    assert isinstance(aivo("promote", "2", "--force", *reason).exception, SettingsError)
    assert len(Registry(home.home).moves()) == 1


def test_force_does_not_help_without_a_verdict_on_the_present_champion(home: Settings) -> None:
    missing = aivo("promote", "9", "--force", "--reason", "x").exception
    assert isinstance(missing, ModelError)
    assert "no version 9" in missing.what
    open_lake(home).remove(VERDICTS, day=DAYS[1])
    unjudged = aivo("promote", "2", "--force", "--reason", "x").exception
    assert isinstance(unjudged, ModelError)
    assert "There is no verdict on version 2" in unjudged.what


def test_rollback_goes_back_and_brings_the_drift_reference_back(home: Settings) -> None:
    promised = open_lake(home).scan(DRIFT_REFERENCE).collect()
    aivo("promote", "2", "--force", "--reason", "fire")
    assert "Version 1 is champion again; it was 2." in aivo("rollback", "--reason", "it was no fire").output
    assert open_lake(home).scan(DRIFT_REFERENCE).collect().equals(promised)
    history = aivo("history").output.splitlines()
    assert ["promotion" in history[0], "forced" in history[1], "rollback" in history[2]] == [True] * 3
    assert "it was no fire" in history[2]
    with pytest.raises(ModelError, match="no earlier champion"):
        roll_back(home, now=morning_after(DAYS[1]), reason="once more")
