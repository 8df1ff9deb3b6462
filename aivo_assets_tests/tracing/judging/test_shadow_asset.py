"""Real models, real folds, a real registry: a force-promoted broken model comes down by itself, an equal one stays."""

import shutil
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest
from mlflow import MlflowClient

from aivo_assets.assets.brain.shadow import champion_shadow
from aivo_assets.assets.drift.reference import reference_of
from aivo_assets.assets.stored import published_attributes
from aivo_assets.drift.schema import DRIFT_REFERENCE
from aivo_assets.drift.scores.scored_events import scored_events
from aivo_assets.engine import InProcess
from aivo_assets.lake import open_lake
from aivo_assets.operations.alerts.alert import Alert
from aivo_assets.resources.clock import FixedClock
from aivo_assets.settings import Settings, TrainingSettings
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.judging.evaluation import evaluate, hold_out
from aivo_assets.tracing.judging.promotion import Contender, decide
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.judging.shadow import SHADOW
from aivo_assets.tracing.model.main_brain import MadeBy, MainBrain, fit_main_brain
from aivo_assets.tracing.model.training import TrainingSet
from aivo_assets_tests.tracing.small_lake import FIRST, events, filled, settings, trained_on

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

FIRST_AS_OF, SECOND_AS_OF = FIRST + timedelta(days=17), FIRST + timedelta(days=21)
Sets = tuple[TrainingSet, TrainingSet]


class Alerts:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.sent: list[Alert] = []

    def send(self, alert: Alert) -> None:
        self.sent.append(alert)


class Stage:
    """A home whose registry has a champion as of one day, and a lake with answers of the days after."""

    def __init__(self, home: Path, given: Settings, sets: Sets, force: str | None = None) -> None:
        self.settings = Settings.model_validate({**given.model_dump(), "home": home})
        self.lake, self.registry, self.alerts = open_lake(self.settings), Registry(home), Alerts()
        self.sets = sets
        self.promote(sets[0], fitted(sets[0], self.settings.training), FIRST_AS_OF, force)

    def promote(self, training: TrainingSet, brain: MainBrain, day: date, force: str | None = None) -> int:
        """Register a model, judge it as the evaluation asset does, and promote it, by force where that is given."""
        given, now = self.settings.promotion, morning_after(day)
        evaluation = evaluate(brain, training.table, training.split, given, attributes=published_attributes(self.lake))
        version = self.registry.register(brain, evaluation, as_of=day, now=now)
        holdout = hold_out(training.table.keys, training.split, training.statistics, given)
        rows = training.table.take(training.split.evaluate)
        ours = Contender(version.fingerprint, day, brain.summary.unseen_from, brain.predict(rows))
        serving = self.registry.champion()
        champion = None
        if serving is not None:
            said = serving.brain.predict(rows)
            unseen = serving.brain.summary.unseen_from
            champion = Contender(serving.version.fingerprint, serving.version.as_of, unseen, said)
        verdict = decide(holdout, ours, champion, given, now=now)
        self.registry.promote(version.number, verdict, asked_by="a test", now=now, force=force)
        return version.number

    def look(self, day: date) -> dict[str, object]:
        """Materialise the asset as of a day."""
        result = dg.materialize(
            [champion_shadow],
            resources={
                "settings": self.settings, "lake": self.lake, "registry": self.registry, "engine": InProcess(),
                "notifier": dg.ResourceDefinition.hardcoded_resource(self.alerts),
                "clock": dg.ResourceDefinition.hardcoded_resource(FixedClock(morning_after(day))),
            },
            partition_key=day.isoformat(),
        )  # fmt: skip
        (event,) = result.get_asset_materialization_events()
        return {name: value.value for name, value in event.materialization.metadata.items()}

    @property
    def champion(self) -> int:
        serving = self.registry.champion()
        assert serving is not None
        return serving.version.number


def morning_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(2), tzinfo=UTC)


def fitted(training: TrainingSet, given: TrainingSettings, code: str = "c") -> MainBrain:
    made_by = MadeBy(data_versions={}, code_version=code)
    return fit_main_brain(training.table, training.split, given, statistics=training.statistics, made_by=made_by)


def flipped(training: TrainingSet) -> TrainingSet:
    """The same features with every answer that fits or calibrates turned round."""
    correct = training.table.keys["correct"].to_numpy().copy()
    correct[np.concatenate([training.split.fit, training.split.calibrate])] ^= 1
    keys = training.table.keys.with_columns(pl.Series("correct", correct, dtype=pl.Int8))
    table = FeatureTable(keys, training.table.values, training.table.schema)
    return TrainingSet(table, training.split, training.statistics)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings, Sets]:
    """A home with a filled lake and an empty MLflow database, and the training sets of two days."""
    home = tmp_path_factory.mktemp("home")
    given = settings(home)
    lake = open_lake(given)
    filled(lake, events(learners=80, days=26))
    (home / "mlflow").mkdir()
    MlflowClient(Registry(home).tracking_uri).search_registered_models()
    return home, given, (trained_on(lake, FIRST_AS_OF, given), trained_on(lake, SECOND_AS_OF, given))


