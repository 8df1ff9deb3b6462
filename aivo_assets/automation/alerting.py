"""The look-out: asks every rule, tells the digest, tries again what was not delivered, and shows all of it as an asset.

Belongs here: from lake, registry and instance to the rules' arguments. The rules are operations/alerts/rules.py, the
digest is operations/alerts/interventions.py, and delivery is operations/alerts/outbox.py.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

import dagster as dg
import polars as pl
from upath import UPath

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.events.receipts import RECEIPTS_PATH
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake
from aivo_assets.lake.commits.damage import damaged_files
from aivo_assets.lake.commits.looking_round import looked_at, turn
from aivo_assets.language import Language
from aivo_assets.operations.alerts import rules
from aivo_assets.operations.alerts.alert import Alert, Notifier
from aivo_assets.operations.alerts.folding import OutboxEntry
from aivo_assets.operations.alerts.interventions import (
    NEEDED,
    NOTIFIED,
    digests,
    newly_struggling,
    register,
    struggling,
)
from aivo_assets.operations.alerts.outbox import Outbox
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import AlertSettings
from aivo_assets.tracing.fold.schema import FeatureSchema
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.judging.verdicts import newest_verdict, refused_in_a_row

ALERTS = dg.AssetKey("alerts")
CHECK: Final = "every_alert_delivered"
DAYS_OF_CLASSES: Final = 14
"""Days of answers in which it is looked up in which class a learner works."""

DIGEST_HOLDS_FOR: Final = timedelta(days=2)
"""Recommendations of an earlier day are history, as where past years are loaded; no teacher is told of them."""

DAYS_BEFORE: Final = 28
"""Days in which a learner's recommendation before is looked for: for as long a skill without practice is advised on."""

SHOWN: Final = 50

_RECEIPT: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "landed_at": pl.Datetime("us", "UTC"),
    "rows_in": pl.Int64,
    "set_aside": pl.Int64,
    "kept": pl.Int64,
    "events": pl.Boolean,
}

SHOWS_ALERTS: Final = dg.AssetSpec(
    ALERTS,
    description="What people were told, how often it was seen, and what could not be delivered yet. The sensor "
    "alert_watch brings it up to date where something changed.",
    group_name="operations",
    owners=["team:data-platform"],
)


@dataclass(frozen=True)
class Sources:
    """What the rules are asked about.

    Attributes:
        now: The platform's present instant: of answers, receipts, verdicts.
        machine_now: The machine's: of runs and files. The two differ where the platform has a clock of its own; None
            where it has none.
        language: Of the teachers, for dates.
        features: What the settings and the code fold; None: whatever the champion reads.
    """

    lake: Lake
    registry: Registry
    instance: dg.DagsterInstance
    settings: AlertSettings
    now: datetime
    machine_now: datetime | None = None
    language: Language = field(default_factory=lambda: Language("en"))
    features: FeatureSchema | None = None

    @property
    def by_machine(self) -> datetime:
        """The present instant by the machine's clock."""
        return self.machine_now or self.now


def look_out(sources: Sources, notifier: Notifier, outbox: Outbox, log: Callable[[str], None]) -> list[OutboxEntry]:
    """Ask every rule, send what it finds, and try again what waits.

    A rule that cannot be asked stops no other one, and is an alert itself.

    Args:
        sources: What the rules are asked about.
        notifier: Takes the alerts.
        outbox: Tries again what was not delivered.
        log: Takes a line about what went wrong.

    Returns:
        All that is kept, the newest first.
    """
    for ask in (_refused, _one_outcome, _unservable, _set_aside_and_silence, _damaged, _stale, _backlog, _digests):
        try:
            alerts = list(ask(sources))
        except Exception as error:
            log(f"The alert rule {ask.__name__} could not be asked: {type(error).__name__}: {error}")
            alerts = [_broken(ask.__name__.strip("_"), error, sources.now)]
        for alert in alerts:
            if not (alert.key.startswith("intervention:") and outbox.knows(alert.key)):
                notifier.send(alert)
    outbox.deliver(sources.now)
    return outbox.entries()


