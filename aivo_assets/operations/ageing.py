"""How long what names people is kept. Belongs here: raw answers, names and the quarantine; models are retention.py's.

What is due is worked out once, and both shown (`aivo retention plan`) and removed by it. Raw answers that go are not
needed any more: everything past the raw zone is made from the anonymised ones, which stay, so states can be folded from
nothing from the first of them. A day whose raw answers went is not anonymised again.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from aivo_assets.events.quarantine import QUARANTINE
from aivo_assets.events.receipts import LANDING, read_receipts
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import Lake
from aivo_assets.lake.commits.rewriting import remove_waiting
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings


@dataclass(frozen=True)
class Kept:
    """One kind of what names people.

    Attributes:
        kind: What.
        setting: The variable that says for how long.
        days: For how long; None: without end.
        units: How many there are, in `unit`.
        unit: What is counted.
        oldest: The oldest of them; None where nothing is kept or that is not known.
        due: Those that are kept for longer than they may be.
        next_due: When the next will be; None where none ever will.
    """

    kind: str
    setting: str
    days: int | None
    units: int
    unit: str
    oldest: date | None
    due: tuple[str, ...]
    next_due: date | None


def plan(lake: Lake, settings: Settings, key: PseudonymKey | None, today: date) -> list[Kept]:
    """What is kept, for how long, and what is due; nothing is removed.

    Args:
        lake: Where it lies.
        settings: How long each kind is kept.
        key: The secret of the pseudonyms, by which somebody without raw answers is known to answer still; None: names
            are looked up among raw answers alone.
        today: The present UTC day.
    """
    return [_raw(lake, settings, today), _names(lake, settings, key, today), _quarantine(lake, settings, today)]


def carry_out(lake: Lake, settings: Settings, key: PseudonymKey | None, now: datetime, run: str) -> dict[str, int]:
    """Remove what is due; the same again removes nothing. Returns how much of each kind went."""
    raw, names, quarantine = plan(lake, settings, key, now.date())
    with lake.exclusive(LANDING, run):
        for day in raw.due:
            lake.remove(RAW_INTERACTIONS, day=date.fromisoformat(day))
        if names.due:
            gone = pl.col("learner_id").is_in(list(names.due))
            made_by = (lake.manifest(RAW_LEARNERS) or {"made_by": {}})["made_by"]
            lake.update(RAW_LEARNERS, lambda before: before.filter(~gone), made_by=made_by)
        for batch in quarantine.due:
            lake.update(QUARANTINE, lambda before: before.clear(), batch=batch, made_by={"run": run})
    waiting = sum(remove_waiting(lake, path) for path in (RAW_INTERACTIONS.path, RAW_LEARNERS.path, QUARANTINE.path))
    return {
        "days of raw answers": len(raw.due),
        "names": len(names.due),
        "batches of the quarantine": len(quarantine.due),
        "old files of what was removed": waiting,
    }


def aged_out(lake: Lake, settings: Settings, days: Collection[date], today: date) -> list[date]:
    """Of some days those whose raw answers were kept for long enough and are gone, while the anonymised ones stay."""
    limit = settings.retention.raw_days
    if limit is None:
        return []
    old = [day for day in days if day < today - timedelta(days=limit)]
    return [
        day
        for day in sorted(old)
        if lake.manifest(RAW_INTERACTIONS, day=day) is None
        and lake.manifest(ANONYMISED_INTERACTIONS, day=day) is not None
    ]


def _raw(lake: Lake, settings: Settings, today: date) -> Kept:
    limit, days = settings.retention.raw_days, lake.days(RAW_INTERACTIONS)
    first = None if limit is None else today - timedelta(days=limit)
    due = tuple(str(day) for day in days if first is not None and day < first)
    left = [day for day in days if first is not None and day >= first]
    then = left[0] + timedelta(days=limit + 1) if left and limit is not None else None
    return Kept(
        "raw answers", "AIVO_RETENTION_RAW_DAYS", limit, len(days), "days", days[0] if days else None, due, then
    )  # fmt: skip


def _names(lake: Lake, settings: Settings, key: PseudonymKey | None, today: date) -> Kept:
    """Names of learners who have not answered for so long."""
    limit = settings.retention.names_days
    learners = lake.scan(RAW_LEARNERS).select("learner_id").collect()["learner_id"]
    if limit is None or not len(learners):
        return Kept("names", "AIVO_RETENTION_NAMES_DAYS", limit, len(learners), "learners", None, (), None)
    answered = _last_answers(lake, learners, key)
    last = learners.to_frame().join(answered, on="learner_id", how="left")
    first = today - timedelta(days=limit)
    due = last.filter(pl.col("last") < first)["learner_id"].sort().to_list()
    times: list[date] = last["last"].drop_nulls().sort().to_list()
    oldest = times[0] if times else None
    then = next((day + timedelta(days=limit + 1) for day in times if day >= first), None)
    return Kept("names", "AIVO_RETENTION_NAMES_DAYS", limit, len(learners), "learners", oldest, tuple(due), then)


def _last_answers(lake: Lake, learners: pl.Series, key: PseudonymKey | None) -> pl.DataFrame:
    """learner_id, last: the day of each learner's last answer, raw or anonymised; nobody who never answered."""
    raw = lake.scan(RAW_INTERACTIONS).group_by("learner_id").agg(last=pl.col("occurred_at").max().dt.date())
    found = [raw.collect(engine="streaming")]
    if key is not None:
        names = pl.DataFrame({"learner_id": learners, "learner": pseudonyms(learners, "learner", key)})
        past = lake.scan(ANONYMISED_INTERACTIONS).group_by("learner").agg(last=pl.col("day").max())
        found.append(names.join(past.collect(engine="streaming"), on="learner").select("learner_id", "last"))
    return pl.concat(found).group_by("learner_id").agg(pl.col("last").max())


def _quarantine(lake: Lake, settings: Settings, today: date) -> Kept:
    limit = settings.retention.quarantine_days
    batches = {name.removeprefix("batch="): unit for name, unit in lake.units(QUARANTINE).items() if unit["rows"]}
    landed = {receipt.batch_id: receipt.landed_at.date() for receipt in read_receipts(lake)}
    days = {batch: landed[batch] for batch in batches if batch in landed}
    first = today - timedelta(days=limit)
    unknown = [batch for batch in batches if batch not in landed and settings.retention.receipt_days >= limit]
    due = sorted([batch for batch, day in days.items() if day < first] + unknown)
    left = [day for day in days.values() if day >= first]
    return Kept(
        "quarantine", "AIVO_RETENTION_QUARANTINE_DAYS", limit, len(batches), "batches",
        min(days.values(), default=None), tuple(due), min(left) + timedelta(days=limit + 1) if left else None,
    )  # fmt: skip
