"""Forgetting, step by step. Belongs here: the order of the steps and what each does; how rows go is elsewhere.

1. Tombstones are put and everything by which the learners are found is written down, while nobody lands.
2. Their rows go from the raw zone, so that nothing makes them anew; then from the anonymised answers and, before these
   count, from the states, whose notes name the answers they have seen: nobody else is folded again. Then from all else.
3. Once no reader can hold an old file any more, files that no manifest names are removed.
4. The search looks at everything. What it finds is taken out or covered, and it looks again. Where it finds nothing the
   certificate is signed and the request closed.

Every step may be killed and done again. All open requests go together: a thousand cost hardly more than one.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from aivo_assets.events.receipts import LANDING
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import Dataset, Lake
from aivo_assets.lake.commits.manifest import content_of
from aivo_assets.lake.commits.rewriting import Exchange, Walk, bring_in, exchange, listed, unlisted, walk
from aivo_assets.privacy.anonymise import anonymise_learners
from aivo_assets.privacy.erasure.certificate import certificate
from aivo_assets.privacy.erasure.databases import mask_postgres, search_postgres
from aivo_assets.privacy.erasure.marts import clear_marts
from aivo_assets.privacy.erasure.masking import mask_cells, mask_documents, mask_home
from aivo_assets.privacy.erasure.places import PLACES
from aivo_assets.privacy.erasure.requests import OPEN, Request, close, keep, open_requests
from aivo_assets.privacy.erasure.rows import Theirs
from aivo_assets.privacy.erasure.search import Found, Search, search_home, search_lake
from aivo_assets.privacy.erasure.tombstones import bury
from aivo_assets.privacy.erasure.wanted import Wanted, collect
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS
from aivo_assets.settings import Settings

BURIED: Final = "buried"
REMOVED: Final = "removed from the lake"
_LOOKS: Final = 3
_STATES: Final = ("states/", "past_states/")
_OURS: Final = "raw/erasure/"
_PART: Final = re.compile(r"day=(\d{4}-\d\d-\d\d)/shard=(\d+)/")


@dataclass(frozen=True)
class Ground:
    """Where somebody is forgotten.

    Attributes:
        lake: The lake.
        key: The secret of the pseudonyms.
        settings: How long readers are waited for, and how learners are anonymised.
        databases: URLs of what is searched: Dagster's storage, and that of models where it is one.
        remembers: The champion that was fitted on answers from before an instant, as the certificate tells it.
        busy: Why a run that began before an instant may still write what it read; None where there is none.
        say: Takes a line about what is done.
    """

    lake: Lake
    key: PseudonymKey
    settings: Settings
    databases: tuple[str, ...]
    remembers: Callable[[datetime], Mapping[str, Any] | None]
    busy: Callable[[datetime], str | None]
    say: Callable[[str], None]

    @property
    def home(self) -> Path:
        """AIVO_HOME."""
        return self.settings.home.absolute()


@dataclass(frozen=True)
class Standing:
    """How far it is.

    Attributes:
        open: Requests that are under way.
        closed: Certificates that were signed now.
        waits: What is waited for, in a sentence; empty where nothing is.
        found: What the search found and could not be taken out.
    """

    open: tuple[Request, ...] = ()
    closed: tuple[Mapping[str, Any], ...] = ()
    waits: str = ""
    found: tuple[Found, ...] = field(default=())


def bury_learners(ground: Ground, now: datetime) -> int:
    """Step 1, of every request that has not got so far; returns how many learners are under way."""
    for request in open_requests(ground.lake):
        if BURIED in request.done:
            continue
        with ground.lake.exclusive(LANDING, f"request {request.id}"):
            bury(ground.lake, list(request.learners), ground.key, on=now.date(), request=request.id)
            wanted = collect(ground.lake, request.learners, ground.key)
            ground.lake.write_bytes(_wanted_path(request), wanted.as_bytes())
            keep(ground.lake, replace(request, done=(*request.done, BURIED)))
    return sum(len(request.learners) for request in open_requests(ground.lake))


def remove_from_lake(ground: Ground, now: datetime) -> dict[str, int]:
    """Step 2, of every request that has not got so far; returns how many rows went, by place."""
    requests = [each for each in open_requests(ground.lake) if BURIED in each.done and REMOVED not in each.done]
    if not requests:
        return {}
    theirs = Theirs(ground.lake, _wanted_of(ground.lake, requests))
    count = _Counter(ground.lake, requests)
    found = walk(ground.lake)
    with ground.lake.exclusive(LANDING, "aivo forget"):
        _clear(ground, theirs, count, [place for place in found.manifests if _is_raw(place)])
    _clear_answers_and_states(ground, theirs, count, found)
    done = ("raw/", f"{ANONYMISED_INTERACTIONS.path}/", f"{ANONYMISED_LEARNERS.path}/", *_STATES)
    _clear(ground, theirs, count, [place for place in found.manifests if not place.startswith(done)])
    count("marts", clear_marts(ground.lake, found.tables, theirs))
    _make_again(ground, now.date(), count)
    if count.total:
        _end_delta_logs(ground.lake, found)
    count.finish(now)
    return count.total


def close_requests(ground: Ground, now: datetime) -> Standing:
    """Steps 3 and 4, once nobody can hold an old file any more.

    Args:
        ground: Where.
        now: The present instant, UTC.
    """
    requests = [each for each in open_requests(ground.lake) if REMOVED in each.done]
    if not requests:
        return Standing(tuple(open_requests(ground.lake)))
    waits = _waits(ground, requests, now)
    if waits:
        return Standing(tuple(requests), waits=waits)
    wanted = _wanted_of(ground.lake, requests)
    found = _search_until_clean(ground, wanted, requests)
    if found:
        return Standing(tuple(requests), found=tuple(found))
    closed = []
    learners = sum(len(each.learners) for each in requests)
    for request in open_requests(ground.lake):
        if REMOVED not in request.done or request.removed_at is None:
            continue
        signed = certificate(
            request, _wanted_of(ground.lake, [request]), ground.key, now=now,
            together_with=learners - len(request.learners), remembers=ground.remembers(request.removed_at),
            held=[place for place, rows in request.removed.items() if rows],
        )  # fmt: skip
        close(ground.lake, request, signed)
        closed.append(signed)
    return Standing(closed=tuple(closed))


class _Counter:
    """Counts what goes, and writes it down with the requests at once: a process that is killed has counted it."""

    def __init__(self, lake: Lake, requests: Sequence[Request]) -> None:
        self._lake, self._requests = lake, list(requests)
        self.total: dict[str, int] = {}

    def __call__(self, place: str, count: int) -> None:
        if count:
            self.total[place] = self.total.get(place, 0) + count
            self._requests = [each.with_removed(place, count) for each in self._requests]
            self._keep()

    def finish(self, now: datetime) -> None:
        self._requests = [replace(each, done=(*each.done, REMOVED), removed_at=now) for each in self._requests]
        self._keep()

    def _keep(self) -> None:
        for request in self._requests:
            keep(self._lake, request)


def _wanted_path(request: Request) -> str:
    return f"{OPEN}/{request.id}.wanted"


def _wanted_of(lake: Lake, requests: Iterable[Request]) -> Wanted:
    read = [lake.read_document(_wanted_path(request)) for request in requests]
    frames = [Wanted.from_bytes(content).frame for content in read if content is not None]
    return Wanted(pl.concat(frames).unique(["kind", "value"], keep="first", maintain_order=True))


def _is_raw(place: str) -> bool:
    return place.startswith("raw/") and not place.startswith(_OURS)


def _clear(ground: Ground, theirs: Theirs, count: _Counter, places: Sequence[str]) -> None:
    """Take their rows out of units, looking at a whole dataset at once for the files that hold any."""
    by_dataset: dict[str, list[str]] = {}
    for place in places:
        by_dataset.setdefault(_dataset(place), []).append(place)
    for dataset, units in by_dataset.items():
        holding = _holding(ground.lake, theirs, units)
        rows = 0
        for place in holding:
            made = exchange(ground.lake, place, theirs.holds, theirs.stays)
            rows += bring_in(ground.lake, made, theirs.holds, theirs.stays)
        if rows:
            ground.say(f"{dataset}: {rows:,} rows of {len(holding)} units removed")
        count(dataset, rows)


def _holding(lake: Lake, theirs: Theirs, places: Sequence[str]) -> list[str]:
    """Of some manifests those that list a file with a row of theirs, found by one look at all of the files."""
    of_file = {path: place for place in places for path in listed(lake, place)}
    return sorted({of_file[path] for path in theirs.holds(list(of_file))})


def _clear_answers_and_states(ground: Ground, theirs: Theirs, count: _Counter, found: Walk) -> None:
    """Anonymised answers and what was folded from them: the states come first, and name the answers that will be."""
    days = [place for place in found.manifests if place.startswith(f"{ANONYMISED_INTERACTIONS.path}/")]
    made = [
        exchange(ground.lake, place, theirs.holds, theirs.stays)
        for place in _holding(ground.lake, theirs, days)
    ]  # fmt: skip
    parts = _parts(made)
    for place in (place for place in found.manifests if place.startswith(_STATES)):
        states = exchange(ground.lake, place, theirs.holds, theirs.stays)
        shard = int(place.rsplit("/", 1)[1].split(".")[0].split("-")[0].removeprefix("shard="))
        rows = bring_in(ground.lake, states, theirs.holds, theirs.stays, notes=partial(_seen, parts, shard))
        count(_dataset(place), rows)
    for each in made:
        day = date.fromisoformat(each.place.split("day=", 1)[1][:10])
        raw = ground.lake.manifest(RAW_INTERACTIONS, day=day)
        version = {} if raw is None else {"raw_version": str(raw["version"])}
        rows = bring_in(ground.lake, each, theirs.holds, theirs.stays, notes=partial(_with, version))
        count(ANONYMISED_INTERACTIONS.path, rows)


Parts = dict[tuple[str, int], tuple[str, tuple[str, int] | None]]
"""By day and shard the content of the old part, and content and rows of the new one; None where nothing is left."""


def _parts(made: Sequence[Exchange]) -> Parts:
    parts: Parts = {}
    for each in made:
        for path, new in each.files.items():
            match = _PART.search(path)
            if match is not None:
                now = None if new.entry is None else (content_of(str(new.entry["path"])), int(new.entry["rows"]))
                parts[match[1], int(match[2])] = content_of(path), now
    return parts


def _with(more: dict[str, Any], notes: dict[str, Any]) -> dict[str, Any]:
    return notes | more


def _seen(parts: Parts, shard: int, notes: dict[str, Any]) -> dict[str, Any]:
    """Notes of states in which each part that they have seen is named as it will be without the learners."""
    seen: dict[str, Any] = {}
    for day, (content, rows) in notes.get("parts", {}).items():
        before, after = parts.get((day, shard), ("", None))
        if content != before:
            seen[day] = [content, rows]
        elif after is not None:
            seen[day] = list(after)
    return {**notes, "parts": seen} if "parts" in notes else notes


def _make_again(ground: Ground, today: date, count: _Counter) -> None:
    """What hangs on the rows of others: the table of attributes at once, training sets when they are asked for."""
    lake = ground.lake
    if lake.manifest(ANONYMISED_LEARNERS) is not None:
        raw = lake.scan(RAW_LEARNERS).collect()
        made = anonymise_learners(raw, ground.key, ground.settings.privacy, lake.shards, today)
        held = lake.scan(ANONYMISED_LEARNERS).collect().height
        lake.write(ANONYMISED_LEARNERS, made.frame)
        count(ANONYMISED_LEARNERS.path, held - made.frame.height)
    for place in PLACES:
        if place.where == "lake" and place.path.startswith("features/"):
            dataset = Dataset(place.path, {}, unit="day")
            for day in lake.days(dataset):
                lake.remove(dataset, day=day)
                count(f"{place.path} (days)", 1)


def _end_delta_logs(lake: Lake, found: Walk) -> None:
    """Logs of Delta tables name old files and the ends of their values; the next publication begins a new one."""
    logs = [path for path in (*found.documents, *found.tables) if "/_delta_log/" in path]
    lake.storage.remove(logs)


def _waits(ground: Ground, requests: Sequence[Request], now: datetime) -> str:
    last = max(each.removed_at for each in requests if each.removed_at is not None)
    until = last + timedelta(seconds=ground.settings.forget.readers_seconds)
    if now < until:
        return f"readers that had begun may hold old files until {until:%H:%M:%S} UTC; the next tick goes on"
    return ground.busy(last) or ""


def _search_until_clean(ground: Ground, wanted: Wanted, requests: Sequence[Request]) -> list[Found]:
    """Look at everything, take out what is found, and look again; returns what stays."""
    search, theirs = Search(wanted), Theirs(ground.lake, wanted)
    _remove_left_overs(ground, theirs, walk(ground.lake))
    for number in range(_LOOKS):
        found = look(ground, search)
        ground.say(f"searched everything: {len(found)} places with something of them")
        if not found or number == _LOOKS - 1:
            return found
        _take_out(ground, wanted, search, theirs, found)
        for request in requests:
            keep(ground.lake, request.with_removed("found by the search", len(found)))
    return []


def look(ground: Ground, search: Search) -> list[Found]:
    """The search, over everything."""
    below = walk(ground.lake)
    documents = [*below.manifests, *below.documents]
    found = search_lake(ground.lake, search, below.tables, documents)
    here = [Path(ground.settings.lake_url)] if "://" not in ground.settings.lake_url else []
    found += search_home(ground.home, search, here)
    for url in ground.databases:
        found += search_postgres(url, search)
    return sorted(found)


def _remove_left_overs(ground: Ground, theirs: Theirs, below: Walk) -> None:
    loose = [path for path in unlisted(ground.lake, below) if not path.startswith(("marts/", _OURS))]
    ground.lake.storage.remove(sorted(theirs.holds(loose)))


def _take_out(ground: Ground, wanted: Wanted, search: Search, theirs: Theirs, found: Sequence[Found]) -> None:
    below = walk(ground.lake)
    manifest_of = {path: place for place in below.manifests for path in listed(ground.lake, place)}
    tables = [each for each in found if each.where == "lake" and each.place.startswith("column ")]
    loose = {each.path for each in tables if each.path not in manifest_of and not each.path.startswith("marts/")}
    ground.lake.storage.remove(sorted(loose))
    for place in sorted({manifest_of[each.path] for each in tables if each.path in manifest_of}):
        bring_in(ground.lake, Exchange(place), theirs.holds, theirs.stays)
    clear_marts(ground.lake, below.tables, theirs)
    mask_cells(ground.lake, wanted, tables, manifest_of)
    mask_documents(ground.lake, search, found)
    pages = any(each.where == "home" and each.path.startswith("postgres/") for each in found)
    if pages or any(each.where == "database" for each in found):
        for url in ground.databases:
            own = ground.settings.postgres_url is None and url != ground.settings.models_database
            mask_postgres(url, search, own=own, pages=pages and own)
    mask_home(ground.home, search, found)


def _dataset(place: str) -> str:
    """The dataset of a manifest: `anonymised/interactions` of `anonymised/interactions/day=…/_manifest.json`."""
    parts = place.split("/")[:-1]
    return "/".join(part for part in parts if "=" not in part)
