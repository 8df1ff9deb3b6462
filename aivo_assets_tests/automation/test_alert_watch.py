"""The look-out: every rule over a real lake and instance, the digest once, the asset that shows what is undelivered."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.automation.alerting import Sources, look_out, show
from aivo_assets.automation.sensors import watch_alerts
from aivo_assets.events.receipts import Receipt, write_receipt
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake
from aivo_assets.operations.alerts.alert import Alert, Delivery
from aivo_assets.operations.alerts.interventions import NOTIFIED
from aivo_assets.operations.alerts.outbox import Outbox
from aivo_assets.settings import AlertSettings
from aivo_assets.tracing.judging.promotion import Identity, Verdict
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.judging.verdicts import VERDICTS, refused_in_a_row
from aivo_assets_tests.conftest import NOW

TODAY = NOW.date()
DAY = timedelta(days=1)


class Recorder:
    """A channel that keeps what it is sent while it is up."""

    name = "recorder"

    def __init__(self) -> None:
        self.sent: list[Alert] = []
        self.up = True

    def send(self, alert: Alert) -> Delivery:
        if self.up:
            self.sent.append(alert)
        return Delivery(delivered=self.up, attempts=1, problem=None if self.up else "down")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def told() -> Recorder:
    return Recorder()


@pytest.fixture
def outbox(tmp_path: Path, told: Recorder) -> Outbox:
    return Outbox(tmp_path / "alerts", [told], remind=DAY, keep=30 * DAY)


@pytest.fixture
def look(lake: Lake, tmp_path: Path, instance: dg.DagsterInstance, outbox: Outbox) -> Any:
    """One look at an instant; what went wrong is an error here."""

    def at(now: datetime = NOW) -> list[str]:
        problems: list[str] = []
        sources = Sources(lake, Registry(tmp_path), instance, AlertSettings(), now)
        look_out(sources, outbox, outbox, problems.append)
        assert problems == []
        return sorted(kept.alert.key for kept in outbox.entries())

    return at


def landed(lake: Lake, at: datetime, *, kept: int, set_aside: int = 0) -> None:
    rows = kept + set_aside
    receipt = Receipt(f"run-{at:%d%H}", "simulator", "b", at, rows, kept, 0, set_aside, rows)
    write_receipt(lake, receipt, what=f"{at:%Y-%m-%d}")


def refused(lake: Lake, day: Any, fingerprint: str, *, promote: bool = False) -> None:
    verdict = Verdict(
        promote=promote, reason="No better.", decided_at=datetime(day.year, day.month, day.day, 3, tzinfo=NOW.tzinfo),
        challenger=Identity(fingerprint=fingerprint, as_of=day), champion=None, since=None, events=0, difference=None,
        challenger_scores=None, reference_scores=None, findings=(),
    )  # fmt: skip
    row = {"day": day, "promote": promote, "reason": verdict.reason, "challenger_version": 1,
           "verdict": verdict.model_dump_json()}  # fmt: skip
    lake.write(VERDICTS, pl.DataFrame([row], schema=dict(VERDICTS.schema)), day=day)


FINE = "f" * 32  # a learner who carries on


def recommended(lake: Lake, day: Any, *learners: str, nobody: bool = False) -> None:
    """A day on which these learners struggle and another carries on, or one that holds nothing."""
    values = {"day": day, "rank": 1, "shard": 0, "priority": "urgent", "kind": "remediation", "subject": "maths"}
    row = {**dict.fromkeys(RECOMMENDATIONS.schema), **values, "skill_id": "fractions", "reasoning": "2 of 10 right."}
    fine = {**row, "learner": FINE, "kind": "maintain", "priority": "low"}
    rows = [] if nobody else [fine, *({**row, "learner": learner} for learner in learners)]
    lake.write(RECOMMENDATIONS, pl.DataFrame(rows, schema=dict(RECOMMENDATIONS.schema)), day=day)


def test_a_new_platform_alerts_nobody(look: Any) -> None:
    assert look() == []


def test_a_quiet_healthy_platform_alerts_nobody(look: Any, lake: Lake) -> None:
    landed(lake, NOW - timedelta(hours=2), kept=1000, set_aside=10)
    refused(lake, TODAY - DAY, "a", promote=True)
    assert look() == []


def test_what_is_wrong_is_found_and_told_once(look: Any, lake: Lake, told: Recorder) -> None:
    landed(lake, NOW - timedelta(hours=2), kept=800, set_aside=200)
    refused(lake, TODAY - DAY, "a")
    refused(lake, TODAY, "b")
    for minute in range(3):
        assert look(NOW + timedelta(minutes=minute)) == ["quarantine", "refused:main_brain"]
    assert len(told.sent) == 2


def test_silence_is_told(look: Any, lake: Lake) -> None:
    landed(lake, NOW - 4 * DAY, kept=1000)
    landed(lake, NOW - timedelta(hours=1), kept=0)  # the source answers, and has nothing new
    assert look() == ["no_data"]


def test_a_damaged_raw_file_is_told_and_its_place_named(look: Any, lake: Lake, told: Recorder) -> None:
    landed(lake, NOW - timedelta(hours=1), kept=1)
    lake.write(RAW_INTERACTIONS, RAW_INTERACTIONS.empty(), day=TODAY)
    assert look() == []
    cut = Path(lake.files(RAW_INTERACTIONS, days=[TODAY])[0])
    cut.write_bytes(cut.read_bytes()[:50])
    assert look() == ["damaged_raw"]
    assert f"{cut} of 50 bytes" in told.sent[0].body


def test_refusals_count_from_the_last_promotion_and_a_model_counts_once(lake: Lake) -> None:
    for back, name, promote in ((4, "a", False), (3, "b", True), (2, "c", False), (1, "c", False)):
        refused(lake, TODAY - back * DAY, name, promote=promote)
    assert [verdict.challenger.fingerprint for verdict in refused_in_a_row(lake)] == ["c"]


def test_teachers_are_told_once_a_day_of_a_learner_however_often_it_is_looked(
    look: Any, lake: Lake, told: Recorder
) -> None:
    anna, ben = "a" * 32, "b" * 32
    recommended(lake, TODAY - DAY)
    recommended(lake, TODAY, anna)
    look()
    look(NOW + timedelta(hours=1))
    recommended(lake, TODAY, anna, ben)
    look(NOW + timedelta(hours=2))  # within the hours between two digests
    assert [alert.title for alert in told.sent] == ["1 learner newly struggles (10 Mar 2026)"]
    look(NOW + timedelta(hours=5))
    assert len(told.sent) == 2
    assert ben in told.sent[1].body
    assert anna not in told.sent[1].body
    assert lake.scan(NOTIFIED).collect()["learner"].sort().to_list() == [anna, ben]


@pytest.mark.parametrize("gap", [1, 3, 20])
def test_after_days_that_hold_nothing_only_those_are_told_of_who_are_new(
    look: Any, lake: Lake, told: Recorder, gap: int
) -> None:
    """Nobody answered for some days, or the days were made empty; then five struggle, of whom two did before."""
    known, new = ["1" * 32, "2" * 32], ["3" * 32, "4" * 32, "5" * 32]
    recommended(lake, TODAY - (gap + 1) * DAY, *known)
    for back in range(1, gap + 1):
        recommended(lake, TODAY - back * DAY, nobody=True)
    recommended(lake, TODAY, *known, *new)
    look()
    assert lake.scan(NOTIFIED).collect()["learner"].sort().to_list() == new
    assert [alert.title for alert in told.sent] == ["3 learners newly struggle (10 Mar 2026)"]


def test_who_is_left_out_of_one_day_is_not_new_on_the_next(look: Any, lake: Lake) -> None:
    """A day that holds some learners and not others."""
    recommended(lake, TODAY - 2 * DAY, "1" * 32)
    recommended(lake, TODAY - DAY)
    recommended(lake, TODAY, "1" * 32)
    assert look() == []


def test_where_nothing_but_empty_days_lies_before_nobody_is_new(look: Any, lake: Lake) -> None:
    recommended(lake, TODAY - DAY, nobody=True)
    recommended(lake, TODAY, "1" * 32)
    assert look() == []


def test_a_digest_that_was_registered_and_not_sent_is_sent_by_the_next_look(
    look: Any, lake: Lake, told: Recorder, outbox: Outbox
) -> None:
    """As after a crash between the two."""
    recommended(lake, TODAY - DAY)
    recommended(lake, TODAY, "a" * 32)
    look()
    for file in (outbox._folder).glob("*.json"):
        file.unlink()
    look(NOW + timedelta(minutes=1))
    assert len(told.sent) == 2


def test_past_years_that_are_loaded_tell_no_teacher(look: Any, lake: Lake) -> None:
    recommended(lake, TODAY - 400 * DAY)
    recommended(lake, TODAY - 399 * DAY, "a" * 32)
    assert look() == []


@pytest.mark.parametrize("shown", [datetime(2019, 5, 1, 9, tzinfo=UTC), datetime(2031, 5, 1, 9, tzinfo=UTC)])
def test_runs_and_files_are_dated_by_the_machine_and_answers_by_the_platform(
    shown: datetime, lake: Lake, tmp_path: Path, instance: dg.DagsterInstance, outbox: Outbox
) -> None:
    """A platform whose clock shows another year: a queue of seconds is no backlog, answers of today are no silence."""
    job = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("aivo"), "school"), "adaptive_check")
    waits = dg.DagsterRunStatus.QUEUED
    instance.add_run(dg.DagsterRun(job_name="adaptive_check", status=waits, remote_job_origin=job))
    landed(lake, shown - timedelta(hours=2), kept=1000)
    machine = datetime.now(UTC)
    sources = Sources(lake, Registry(tmp_path), instance, AlertSettings(), shown, machine)
    problems: list[str] = []
    assert look_out(sources, outbox, outbox, problems.append) == []
    later = Sources(lake, Registry(tmp_path), instance, AlertSettings(), shown, machine + timedelta(hours=9))
    assert {each.alert.key for each in look_out(later, outbox, outbox, problems.append)} == {"backlog"}
    assert problems == []


def test_a_rule_that_cannot_be_asked_is_an_alert_and_stops_no_other(
    lake: Lake, tmp_path: Path, instance: dg.DagsterInstance, outbox: Outbox
) -> None:
    landed(lake, NOW - 4 * DAY, kept=1000)
    day = lake.root / "main_brain/verdicts/day=2026-03-10"
    lake.write_bytes("main_brain/verdicts/day=2026-03-10/_manifest.json", b"{ truncated")
    assert day.exists()
    problems: list[str] = []
    sources = Sources(lake, Registry(tmp_path), instance, AlertSettings(), NOW)
    kept = look_out(sources, outbox, outbox, problems.append)
    assert {each.alert.key for each in kept} == {"no_data", "rule:refused", "rule:one_outcome"}
    assert len(problems) == 2  # both read the verdicts


def test_the_asset_shows_what_could_not_be_delivered_until_it_was(
    lake: Lake, tmp_path: Path, instance: dg.DagsterInstance, outbox: Outbox, told: Recorder
) -> None:
    def tick(now: datetime, cursor: str | None) -> dg.SensorResult:
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        return watch_alerts(context, Sources(lake, Registry(tmp_path), instance, AlertSettings(), now), outbox, outbox)

    landed(lake, NOW - 4 * DAY, kept=1000)
    told.up = False
    first = tick(NOW, None)
    shown, check = first.asset_events
    assert isinstance(check, dg.AssetCheckEvaluation)
    assert (shown.metadata["undelivered"].value, check.passed) == (1, False)
    told.up = True
    _, check = tick(NOW + timedelta(minutes=5), first.cursor).asset_events
    assert check.passed
    assert [alert.title for alert in told.sent] == ["No data is arriving"]
    assert show(outbox.entries())[1].passed


def test_the_definitions_know_the_asset_its_check_and_its_sensor(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    assert dg.AssetKey("alerts") in repository.asset_graph.get_all_asset_keys()
    assert "alert_watch" in {sensor.name for sensor in repository.sensor_defs}
    keys = {key.name for key in repository.asset_graph.asset_check_keys}
    assert "every_alert_delivered" in keys
