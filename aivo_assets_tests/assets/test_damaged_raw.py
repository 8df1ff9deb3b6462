"""A raw day that cannot be read: what was made of it stays, other days of the run are made, the audit is refused."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from aivo_assets.assets.intake import privacy_audit as audit
from aivo_assets.assets.intake.anonymised import anonymised_interactions
from aivo_assets.assets.intake.privacy_audit import privacy_audit
from aivo_assets.automation.checks import as_many_as_raw
from aivo_assets.automation.ticks import partition_tags
from aivo_assets.engine import InProcess
from aivo_assets.errors import LakeError
from aivo_assets.events.landing.events import land
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake
from aivo_assets.privacy.artefacts import Artefact
from aivo_assets.privacy.keys import load_key
from aivo_assets.privacy.leak_scan import Finding, scan
from aivo_assets.privacy.raw_values import RawValues
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import FixedClock
from aivo_assets.settings import Settings
from aivo_assets_tests.conftest import NOW
from aivo_assets_tests.events.memory_source import MemorySource, answer, extract

FIRST, SECOND = date(2024, 5, 1), date(2024, 5, 2)


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    settings = Settings(home=tmp_path, pseudonym_key=SecretStr("a key of thirty-two characters or more"))
    lake = Lake(tmp_path / "lake", shards=2)
    return {
        "settings": settings,
        "lake": lake,
        "pseudonym_key": load_key(settings, create=False),
        "engine": InProcess(),
        "clock": FixedClock(NOW),
    }


def landed(lake: Lake, *rows: dict[str, object]) -> None:
    land(lake, MemorySource([extract(rows)]), window=None, now=NOW, run="run")


def anonymised(given: dict[str, Any]) -> dg.ExecuteInProcessResult:
    """One run over both days, with the check that counts them."""
    definitions = dg.Definitions(
        assets=[anonymised_interactions],
        asset_checks=[as_many_as_raw],
        jobs=[dg.define_asset_job("both", executor_def=dg.in_process_executor)],
        resources={name: dg.ResourceDefinition.hardcoded_resource(value) for name, value in given.items()},
    )
    return definitions.resolve_job_def("both").execute_in_process(tags=partition_tags(FIRST, SECOND))


def test_a_run_over_a_damaged_day_leaves_it_as_it_was_and_makes_the_others(given: dict[str, Any]) -> None:
    lake = given["lake"]
    landed(lake, answer(1), answer(2), answer(occurred_at="2024-05-02T08:00:00Z"))
    assert anonymised(given).success
    before = lake.manifest(ANONYMISED_INTERACTIONS, day=FIRST)
    cut = Path(lake.files(RAW_INTERACTIONS, days=[FIRST])[0])
    cut.write_bytes(cut.read_bytes()[:100])
    landed(lake, answer(occurred_at="2024-05-02T09:00:00Z"))
    result = anonymised(given)
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
    assert check.metadata["days that cannot be read"].value == 1
    assert lake.manifest(ANONYMISED_INTERACTIONS, day=FIRST) == before
    assert lake.scan(ANONYMISED_INTERACTIONS).collect().height == 4


def test_the_audit_is_refused_while_it_cannot_know_what_to_search_for(given: dict[str, Any]) -> None:
    lake = given["lake"]
    landed(lake, answer(1))
    Path(lake.files(RAW_INTERACTIONS)[0]).unlink()
    with pytest.raises(LakeError, match="2024-05-01 cannot be read"):
        dg.materialize([privacy_audit], resources={"lake": lake})


def test_the_audit_begins_anew_where_a_file_was_replaced_while_it_was_searched(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a run beside it does, and its time for readers is over; what is there by then is searched."""
    lake = given["lake"]
    landed(lake, answer(1))
    assert anonymised(given).success
    searches = 0

    def scan_while_it_is_replaced(raw: RawValues, artefacts: list[Artefact]) -> list[Finding]:
        nonlocal searches
        searches += 1
        if searches == 1:
            (replaced,) = lake.files(ANONYMISED_INTERACTIONS)
            landed(lake, answer(2))
            assert anonymised(given).success
            Path(replaced).unlink()
        return scan(raw, artefacts)

    monkeypatch.setattr(audit, "scan", scan_while_it_is_replaced)
    monkeypatch.setattr(audit, "SECONDS_TO_SETTLE", 0)
    result = dg.materialize([privacy_audit], resources={"lake": lake})
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, searches) == (True, 2)