def show(entries: list[OutboxEntry]) -> tuple[dg.AssetMaterialization, dg.AssetCheckEvaluation, str]:
    """The asset `alerts` and its check as they are now, and a digest of both that changes when they do."""
    waiting = [each for each in entries if not each.is_delivered]
    rows = [
        dg.TableRecord(
            {
                "what": each.alert.title,
                "severity": each.alert.severity,
                "first": f"{each.first_at:%Y-%m-%d %H:%M}",
                "last": f"{each.alert.occurred_at:%Y-%m-%d %H:%M}",
                "times": each.count,
                "delivered": "yes" if each.is_delivered else f"no: {each.problem or 'not tried yet'}",
            }
        )
        for each in entries[:SHOWN]
    ]
    state = hashlib.sha256(repr([sorted(row.data.items()) for row in rows]).encode()).hexdigest()[:16]
    table = dg.MetadataValue.table(rows) if rows else dg.MetadataValue.text("none")
    shown = dg.AssetMaterialization(
        ALERTS, metadata={"kept": len(entries), "undelivered": len(waiting), "alerts": table}
    )
    check = dg.AssetCheckEvaluation(
        asset_key=ALERTS,
        check_name=CHECK,
        passed=not waiting,
        metadata={"undelivered": len(waiting), "oldest": str(min((each.first_at for each in waiting), default="none"))},
    )
    return shown, check, state


def _refused(sources: Sources) -> Iterable[Alert]:
    return _one(rules.refused_twice(refused_in_a_row(sources.lake), sources.now))


def _one_outcome(sources: Sources) -> Iterable[Alert]:
    return _one(rules.one_outcome(newest_verdict(sources.lake), sources.now))


def _unservable(sources: Sources) -> Iterable[Alert]:
    standing = sources.registry.standing(sources.features)
    return _one(rules.no_champion_can_serve(standing.problems if standing.version is None else (), sources.now))


def _set_aside_and_silence(sources: Sources) -> Iterable[Alert]:
    settings, now = sources.settings, sources.now
    since = now - timedelta(hours=max(24.0, settings.no_data_hours))
    receipts, any_before = _receipts(sources.lake, since, sources.by_machine - (now - since))
    of_the_day = receipts.filter(pl.col("landed_at") > now - timedelta(days=1))
    intake = rules.Intake(int(of_the_day["rows_in"].sum()), int(of_the_day["set_aside"].sum()))
    yield from _one(rules.too_much_set_aside(intake, settings.quarantine_share, settings.quarantine_minimum_rows, now))
    arrived = receipts.filter("events", pl.col("kept") > 0)["landed_at"].max()
    last = arrived if isinstance(arrived, datetime) else since - timedelta(seconds=1) if any_before else None
    yield from _one(rules.no_data(last, now, settings.no_data_hours))


def _damaged(sources: Sources) -> Iterable[Alert]:
    lake = sources.lake
    days = looked_at(lake.days_named(RAW_INTERACTIONS), turn(sources.by_machine, sources.settings.watch_seconds))
    return _one(rules.damaged_raw(damaged_files(lake, RAW_INTERACTIONS, days), sources.now))


def _stale(sources: Sources) -> Iterable[Alert]:
    moves = sources.registry.moves()
    if not moves:
        return []
    champion = sources.registry.version(moves[-1].after)
    return _one(
        rules.stale_champion(champion.number, champion.as_of, sources.now, sources.settings.stale_champion_days)
    )


def _backlog(sources: Sources) -> Iterable[Alert]:
    queued = sources.instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]), limit=500)
    waited = [sources.by_machine - record.create_timestamp.replace(tzinfo=UTC) for record in queued]
    since = [sources.now - long for long in waited]  # an alert is dated by the platform's clock
    return _one(rules.backlog(since, sources.now, sources.settings.backlog_minutes))


