"""Landing events: read a source, keep what is new in the days it belongs to, account for every row.

Belongs here: the order of these steps and nothing of how each is done.

First all of the source is read and validated into a staging folder, so that a source that fails half-way leaves the
lake as it was. Then, while nobody else lands, each day that got events is merged with what the lake holds and replaced
as a whole. A crash between two days leaves each of them old or new, and landing again does the rest. The cursor moves
last.

A day whose file is damaged is written again where the source still gives all of it (torn_days.py); sound rows that
cannot be kept yet are held back where the source would not give them again (held_back.py).
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

import polars as pl

from aivo_assets.events.intake import FUTURE, validate
from aivo_assets.events.landing import identity, lookalikes
from aivo_assets.events.landing.account import examples
from aivo_assets.events.landing.held_back import due, replace_held_back
from aivo_assets.events.landing.identity import CONFLICT, DUPLICATE, KNOWN, NEW, REASON_CONFLICT
from aivo_assets.events.landing.learners import land_learners
from aivo_assets.events.landing.lookalikes import Lookalikes
from aivo_assets.events.landing.order import merged
from aivo_assets.events.landing.staging import Staging
from aivo_assets.events.landing.torn_days import TORN_DAY, WAITS, Torn
from aivo_assets.events.quarantine import set_aside, take_back
from aivo_assets.events.receipts import LANDING, Receipt, read_receipts, write_receipt
from aivo_assets.events.schema import RAW_INTERACTIONS, Event
from aivo_assets.events.sources.base import BROKEN_COLUMNS, Source, Window
from aivo_assets.events.values.hashes import digest
from aivo_assets.lake import Lake

__all__ = ["Receipt", "land", "land_learners", "read_cursor", "read_receipts", "rehearse"]

CURSORS_PATH = "raw/cursors"

_ROWS_AT_ONCE = 1_000_000
_EVENTS_SHOWN = 10
_NO_EVENTS = Event.create_empty()


def land(lake: Lake, source: Source, *, window: Window | None, now: datetime, run: str) -> Receipt:
    """Bring a source's events into the lake.

    The same extract twice, or extracts that overlap, change nothing. Late events land in their own day. Rows of one day
    are kept in order of time, those of one instant in the order in which the source gave them.

    Args:
        lake: Where events are kept.
        source: What is read.
        window: Days wanted; ignored by a source that is read by cursor. None for all.
        now: The present instant, UTC; later events are set aside until their time has come.
        run: Which run lands, for the receipt.

    Returns:
        The account of every row.

    Raises:
        SourceError: The source cannot be read; no partition was touched.
        LakeError: The lake cannot be read, the rows do not add up, or another landing did not end in time.
    """
    wanted = window if source.window_applies else None
    while True:
        since = _since(lake, source, Torn.find(lake))
        with tempfile.TemporaryDirectory(prefix="aivo-landing-") as folder:
            staging = Staging(Path(folder))
            _stage(staging, source, window=wanted, since=since, now=now)
            with lake.exclusive(LANDING, run):
                torn = Torn.find(lake)
                if _since(lake, source, torn) == since:  # else another landing has read on meanwhile
                    return _keep(lake, source, staging, torn, wanted, since, now=now, run=run)


def _keep(
    lake: Lake,
    source: Source,
    staging: Staging,
    torn_days: Torn,
    wanted: Window | None,
    since: str | None,
    *,
    now: datetime,
    run: str,
) -> Receipt:
    """Bring what was staged into the lake, while nobody else lands."""
    fingerprint = source.fingerprint()
    batch_id = digest([source.name, fingerprint, since or ""])
    if not source.window_applies:
        staging.add(due(lake, now, torn_days.days), held_back=True)
    judgement = _judged(lake, staging, torn_days)
    judged, torn = judgement.rows, judgement.torn
    days_changed, stored = _merge_days(lake, staging, judged, torn, run=run, source=source.name)
    problems = pl.concat([staging.problems(), _refused(staging, judged)])
    if not source.window_applies:
        waiting = staging.as_given(judged.filter(pl.col("status") == WAITS)["order"])
        replace_held_back(lake, pl.concat([*staging.future, waiting]), now, torn_days.days, run=run)
    sound = judged.filter(pl.col("status") != WAITS).select("order", "event_id")
    take_back(lake, lambda: staging.places(sound), reasons=(FUTURE, TORN_DAY), run=run)
    set_aside(lake, problems, batch_id=batch_id, run=run)
    receipt = _account(
        staging, judgement, problems, days_changed, run=run, source=source.name, batch_id=batch_id, landed_at=now
    )
    receipt = replace(receipt, stored=stored)
    write_receipt(lake, receipt, what=f"{wanted.first}_{wanted.last}" if wanted else "all")
    if not source.window_applies:
        _move_cursor(lake, fingerprint, staging.cursor, torn, source=source.name, run=run)
    return receipt


def rehearse(lake: Lake, source: Source, *, window: Window | None, now: datetime) -> tuple[Receipt, pl.DataFrame]:
    """What a landing would do, without doing it.

    Args:
        lake: Where events are kept; it is read and stays as it is.
        source: What is read.
        window: Days wanted, as in `land`.
        now: The present instant.

    Returns:
        The account that `land` would give, and the first ten events with the columns of `Event`.

    Raises:
        SourceError: The source cannot be read.
    """
    wanted = window if source.window_applies else None
    torn = Torn.find(lake)
    since = _since(lake, source, torn)
    with tempfile.TemporaryDirectory(prefix="aivo-rehearsal-") as folder:
        staging = Staging(Path(folder))
        _stage(staging, source, window=wanted, since=since, now=now)
        judgement = _judged(lake, staging, torn)
        judged = judgement.rows
        problems = pl.concat([staging.problems(), _refused(staging, judged)])
        new = judged.filter(pl.col("status") == NEW)
        first = new.sort("order").head(_EVENTS_SHOWN).select("order", "event_id", "day")
        events = staging.events(first).sort("order").select(Event.column_names()) if new.height else _NO_EVENTS
    days = tuple(new["day"].unique().sort().to_list())
    receipt = _account(
        staging, judgement, problems, days, run="rehearsal", source=source.name, batch_id="none", landed_at=now
    )
    return receipt, events


def read_cursor(lake: Lake, fingerprint: str) -> str | None:
    """How far the source of this fingerprint was read; None where it never was."""
    cursor = _read_place(lake, fingerprint).get("cursor")
    return None if cursor is None else str(cursor)


def _stage(staging: Staging, source: Source, *, window: Window | None, since: str | None, now: datetime) -> None:
    """Read the source to its end, and validate what it gives."""
    for extract in source.events(window, since):
        validated = validate(extract, now=now, subject=extract.subject, window=window)
        staging.add(validated, extract=extract)


@dataclass(frozen=True)
class _Judgement:
    """What each staged row is, by its status; the days that stay damaged; what looks like known answers."""

    rows: pl.DataFrame
    torn: Torn
    alike: Lookalikes


def _judged(lake: Lake, staging: Staging, damage: Torn) -> _Judgement:
    keys = identity.with_ordinals(staging.keys(), fold=staging.fold_repeats)
    resolved = identity.resolve(keys, _held(lake, keys, damage))
    judged, torn = damage.mended_by(keys.join(resolved, on="order", how="left", maintain_order="left"))
    alike = lookalikes.compare(lake, staging, judged, damage.days)
    known = pl.col("order").is_in(alike.known["order"].implode())
    rows = judged.with_columns(status=pl.when(known).then(pl.lit(KNOWN)).otherwise("status"))
    return _Judgement(rows, torn, alike)


def _account(
    staging: Staging,
    judgement: _Judgement,
    problems: pl.DataFrame,
    days_changed: tuple[date, ...],
    *,
    run: str,
    source: str,
    batch_id: str,
    landed_at: datetime,
) -> Receipt:
    """The receipt: what became of every row that was staged."""
    judged, alike = judgement.rows, judgement.alike
    counts = dict(judged.group_by("status").len().iter_rows())
    return Receipt(
        run=run,
        source=source,
        batch_id=batch_id,
        landed_at=landed_at,
        rows_read=staging.rows_read + staging.folded + staging.repeated + staging.forgotten,
        rows_in=staging.rows_read + staging.repeated - staging.outside_window,
        kept=counts.get(NEW, 0),
        duplicates=counts.get(DUPLICATE, 0) + counts.get(KNOWN, 0) + staging.repeated,
        set_aside=staging.set_aside + counts.get(CONFLICT, 0) + counts.get(WAITS, 0),
        folded=staging.folded,
        outside_window=staging.outside_window,
        forgotten=staging.forgotten,
        days_changed=days_changed,
        by_reason=dict(problems.group_by("reason").len().sort("reason").iter_rows()),
        examples=examples(problems),
        cursor=staging.cursor,
        before_window=staging.before_window,
        earliest=staging.earliest,
        lines=asdict(staging.lines) if staging.lines.total else {},
        repeated=int(judged["repeats"].sum()),
        repeats_folded=staging.fold_repeats,
        alike_in_file=_alike_in_file(judged),
        known_otherwise=counts.get(KNOWN, 0),
        further_columns=tuple(sorted(alike.further)),
        alike=alike.told(),
    )


def _alike_in_file(judged: pl.DataFrame) -> int:
    unnamed = judged.lazy().filter(~pl.col("named") & ~pl.col("repeats"))
    per_answer = unnamed.group_by("location", "answer").len()
    return int(per_answer.select((pl.col("len") - 1).sum()).collect().item() or 0)


def _since(lake: Lake, source: Source, torn: Torn) -> str | None:
    """Where to read on; from the start, once for each damage, where the answers of a day are to be read again."""
    fingerprint = source.fingerprint()
    if source.window_applies or (torn.days and _read_place(lake, fingerprint).get("read_again_for") != torn.damage):
        return None
    return read_cursor(lake, fingerprint)


def _read_place(lake: Lake, fingerprint: str) -> dict[str, str | None]:
    content = lake.read_document(_cursor_path(fingerprint))
    place: dict[str, str | None] = {} if content is None else json.loads(content)
    return place


def _move_cursor(lake: Lake, fingerprint: str, cursor: str | None, torn: Torn, *, source: str, run: str) -> None:
    before = _read_place(lake, fingerprint)
    moved = {"cursor": cursor or before.get("cursor"), "read_again_for": torn.damage}
    if moved["cursor"] is None or all(before.get(name) == value for name, value in moved.items()):
        return
    content = {name: value for name, value in moved.items() if value is not None} | {"source": source, "run": run}
    lake.write_bytes(_cursor_path(fingerprint), json.dumps(content, indent=1).encode())


def _cursor_path(fingerprint: str) -> str:
    return f"{CURSORS_PATH}/{digest([fingerprint])}.json"


def _held(lake: Lake, keys: pl.DataFrame, torn: Torn) -> pl.DataFrame:
    """Id and content of the lake's events whose id is among the keys, as far as they can be read.

    A derived id holds its time, so it can only be known in its own day. A given id is looked for in every day.
    """
    days = lake.days(RAW_INTERACTIONS) if keys["named"].any() else keys["day"].unique().to_list()
    ids = keys.lazy().select("event_id").unique()
    return (
        lake.scan(RAW_INTERACTIONS, days=[day for day in days if day not in torn.days])
        .join(ids, on="event_id", how="semi")
        .select("event_id", identity.content_hash())
        .collect(engine="streaming")
    )


def _merge_days(
    lake: Lake, staging: Staging, judged: pl.DataFrame, torn: Torn, *, run: str, source: str
) -> tuple[tuple[date, ...], int]:
    """Write each day that got new events, a bundle of days at a time so that memory stays bounded.

    Returns:
        The days, and how many rows more they have now.
    """
    new = judged.filter(pl.col("status") == NEW)
    read_again = judged.filter(pl.col("status") == DUPLICATE).select("event_id", "order", "day")
    per_day = new.group_by("day").len().sort("day")
    whole = [day for day in per_day["day"] if day not in torn.mended]
    before = _rows_of(lake, whole)
    for days in _bundles(per_day):
        chosen = new.filter(pl.col("day").is_in(days)).select("order", "event_id", "day")
        events = staging.events(chosen)
        for day in days:
            again = read_again.filter(pl.col("day") == day).unique("event_id", keep="first", maintain_order=True)
            change = partial(_with_new, events.filter(pl.col("day") == day), again.drop("day"))
            made_by = {"run": run, "source": source}
            if day in torn.mended:  # what stands there cannot be read
                lake.write(RAW_INTERACTIONS, change(RAW_INTERACTIONS.empty()), day=day, made_by=made_by)
            else:
                lake.update(RAW_INTERACTIONS, change, day=day, made_by=made_by)
    return tuple(per_day["day"].to_list()), _rows_of(lake, per_day["day"].to_list()) - before


def _rows_of(lake: Lake, days: list[date]) -> int:
    manifests = (lake.manifest(RAW_INTERACTIONS, day=day) for day in days)
    return sum(int(manifest["rows"]) for manifest in manifests if manifest is not None)


def _with_new(new: pl.DataFrame, again: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """A day with its new events; those that somebody landed since they were judged are not doubled."""
    return Event.validate(merged(held, new.join(held, on="event_id", how="anti", maintain_order="left"), again))


def _bundles(per_day: pl.DataFrame) -> Iterator[list[date]]:
    bundle: list[date] = []
    rows = 0
    for day, count in per_day.iter_rows():
        if bundle and rows + count > _ROWS_AT_ONCE:
            yield bundle
            bundle, rows = [], 0
        bundle.append(day)
        rows += count
    if bundle:
        yield bundle


def _refused(staging: Staging, judged: pl.DataFrame) -> pl.DataFrame:
    """A problem for each row whose id is taken, or whose day cannot be written."""
    reasons = {CONFLICT: REASON_CONFLICT, WAITS: TORN_DAY}
    rows = judged.filter(pl.col("status").is_in(list(reasons))).select("order", "event_id", "status")
    reason = pl.col("status").replace_strict(reasons, return_dtype=pl.String)
    return (
        staging.places(rows)
        .select("location", "row", column=pl.lit("event_id"), value=pl.col("event_id"), reason=reason)
        .cast(pl.Schema(BROKEN_COLUMNS))
    )
