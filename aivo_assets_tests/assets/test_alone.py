"""Each asset and each check launched alone on a real instance: without a day, and for a day that nothing was made for.

Whoever does that in the web UI gets a result, or an error that says what was wrong and what to do first.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from aivo_assets.definitions import build_definitions
from aivo_assets.lake import calendar
from aivo_assets.resources.clock import FixedClock
from aivo_assets.settings import Settings
from aivo_assets_tests.tracing.judging.test_shadow_asset import FIRST_AS_OF, Stage
from aivo_assets_tests.tracing.small_lake import FIRST, events, filled, settings, trained_on

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
LAST = FIRST + timedelta(days=19)
NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
UNMADE = date(2026, 3, 27)
RAW_MESSAGES = ("Cannot access partition_key", "only call '.item()'", "OutOfBounds", "out of bounds", "NoneType")
WITHOUT_A_DAY = {"anonymised_learners", "overrides", "raw_learners", "raw_overrides", "privacy_audit", "retention"}
MADE_ALONE = {"item_bank", "student_models", "learner_states", "learning_signals"}


class Platform:
    """Definitions as the code location loads them, and an instance to launch them on."""

    def __init__(self, given: Settings, instance: dg.DagsterInstance) -> None:
        self.settings, self.instance = given, instance
        self.definitions = build_definitions(given, clock=FixedClock(NOW))
        self.everything = self.definitions.resolve_job_def("weekly_full_retraining")

    def launch(self, names: set[str], day: date | None) -> dg.ExecuteInProcessResult:
        return self.everything.execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey(name) for name in sorted(names)],
            partition_key=None if day is None else day.isoformat(),
            raise_on_error=False,
        )


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Three weeks of answers and a champion; nothing was made of them since."""
    home: Path = tmp_path_factory.mktemp("home")
    given = settings(
        home,
        pseudonym_key="a key of thirty-two characters or more",
        source={"kind": "csv", "path": str(home / "absent.csv")},
        tuning={"trials": 0},
        policy={"evaluation_seeds": 1, "evaluation_learners": 20, "evaluation_weeks": 2, "evaluation_school": 25},
    )
    from aivo_assets.resources.platform import open_lake

    lake = open_lake(given)
    filled(lake, events(learners=40, days=20))
    calendar.extend(lake, FIRST)
    training = trained_on(lake, FIRST_AS_OF, given)
    Stage(home, given, (training, training))
    folder = home / "dagster"
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        yield Platform(given, instance)


def errors(result: dg.ExecuteInProcessResult) -> list[str]:
    """Every message in the chain of each failed step's causes."""
    found = []
    for event in result.get_step_failure_events():
        error = event.step_failure_data.error
        while error is not None:
            found.append(f"{error.cls_name}: {error.message}")
            error = error.cause
    return found


def one_word(result: dg.ExecuteInProcessResult) -> str:
    """Success, or the error that says what to do; a raw message fails the test."""
    if result.success:
        return "success"
    said = errors(result)
    assert said
    clear = [message for message in said if "\n  → " in message]
    assert clear, said
    assert not [raw for raw in RAW_MESSAGES if raw in clear[0]], clear[0]
    return clear[0]


STEPS = [
    {"raw_interactions", "quarantine"}, {"raw_learners"}, {"anonymised_interactions"}, {"anonymised_learners"},
    {"raw_overrides"}, {"overrides"}, {"population_statistics", "training_features"}, {"main_brain_hyperparameters"},
    {"main_brain_candidate"}, {"champion_shadow"}, {"main_brain_evaluation"}, {"main_brain_card"},
    {"main_brain_promotion"}, {"student_intervals"}, {"item_bank"}, {"learner_states", "scored_events"},
    {"student_models"}, {"learning_signals"}, {"recommendation_outcomes"}, {"recommendations"}, {"policy_evaluation"},
    {"drift_verdict"}, {"drift_report"}, {"training_need"}, {"privacy_audit"}, {"retention"},
]  # fmt: skip


@pytest.mark.parametrize("names", STEPS, ids=lambda names: "-".join(sorted(names)))
def test_an_asset_without_a_day_is_made_or_says_that_it_needs_one(names: set[str], platform: Platform) -> None:
    said = one_word(platform.launch(names, None))
    if not names & WITHOUT_A_DAY:
        assert "names no day" in said


@pytest.mark.parametrize("names", STEPS, ids=lambda names: "-".join(sorted(names)))
def test_an_asset_of_a_day_without_upstream_is_made_or_says_what_comes_first(
    names: set[str], platform: Platform
) -> None:
    said = one_word(platform.launch(names, UNMADE))
    if names & MADE_ALONE:
        assert said == "success"


def test_recommendations_of_a_day_without_signals_name_them_and_write_nothing(platform: Platform) -> None:
    from aivo_assets.adaptive.schema import RECOMMENDATIONS
    from aivo_assets.resources.platform import open_lake

    platform.launch({"item_bank"}, LAST)
    said = one_word(platform.launch({"recommendations"}, LAST))
    assert f"no learning_signals of {LAST}" in said
    assert "Materialise learning_signals" in said
    assert LAST not in open_lake(platform.settings).days(RECOMMENDATIONS)


def checks() -> list[str]:
    from aivo_assets.automation.checks import build_checks

    return [key.name for check in build_checks() for key in check.check_keys]


@pytest.mark.parametrize("name", checks())
def test_a_check_alone_looks_at_all_there_is_or_says_what_comes_first(name: str, platform: Platform) -> None:
    everything = platform.definitions.resolve_asset_graph()
    (key,) = [each for each in everything.asset_check_keys if each.name == name]
    job = dg.define_asset_job("alone", selection=dg.AssetSelection.checks(key))
    definitions = dg.Definitions.merge(platform.definitions, dg.Definitions(jobs=[job]))
    result = definitions.resolve_job_def("alone").execute_in_process(instance=platform.instance, raise_on_error=False)
    answered = result.get_asset_check_evaluations()
    assert one_word(result) if not answered else [each.description for each in answered] != [None]