@pytest.fixture
def stage(ground: tuple[Path, Settings, Sets], tmp_path: Path) -> Stage:
    shutil.copytree(ground[0], tmp_path / "home")
    return Stage(tmp_path / "home", ground[1], ground[2])


def test_a_force_promoted_model_of_flipped_answers_is_rolled_back_with_the_reason(stage: Stage) -> None:
    broken = fitted(flipped(stage.sets[1]), stage.settings.training)
    number = stage.promote(stage.sets[1], broken, SECOND_AS_OF, force="the head insists")
    assert stage.champion == number == 2
    day = SECOND_AS_OF + timedelta(days=2)
    figures = stage.look(day)
    assert stage.champion == 1
    move = stage.registry.moves()[-1]
    assert (move.kind, move.before, move.after) == ("rollback", 2, 1)
    assert move.by.startswith("champion_shadow")
    assert move.reason == figures["reason"]
    assert "Version 2 is rolled back: its log loss is" in move.reason
    (alert,) = stage.alerts.sent
    assert alert.body == move.reason
    assert figures["rows_in"] == 2 * 80 * 4
    stored = stage.lake.scan(SHADOW).collect()
    assert stored["roll_back"].to_list() == [True]

    reference = stage.lake.scan(DRIFT_REFERENCE).collect()
    training, champion = stage.sets[0], stage.registry.champion()
    assert champion is not None
    held_out = training.table.take(training.split.evaluate)
    promised = scored_events(held_out, champion.brain.predict(held_out), model_version="1")
    assert reference.equals(promised)

    version = stage.lake.version(SHADOW)
    again = stage.look(day)
    assert "became champion by a rollback" in str(again["note"])
    assert stage.lake.version(SHADOW) == version
    assert len(stage.registry.moves()) == 3
    assert len(stage.alerts.sent) == 1


def test_a_model_that_reads_garbage_is_rolled_back(stage: Stage) -> None:
    """Its features were shuffled against the answers: it says much the same of everybody."""
    training = stage.sets[1]
    shuffled = training.table.values[np.random.default_rng(1).permutation(training.table.height)]
    garbage = TrainingSet(
        FeatureTable(training.table.keys, shuffled, training.table.schema), training.split, training.statistics
    )
    stage.promote(training, fitted(garbage, stage.settings.training), SECOND_AS_OF, force="a test")
    stage.look(SECOND_AS_OF + timedelta(days=4))
    assert stage.champion == 1


def test_an_equally_good_one_stays_day_after_day_and_the_shadow_ends(stage: Stage) -> None:
    other = stage.settings.training.model_copy(update={"seed": 7})
    number = stage.promote(stage.sets[1], fitted(stage.sets[1], other), SECOND_AS_OF, force="as good")
    assert "no later answers yet" in str(stage.look(SECOND_AS_OF)["note"])
    for offset in range(1, 5):
        figures = stage.look(SECOND_AS_OF + timedelta(days=offset))
        assert figures["rows_in"] == offset * 80 * 4
        assert figures["roll_back"] is False
    assert stage.champion == number
    assert stage.alerts.sent == []
    stage.look(SECOND_AS_OF + timedelta(days=7))
    assert "The shadow of version 1 ended" in str(stage.look(SECOND_AS_OF + timedelta(days=9))["note"])


def test_the_first_champion_has_no_shadow(stage: Stage) -> None:
    assert stage.look(FIRST_AS_OF + timedelta(days=2))["note"] == "Version 1 is the first champion."
    assert stage.lake.days(SHADOW) == []


def test_without_a_champion_there_is_nothing_to_do(stage: Stage, tmp_path: Path) -> None:
    stage.registry = Registry(tmp_path / "elsewhere")
    assert stage.look(FIRST_AS_OF)["note"] == "There is no champion."


def test_a_champion_before_that_is_corrupt_is_said_to_be(stage: Stage) -> None:
    stage.promote(stage.sets[1], fitted(stage.sets[1], stage.settings.training), SECOND_AS_OF, force="a test")
    artefact = stage.registry.version(1).tags["artefact"]
    (stage.settings.home / "mlflow" / "artifacts" / artefact / "model" / "manifest.json").write_bytes(b"")
    assert "Version 1, the champion before, cannot be asked" in str(
        stage.look(SECOND_AS_OF + timedelta(days=1))["note"]
    )
    assert stage.champion == 2


def test_a_reference_is_found_again_from_the_stored_answers(stage: Stage) -> None:
    serving = stage.registry.champion()
    assert serving is not None
    found = reference_of(stage.lake, serving, stage.registry.evaluation(1), stage.settings)
    assert found.height == stage.sets[0].split.evaluate.size


def test_somebody_who_moved_the_champion_meanwhile_is_not_overruled(stage: Stage) -> None:
    stage.promote(stage.sets[1], fitted(stage.sets[1], stage.settings.training), SECOND_AS_OF, force="a test")
    with pytest.raises(Exception, match="Version 1 was to be rolled back from, the champion is 2"):
        stage.registry.rollback(asked_by="t", reason="r", now=morning_after(SECOND_AS_OF), champion=1)
    assert stage.champion == 2
