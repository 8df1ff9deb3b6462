"""Trained, judged and described by the real assets on a small lake: the card lies where people look for it."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import pytest

from aivo_assets.assets.brain.main_brain import main_brain_candidate, main_brain_evaluation
from aivo_assets.assets.brain.model_card import main_brain_card, published
from aivo_assets.lake import Lake, open_lake
from aivo_assets.resources.clock import FixedClock
from aivo_assets.settings import Settings
from aivo_assets.tracing.card.model_card import HTML, MARKDOWN
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.model.training import TRAINING_FEATURES
from aivo_assets_tests.tracing.small_lake import FIRST, events, filled, settings, trained_on

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

DAY = FIRST + timedelta(days=19)
NOW = datetime.combine(DAY + timedelta(days=1), time(2), tzinfo=UTC)
Home = tuple[Settings, Lake, Registry]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    given = settings(tmp_path_factory.mktemp("home"))
    lake = open_lake(given)
    filled(lake, events(days=20))
    trained_on(lake, DAY, given)
    return given, lake, Registry(given.home)


def materialise(home: Home, assets: list[dg.AssetsDefinition]) -> dict[str, object]:
    """Figures of the last asset."""
    given, lake, registry = home
    clock = dg.ResourceDefinition.hardcoded_resource(FixedClock(NOW))
    result = dg.materialize(
        assets,
        resources={"settings": given, "lake": lake, "registry": registry, "clock": clock},
        partition_key=DAY.isoformat(),
    )
    events = result.asset_materializations_for_node(assets[-1].node_def.name)
    return {name: value.value for name, value in events[-1].metadata.items()}


def test_a_version_gets_its_card_once_beside_it_and_in_the_lake(home: Home) -> None:
    given, lake, registry = home
    features = lake.scan(TRAINING_FEATURES, days=[DAY]).collect()
    lake.write(TRAINING_FEATURES, features, day=DAY, made_by={"sampling": "every answer of 60 learners, drawn from 99"})
    figures = materialise(home, [main_brain_candidate, main_brain_evaluation, main_brain_card])
    html = registry.document(1, HTML)
    markdown = registry.document(1, MARKDOWN)
    assert html is not None
    assert markdown is not None
    card = published(lake, 1)
    assert card == lake.root / "main_brain/cards/version=1.html"
    assert card.read_bytes() == html.read_bytes()
    assert figures["card"] == "http://127.0.0.1:8009/documents/main_brain/version=1.html"
    text = markdown.read_text()
    assert "Decision. Promoted: its log loss is" in text
    assert "grade: 7" in text
    assert "It was trained on a sample: every answer of 60 learners, drawn from 99." in text
    assert "reported: age band, gender, region, disability." in text
    assert f"at least {given.privacy.k_anonymity} learners" in text

    before = html.stat().st_mtime_ns
    again = materialise(home, [main_brain_candidate, main_brain_evaluation, main_brain_card])
    assert again["rows_in"] == 0
    assert html.stat().st_mtime_ns == before

    Path(str(card)).unlink()
    materialise(home, [main_brain_card])
    assert card.read_bytes() == html.read_bytes()
    assert registry.load(1).fingerprint == registry.version(1).fingerprint  # documents beside it do not break a model


def test_documents_of_a_version_that_is_not_there_are_refused(home: Home) -> None:
    with pytest.raises(Exception, match="no version 99"):
        home[2].document(99, HTML)