def _digests(sources: Sources) -> Iterable[Alert]:
    """The digests of the newest day: those that its register holds, and one more where somebody newly struggles."""
    lake, settings = sources.lake, sources.settings
    days = lake.newest_days(RECOMMENDATIONS, DAYS_BEFORE + 1)
    if not days or sources.now.date() - days[-1] > DIGEST_HOLDS_FOR:
        return []
    notified = lake.scan(NOTIFIED, days=days[-1:]).collect()
    last = notified["told_at"].max()
    if isinstance(last, datetime) and sources.now - last < timedelta(hours=settings.digest_hours):
        return digests(notified, sources.language)
    newest = lake.scan(RECOMMENDATIONS, days=days[-1:]).select(NEEDED).collect()
    new = newly_struggling(newest, _before(lake, days, struggling(newest)["learner"]), notified)
    if new.height:
        notified = register(
            new, _classes(lake, new["learner"]), notified, now=sources.now, most=settings.digest_learners
        )
        lake.write(NOTIFIED, notified, day=days[-1])
    return digests(notified, sources.language)


def _before(lake: Lake, days: list[date], learners: pl.Series) -> pl.DataFrame | None:
    """What these learners were recommended on the days before the last of some; None where nobody was anything."""
    earlier = [day for day in days[:-1] if days[-1] - day <= timedelta(days=DAYS_BEFORE)]
    rows = ((lake.manifest(RECOMMENDATIONS, day=day) or {"rows": 0})["rows"] for day in earlier)
    if not any(rows):
        return None
    scan = lake.scan(RECOMMENDATIONS, days=earlier).filter(pl.col("learner").is_in(learners.implode()))
    return scan.select(NEEDED).collect()


def _classes(lake: Lake, learners: pl.Series) -> pl.DataFrame:
    """The class of each learner's newest answer."""
    days = lake.newest_days(ANONYMISED_INTERACTIONS, DAYS_OF_CLASSES)
    answers = lake.scan(ANONYMISED_INTERACTIONS, days=days).filter(pl.col("learner").is_in(learners.implode()))
    newest = answers.sort("day", "sequence").group_by("learner").agg(pl.col("class_").drop_nulls().last())
    return newest.collect()


def _receipts(lake: Lake, since: datetime, written_since: datetime) -> tuple[pl.DataFrame, bool]:
    """Receipts that landed since an instant, and whether there is any older one of events.

    Args:
        lake: Where they are.
        since: By the platform's clock, as receipts are dated.
        written_since: By the machine's, as files are; what was written before is not opened.
    """
    base = lake.root / RECEIPTS_PATH
    paths = [path for path in base.iterdir() if path.name.endswith(".json")] if base.exists() else []
    read = []
    older = False
    for path in paths:
        events = not path.name.endswith(".learners.json") and not path.name.startswith(".")
        written = path.stat().st_mtime
        if written and written < written_since.timestamp():
            older = older or events
            continue
        row = _receipt(path, written)
        older = older or (events and row[0] <= since)
        if row[0] > since:
            read.append((*row, events))
    return pl.DataFrame(read, schema=_RECEIPT, orient="row"), older


@lru_cache(maxsize=20_000)
def _receipt(path: UPath, _: float) -> tuple[datetime, int, int, int]:
    row = json.loads(path.read_text())
    return datetime.fromisoformat(row["landed_at"]), row["rows_in"], row["set_aside"], row["kept"]


def _broken(name: str, error: Exception, now: datetime) -> Alert:
    return Alert(
        title="An alert rule could not be asked",
        body=f"Rule {name}: {type(error).__name__}. The log of the daemon says more; the other rules were asked.",
        severity="error",
        key=f"rule:{name}",
        occurred_at=now,
        occurrence=f"{now:%Y-%m-%d}",
    )


def _one(alert: Alert | None) -> list[Alert]:
    return [] if alert is None else [alert]
