"""Versions are kept once, the champion moves on evidence and back, and a broken champion does not stop the school."""

import logging
import shutil
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from mlflow import MlflowClient

from aivo_assets.errors import ModelError
from aivo_assets.settings import PromotionSettings
from aivo_assets.tracing.fold.schema import FeatureSchema
from aivo_assets.tracing.judging.champions import Move
from aivo_assets.tracing.judging.evaluation import Evaluation, evaluate, hold_out
from aivo_assets.tracing.judging.promotion import Contender, Verdict, decide
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets_tests.tracing.synthetic_school import NAMES, QUICK, School, school

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
DAY = date(2026, 2, 28)
SETTINGS = PromotionSettings(minimum_events=200)

# MLflow 3.17 asks SQLAlchemy 2.1 for a loader strategy that is going away.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

Model = tuple[MainBrain, Evaluation]


@pytest.fixture(scope="module")
def made() -> School:
    return school(days=30)


@pytest.fixture(scope="module")
def models(made: School) -> list[Model]:
    """Three real models, each better than the one before."""
    rounds = [QUICK.model_copy(update={"max_iterations": number, "learning_rate": 0.15}) for number in (5, 9, 25)]
    brains = [made.fit(settings, data=f"v{place}") for place, settings in enumerate(rounds)]
    return [(brain, evaluate(brain, made.table, made.split, SETTINGS)) for brain in brains]


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AIVO_HOME whose MLflow database exists; making one takes seconds."""
    home = tmp_path_factory.mktemp("home")
    (home / "mlflow").mkdir()
    MlflowClient(Registry(home).tracking_uri).search_registered_models()
    return home


@pytest.fixture
def home(empty_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(empty_home, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def registry(home: Path) -> Registry:
    return Registry(home)


def register(registry: Registry, model: Model, *, as_of: date = DAY, now: datetime = NOW) -> int:
    return registry.register(*model, as_of=as_of, now=now).number


def judge(made: School, registry: Registry, brain: MainBrain, *, now: datetime = NOW, as_of: date = DAY) -> Verdict:
    serving = registry.champion(brain.schema)
    holdout = hold_out(made.table.keys, made.split, brain.statistics, SETTINGS)

    def contender(model: MainBrain, day: date) -> Contender:
        said = model.predict(made.table.take(made.split.evaluate))
        return Contender(model.fingerprint, day, model.summary.unseen_from, said)

    champion = None if serving is None else contender(serving.brain, serving.version.as_of)
    return decide(holdout, contender(brain, as_of), champion, SETTINGS, now=now)


def promote(made: School, registry: Registry, model: Model, *, day: int = 0) -> Move:
    now, as_of = NOW + timedelta(days=day), DAY + timedelta(days=day)
    number = register(registry, model, as_of=as_of, now=now)
    verdict = judge(made, registry, model[0], now=now, as_of=as_of)
    return registry.promote(number, verdict, asked_by="run 17", now=now)


def break_version(home: Path, registry: Registry, number: int) -> None:
    (version,) = (each for each in registry.versions() if each.number == number)
    file = home / "mlflow" / "artifacts" / version.tags["artefact"] / "model" / "trees_0.txt"
    file.write_bytes(file.read_bytes()[:-100])


def test_a_new_home_has_nothing_and_makes_nothing(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    assert registry.versions() == []
    assert registry.champion() is None
    assert registry.challenger() is None
    assert registry.moves() == []
    assert list(tmp_path.iterdir()) == []


def test_a_registered_model_is_the_challenger_and_comes_back_whole(
    made: School, registry: Registry, models: list[Model]
) -> None:
    brain, evaluation = models[0]
    version = registry.register(brain, evaluation, as_of=DAY, now=NOW, pictures={"calibration.png": b"\x89PNG"})
    assert (version.number, version.aliases, version.as_of, version.registered_at) == (1, ("challenger",), DAY, NOW)
    challenger = registry.challenger()
    assert challenger is not None
    assert (challenger.brain.predict(made.table) == brain.predict(made.table)).all()
    assert registry.evaluation(1) == evaluation
    assert registry.champion() is None


def test_the_same_model_is_registered_once(registry: Registry, made: School, models: list[Model]) -> None:
    assert register(registry, models[0]) == 1
    assert register(registry, models[1]) == 2
    again = made.fit(QUICK.model_copy(update={"max_iterations": 5, "learning_rate": 0.15}), data="v0")
    assert register(registry, (again, models[0][1]), now=NOW + timedelta(days=1)) == 1
    assert [version.number for version in registry.versions()] == [2, 1]
    assert registry.versions()[1].aliases == ("challenger",)


def test_a_model_whose_files_broke_is_registered_anew(home: Path, registry: Registry, models: list[Model]) -> None:
    register(registry, models[0])
    break_version(home, registry, 1)
    assert register(registry, models[0]) == 2
    assert registry.load(2).fingerprint == models[0][0].fingerprint


def test_a_model_of_an_earlier_day_does_not_become_challenger(registry: Registry, models: list[Model]) -> None:
    register(registry, models[0])
    register(registry, models[1], as_of=DAY - timedelta(days=30))
    assert {version.number: version.aliases for version in registry.versions()} == {1: ("challenger",), 2: ()}


def test_an_evaluation_of_another_model_is_refused(registry: Registry, models: list[Model]) -> None:
    with pytest.raises(ModelError, match="The evaluation is of model"):
        register(registry, (models[0][0], models[1][1]))


def test_mlflow_shows_metrics_parameters_tags_and_the_alias(
    made: School, registry: Registry, models: list[Model]
) -> None:

    promote(made, registry, models[0])
    client = MlflowClient(tracking_uri=registry.tracking_uri, registry_uri=registry.tracking_uri)
    version = client.get_model_version_by_alias("main_brain", "champion")
    run = client.get_run(version.run_id)
    brain, evaluation = models[0]
    assert run.data.metrics["log_loss"] == evaluation.scores.log_loss
    assert run.data.metrics["item_difficulty_ece"] == evaluation.baselines["item_difficulty"].ece
    assert run.data.params["max_iterations"] == "5"
    assert version.tags["fingerprint"] == brain.fingerprint
    assert version.tags["as_of"] == "2026-02-28"
    assert version.tags["champion_reason"].startswith("Promoted: its log loss is")
    assert "| item difficulty |" in version.description
    assert {file.path for file in client.list_artifacts(version.run_id)} == {"evaluation.json", "model", "verdicts"}


def test_the_champion_moves_on_a_verdict_and_the_move_is_recorded(
    made: School, registry: Registry, models: list[Model]
) -> None:
    promote(made, registry, models[0])
    move = promote(made, registry, models[2], day=1)
    assert (move.kind, move.before, move.after, move.by) == ("promotion", 1, 2, "run 17")
    assert move.at == NOW + timedelta(days=1)
    assert "better than that of the champion" in move.reason
    assert registry.moves()[1:] == [move]
    serving = registry.champion()
    assert serving is not None
    assert (serving.version.number, serving.problems) == (2, ())
    assert registry.versions()[0].tags["champion_before"] == "1"


def test_asked_twice_the_champion_moves_once(made: School, registry: Registry, models: list[Model]) -> None:
    number = register(registry, models[0])
    verdict = judge(made, registry, models[0][0])
    first = registry.promote(number, verdict, asked_by="run 1", now=NOW)
    assert registry.promote(number, verdict, asked_by="run 1, retried", now=NOW + timedelta(hours=1)) == first
    assert registry.moves() == [first]


def test_a_verdict_that_says_no_moves_nothing_without_force(
    made: School, registry: Registry, models: list[Model]
) -> None:
    promote(made, registry, models[2])
    number = register(registry, models[0])
    verdict = judge(made, registry, models[0][0])
    with pytest.raises(ModelError, match="The verdict on version 2 is: Not promoted"):
        registry.promote(number, verdict, asked_by="run 2", now=NOW)
    move = registry.promote(number, verdict, asked_by="head", now=NOW, force="the champion answers nonsense")
    assert move.kind == "forced"
    assert move.reason.startswith("Forced: the champion answers nonsense (Not promoted: ")


def test_a_verdict_about_another_model_or_another_champion_is_refused(
    made: School, registry: Registry, models: list[Model]
) -> None:
    first, second, third = (register(registry, model) for model in models)
    early = {number: judge(made, registry, models[number - 1][0]) for number in (first, second, third)}
    with pytest.raises(ModelError, match="The verdict is about model"):
        registry.promote(first, early[second], asked_by="run", now=NOW)
    registry.promote(first, early[first], asked_by="run", now=NOW)
    with pytest.raises(ModelError, match="compares with champion None, the champion is"):
        registry.promote(second, early[second], asked_by="run", now=NOW)
    verdict = judge(made, registry, models[2][0], now=NOW + timedelta(minutes=5))
    registry.promote(third, verdict, asked_by="run", now=NOW + timedelta(minutes=6))
    registry.rollback(asked_by="run", reason="it was worse in the shadow", now=NOW + timedelta(minutes=7))
    with pytest.raises(ModelError, match="the champion changed after it"):
        registry.promote(third, verdict, asked_by="run", now=NOW + timedelta(minutes=8))


def test_a_version_of_an_earlier_day_never_becomes_champion_even_by_force(
    made: School, registry: Registry, models: list[Model]
) -> None:
    promote(made, registry, models[0])
    number = register(registry, models[2], as_of=DAY - timedelta(days=1))
    verdict = judge(made, registry, models[2][0])  # a verdict that believes the model to be of today
    assert verdict.promote
    with pytest.raises(ModelError, match="Version 2 is as of 2026-02-27, the champion as of 2026-02-28"):
        registry.promote(number, verdict, asked_by="backfill", now=NOW, force="now")


def test_rolling_back_walks_back_champion_by_champion(made: School, registry: Registry, models: list[Model]) -> None:
    for day, model in enumerate(models):
        promote(made, registry, model, day=day)
    later = NOW + timedelta(days=9)
    back = registry.rollback(asked_by="head", reason="complaints", now=later)
    assert (back.kind, back.before, back.after, back.reason) == ("rollback", 3, 2, "complaints")
    assert registry.rollback(asked_by="head", reason="more", now=later).after == 1
    with pytest.raises(ModelError, match="no earlier champion to roll back to"):
        registry.rollback(asked_by="head", reason="even more", now=later)
    serving = registry.champion()
    assert serving is not None
    assert serving.version.number == 1
    assert [move.kind for move in registry.moves()] == ["promotion"] * 3 + ["rollback"] * 2


def test_old_versions_go_with_their_files_and_what_serves_or_may_serve_again_stays(
    made: School, registry: Registry, home: Path, models: list[Model]
) -> None:
    first, second = promote(made, registry, models[0]).after, promote(made, registry, models[1], day=1).after
    later = register(registry, models[2], as_of=DAY + timedelta(days=2))
    assert registry.forget(3) == 0
    files = len(list((home / "mlflow" / "artifacts").rglob("*.json")))
    assert registry.forget(1) == 1
    assert [version.number for version in registry.versions()] == [later, second]
    assert len(list((home / "mlflow" / "artifacts").rglob("*.json"))) < files
    serving = registry.champion()
    assert serving is not None
    assert serving.version.number == second
    assert first not in {version.number for version in registry.versions()}
    assert registry.forget(1) == 0


def test_nothing_can_be_rolled_back_before_anything_was_promoted(registry: Registry, models: list[Model]) -> None:
    register(registry, models[0])
    with pytest.raises(ModelError, match="There is no champion to roll back from"):
        registry.rollback(asked_by="head", reason="why not", now=NOW)


def test_a_corrupt_champion_is_reported_and_the_last_good_one_serves(
    home: Path, made: School, registry: Registry, models: list[Model], caplog: pytest.LogCaptureFixture
) -> None:
    for day, model in enumerate(models):
        promote(made, registry, model, day=day)
    break_version(home, registry, 3)
    shutil.rmtree(home / "mlflow" / "artifacts" / registry.versions()[1].tags["artefact"])
    with caplog.at_level(logging.WARNING):
        serving = registry.champion()
    assert serving is not None
    assert serving.brain.fingerprint == models[0][0].fingerprint
    assert len(serving.problems) == 2
    assert "Champion 3 cannot serve" in serving.problems[0]
    assert "trees_0.txt is corrupt" in serving.problems[0]
    assert "manifest.json cannot be read: No such file" in serving.problems[1]
    assert "version 1 serves" in caplog.text
    assert registry.rollback(asked_by="sensor", reason="corrupt", now=NOW + timedelta(days=9)).after == 1


def test_a_challenger_is_judged_and_promoted_against_the_one_that_serves(
    home: Path, made: School, registry: Registry, models: list[Model]
) -> None:
    promote(made, registry, models[0])
    promote(made, registry, models[1], day=1)
    break_version(home, registry, 2)
    assert promote(made, registry, models[2], day=2).after == 3
    serving = registry.champion()
    assert serving is not None
    assert (serving.version.number, serving.problems) == (3, ())


def test_a_champion_deleted_from_mlflow_is_reported(made: School, registry: Registry, models: list[Model]) -> None:

    promote(made, registry, models[0])
    promote(made, registry, models[1], day=1)
    client = MlflowClient(tracking_uri=registry.tracking_uri, registry_uri=registry.tracking_uri)
    client.delete_model_version("main_brain", "2")
    serving = registry.champion()
    assert serving is not None
    assert serving.version.number == 1
    assert serving.problems == (
        "The alias champion points to no trained version; version 2 was champion last",
        "Champion 2 is gone from the registry",
    )


def test_an_alias_that_somebody_moved_by_hand_is_the_truth_where_it_points_to_a_trained_version(
    made: School, registry: Registry, models: list[Model]
) -> None:

    promote(made, registry, models[0])
    promote(made, registry, models[1], day=1)
    client = MlflowClient(tracking_uri=registry.tracking_uri, registry_uri=registry.tracking_uri)
    client.set_registered_model_alias("main_brain", "champion", "1")
    by_hand = registry.champion()
    assert by_hand is not None
    assert (by_hand.version.number, by_hand.problems) == (1, ())

    strange = client.create_model_version("main_brain", source="elsewhere").version
    client.set_registered_model_alias("main_brain", "champion", strange)
    serving = registry.champion()
    assert serving is not None
    assert serving.version.number == 2
    assert serving.problems == ("The alias champion points to no trained version; version 2 was champion last",)


def test_a_champion_of_other_features_does_not_serve(
    made: School, registry: Registry, models: list[Model], caplog: pytest.LogCaptureFixture
) -> None:
    promote(made, registry, models[0])
    with caplog.at_level(logging.WARNING):
        assert registry.champion(FeatureSchema((*NAMES, "mood"), "other")) is None
    assert "Champion 1 cannot serve" in caplog.text
    assert "mood is unexpected" in caplog.text
    assert "no model serves" in caplog.text


def test_after_the_features_changed_a_first_model_of_the_new_ones_is_promoted(
    made: School, registry: Registry, models: list[Model]
) -> None:
    promote(made, registry, models[0])
    renamed = FeatureSchema(tuple(f"new_{name}" for name in NAMES), "new")
    table = replace(made.table, schema=renamed)
    changed = School(table, made.statistics, made.split, made.truth)
    brain = changed.fit()
    evaluation = evaluate(brain, table, made.split, SETTINGS)
    move = promote(changed, registry, (brain, evaluation), day=1)
    assert (move.before, move.after) == (1, 2)


def test_a_home_that_was_moved_still_serves_and_takes_new_versions(
    home: Path, made: School, registry: Registry, models: list[Model]
) -> None:
    promote(made, registry, models[0])
    elsewhere = home.parent / "elsewhere"
    shutil.move(home, elsewhere)
    moved = Registry(elsewhere)
    serving = moved.champion()
    assert serving is not None
    assert serving.problems == ()
    assert promote(made, moved, models[2], day=1).after == 2
    assert not home.exists()


def test_an_unknown_version_is_refused_with_those_that_are_there(registry: Registry, models: list[Model]) -> None:
    register(registry, models[0])
    with pytest.raises(ModelError, match="no version 9 of main_brain; there are: 1"):
        registry.load(9)


def test_two_at_once_register_one_version(home: Path, models: list[Model]) -> None:
    numbers: list[int] = []
    threads = [threading.Thread(target=lambda: numbers.append(register(Registry(home), models[0]))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == [1, 1]
