"""Where the events of the window do not fit into memory, whole learners are left out, and everything says so."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from aivo_assets.assets.brain.features import fold_training_events, training_events
from aivo_assets.assets.brain.hyperparameters import main_brain_hyperparameters
from aivo_assets.assets.brain.main_brain import (
    VERDICTS,
    main_brain_candidate,
    main_brain_evaluation,
    main_brain_promotion,
)
from aivo_assets.assets.brain.model_card import main_brain_card
from aivo_assets.assets.stored import answers_of_training
from aivo_assets.errors import ModelError
from aivo_assets.lake import Lake, open_lake
from aivo_assets.operations.jobs.names import TRAINED_OF
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import FixedClock
from aivo_assets.settings import Settings
from aivo_assets.tracing.card.model_card import MARKDOWN
from aivo_assets.tracing.fold.catalogue import FEATURES, feature_schema
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.judging.promotion import Verdict
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.model.main_brain import MadeBy, fingerprint
from aivo_assets.tracing.model.scores import Scores
from aivo_assets.tracing.model.search.sampling import BASE_BYTES, BYTES_PER_EVENT_AND_FEATURE, GIB, events_within
from aivo_assets.tracing.model.training import (
    ITEM_STATISTICS,
    SKILL_STATISTICS,
    TOTALS,
    TRAINING_FEATURES,
    to_frame,
    training_set,
)
from aivo_assets_tests.tracing.small_lake import FIRST, events, filled, settings

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

LEARNERS, A_DAY, MOST = 60, 4, 2600
CHAMPION_DAY, SAMPLED_DAY = FIRST + timedelta(days=19), FIRST + timedelta(days=21)
TRAINING = [main_brain_hyperparameters, main_brain_candidate, main_brain_evaluation, main_brain_promotion]
Figures = dict[str, dict[str, object]]


def gib_for(rows: int) -> float:
    """Memory that holds so many events and not one more."""
    return (BASE_BYTES + (rows + 0.5) * BYTES_PER_EVENT_AND_FEATURE * len(FEATURES)) / GIB


def with_memory(given: Settings, gib: float) -> Settings:
    return given.model_copy(update={"training": given.training.model_copy(update={"memory_gib": gib})})


def materialise(given: Settings, day: date, assets: list[dg.AssetsDefinition], *, keep: Path) -> Figures:
    """Metadata of what these assets made as of a day, by name."""
    now = datetime.combine(day + timedelta(days=1), time(2), tzinfo=UTC)
    with dg.DagsterInstance.ephemeral(tempdir=str(keep)) as instance:
        result = dg.materialize(
            assets,
            resources={
                "settings": given, "lake": open_lake(given), "registry": Registry(given.home),
                "clock": dg.ResourceDefinition.hardcoded_resource(FixedClock(now)),
            },
            partition_key=day.isoformat(),
            instance=instance,
        )  # fmt: skip
    made = (event.materialization for event in result.get_asset_materialization_events())
    return {
        each.asset_key.to_user_string(): {name: value.value for name, value in each.metadata.items()} for each in made
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def roomy(folder: Path) -> Settings:
    """A school whose events fit, with a champion that was trained on all of them."""
    given = settings(folder, tuning={"trials": 0})
    filled(open_lake(given), events(learners=LEARNERS, days=22, a_day=A_DAY))
    materialise(given, CHAMPION_DAY, [fold_training_events, *TRAINING], keep=folder)
    return given


@pytest.fixture(scope="module")
def sampled(roomy: Settings, folder: Path) -> tuple[Settings, Figures]:
    """The same school two days later with too little memory: its training, and what that said."""
    given = with_memory(roomy, gib_for(MOST))
    return given, materialise(given, SAMPLED_DAY, [fold_training_events, *TRAINING, main_brain_card], keep=folder)


def kept(lake: Lake) -> pl.DataFrame:
    return lake.scan(TRAINING_FEATURES, days=[SAMPLED_DAY]).collect()


def test_the_default_memory_holds_two_million_events() -> None:
    assert events_within(Settings().training.memory_gib, len(FEATURES)) > 2_000_000
    assert events_within(gib_for(MOST), len(FEATURES)) == MOST
    assert events_within(0.1, len(FEATURES)) == 0


def test_where_all_fits_nothing_changes_to_the_last_bit_and_nothing_is_said(roomy: Settings, tmp_path: Path) -> None:
    lake = open_lake(roomy)
    everything = lake.scan(ANONYMISED_INTERACTIONS, until=CHAMPION_DAY).collect()
    plain = to_frame(training_set(everything, roomy.features, roomy.training).table)
    assert lake.scan(TRAINING_FEATURES, days=[CHAMPION_DAY]).collect().equals(plain)
    version = lake.version(TRAINING_FEATURES, days=[CHAMPION_DAY])
    exact = with_memory(roomy, gib_for(everything.height))
    figures = materialise(exact, CHAMPION_DAY, [fold_training_events], keep=tmp_path)
    assert lake.version(TRAINING_FEATURES, days=[CHAMPION_DAY]) == version
    assert "sampling" not in lake.manifest(TRAINING_FEATURES, day=CHAMPION_DAY)["made_by"]  # type: ignore[index]
    assert figures["training_features"]["trained on"] == "all 4,800 answers of all 60 learners"


def test_a_training_says_which_answers_it_knew_and_those_of_later_days_are_not_among_them(
    sampled: tuple[Settings, Figures],
) -> None:
    lake = open_lake(sampled[0])
    known = answers_of_training(lake, SAMPLED_DAY)
    assert sampled[1]["main_brain_candidate"][TRAINED_OF] == known == lake.version(ANONYMISED_INTERACTIONS)
    assert answers_of_training(lake, CHAMPION_DAY) == lake.version(ANONYMISED_INTERACTIONS, until=CHAMPION_DAY) != known


def test_the_memory_is_no_parameter_of_the_model(roomy: Settings) -> None:
    statistics = Registry(roomy.home).load(1).statistics
    made_by = MadeBy(data_versions={}, code_version="c")
    prints = {
        fingerprint(feature_schema(roomy.features), statistics, with_memory(roomy, gib).training, made_by)
        for gib in (8.0, 64.0)
    }
    assert len(prints) == 1


def test_beyond_it_learners_are_kept_whole_and_within_the_budget(sampled: tuple[Settings, Figures]) -> None:
    table = kept(open_lake(sampled[0]))
    assert 0.9 * MOST < table.height <= MOST
    assert set(table.group_by("learner").len()["len"]) == {22 * A_DAY}
    assert table["learner"].n_unique() < LEARNERS


def test_the_same_learners_are_kept_again(sampled: tuple[Settings, Figures], tmp_path: Path) -> None:
    lake = open_lake(sampled[0])
    before = lake.version(TRAINING_FEATURES, days=[SAMPLED_DAY])
    materialise(sampled[0], SAMPLED_DAY, [fold_training_events], keep=tmp_path)
    assert lake.version(TRAINING_FEATURES, days=[SAMPLED_DAY]) == before
    earlier, _ = training_events(lake, SAMPLED_DAY - timedelta(days=1), sampled[0])
    assert set(kept(lake)["learner"]) <= set(earlier["learner"])


def test_data_report_and_card_say_how_many_of_how_many(sampled: tuple[Settings, Figures]) -> None:
    given, figures = sampled
    lake, registry = open_lake(given), Registry(given.home)
    learners = kept(lake)["learner"].n_unique()
    sentence = (
        f"{learners * 22 * A_DAY:,} of {LEARNERS * 22 * A_DAY:,} answers: every answer of {learners} learners, "
        f"drawn from {LEARNERS}"
    )
    for dataset in (TRAINING_FEATURES, ITEM_STATISTICS, SKILL_STATISTICS, TOTALS):
        manifest = lake.manifest(dataset, day=SAMPLED_DAY)
        assert manifest is not None
        assert manifest["made_by"]["sampling"] == sentence
    assert figures["training_features"]["trained on"] == sentence
    assert figures["training_features"]["rows_in"] == LEARNERS * 22 * A_DAY
    assert figures["main_brain_candidate"]["trained on"] == sentence
    card = registry.document(2, MARKDOWN)
    assert card is not None
    assert f"It was trained on a sample: {sentence}." in card.read_text()
    first = open_lake(given).manifest(TRAINING_FEATURES, day=CHAMPION_DAY)
    assert first is not None
    assert "sampling" not in first["made_by"]


def test_champion_and_challenger_are_compared_on_the_same_answers(sampled: tuple[Settings, Figures]) -> None:
    """The champion of all learners is asked about those of the sample, from features of its own statistics."""
    given, _ = sampled
    lake, registry = open_lake(given), Registry(given.home)
    verdict = Verdict.model_validate(json.loads(lake.scan(VERDICTS, days=[SAMPLED_DAY]).collect()["verdict"].item()))
    champion, challenger = registry.load(1), registry.load(2)
    assert verdict.champion is not None
    assert (verdict.champion.fingerprint, verdict.challenger.fingerprint) == (
        champion.fingerprint, challenger.fingerprint,
    )  # fmt: skip
    everything = lake.scan(ANONYMISED_INTERACTIONS, until=SAMPLED_DAY).collect()
    table = fold(everything, champion.statistics, None, given.features).features
    late = (table.keys["occurred_at"] >= challenger.summary.unseen_from).to_numpy()
    sampled_too = table.keys["learner"].is_in(kept(lake)["learner"].unique().implode()).to_numpy()
    asked = table.take(late & sampled_too)
    assert verdict.events == asked.height
    assert verdict.reference_scores == Scores.of(asked.target, champion.predict(asked))


def test_answers_that_vanished_since_the_features_were_made_are_not_compared(
    sampled: tuple[Settings, Figures], tmp_path: Path
) -> None:
    given, _ = sampled
    lake = open_lake(given)
    there = lake.scan(ANONYMISED_INTERACTIONS, days=[SAMPLED_DAY]).collect()
    somebody = kept(lake)["learner"][0]
    lake.write(ANONYMISED_INTERACTIONS, there.filter(pl.col("learner") != somebody), day=SAMPLED_DAY)
    try:
        with pytest.raises(ModelError, match="the events changed since the features were made"):
            materialise(given, SAMPLED_DAY, [main_brain_evaluation], keep=tmp_path)
    finally:
        lake.write(ANONYMISED_INTERACTIONS, there, day=SAMPLED_DAY)
