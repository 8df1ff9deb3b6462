"""New rows that look like answers that the lake holds under another id.

Belongs here: the comparison, and its numbers. Which rows have the same id is `identity.py`'s.

The id of an answer that its source does not name is made of all that was said of it. Read with a column more or fewer,
or with another time zone, the same answer has another id. So what is new by its id is compared once more, with answers
of the lake that this landing has not given:

* Same learner, item, time and outcome, and nothing said of both differs: the answer is **known**, with more or fewer
  columns. What the lake holds stays, and the row counts as a duplicate.
* Same learner, item and time, but something else differs; or the same answer so many quarters of an hour earlier or
  later, for a good part of all new rows: it is kept, because it may well be another answer, and it is told.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from aivo_assets.events.landing.identity import DUPLICATE, NEW
from aivo_assets.events.landing.staging import Staging
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake

SAME_TIME = "same time"

_ANSWER = ["learner_id", "item_id", "occurred_at", "correct"]
_OPTIONAL = (
    "response_time_ms",
    "hint_count",
    "attempt_number",
    "session_id",
    "focus",
    "assignment_id",
    "teacher_id",
    "class_id",
    "school_id",
)
COLUMNS = ["event_id", *_ANSWER, "skill_ids", *_OPTIONAL]
_ITEM = pl.concat_list("item_id")
"""What stands for the skills of an answer of which none are known."""
_DERIVED = r"^[0-9a-f]{32}(?:\.\d+)?$"
_QUARTER_SECONDS = 15 * 60
_FARTHEST_SECONDS = 14 * 3600
"""Time zones are at most so far from UTC."""
_ROWS_AT_ONCE = 500_000
_FEWEST, _SHARE = 5, 0.2
"""New rows, and the share of all new rows, from which a shift of times is told: some answers are a whole hour apart."""


@dataclass
class Lookalikes:
    """What was found.

    Attributes:
        known: Column `order` of the new rows that are known answers.
        further: Columns that some of these have and the lake's answers have not.
        at_same_time: New rows with learner, item and time of an answer of the lake that differ elsewhere.
        shifted: For each shift in seconds the new rows that are an answer of the lake but for it.
        compared: New rows compared.
    """

    known: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"order": pl.Int64}))
    further: set[str] = field(default_factory=set)
    at_same_time: int = 0
    shifted: Counter[int] = field(default_factory=Counter)
    compared: int = 0

    def add(self, other: "Lookalikes") -> None:
        """Take in what was found among other rows."""
        self.known = pl.concat([self.known, other.known])
        self.further |= other.further
        self.at_same_time += other.at_same_time
        self.shifted += other.shifted
        self.compared += other.compared

    def told(self) -> dict[str, int]:
        """New rows that look like known answers, by how they differ: `SAME_TIME`, or the shift in seconds."""
        fewest = max(_FEWEST, _SHARE * (self.compared - self.known.height))
        shifts = {str(seconds): rows for seconds, rows in self.shifted.most_common(2) if rows >= fewest}
        return ({SAME_TIME: self.at_same_time} if self.at_same_time else {}) | shifts


def find(new: pl.DataFrame, held: pl.DataFrame) -> Lookalikes:
    """Compare new rows with answers of the lake of these days and the days beside them.

    Args:
        new: `COLUMNS` and `order` (rising in reading order); `named` says whether the source gave the id.
        held: `COLUMNS` of the lake's answers, without those that were read again.
    """
    found = Lookalikes(compared=new.height)
    if held.is_empty() or new.is_empty():
        return found
    held = held.with_columns(named=~pl.col("event_id").str.contains(_DERIVED))
    pairs = _unnamed(new.join(held, on=_ANSWER, how="inner", suffix="_held")).filter(_agree())
    found.known, found.further = _known(pairs)
    others = new.join(found.known, on="order", how="anti")
    taken = held.join(pairs.select(event_id="event_id_held"), on="event_id", how="anti")
    same = _unnamed(others.join(taken, on=_ANSWER[:3], how="inner", suffix="_held"))
    found.at_same_time = same["order"].n_unique()
    found.shifted = _shifted(others, taken)
    return found


def _unnamed(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs of which at least one has no id of its source: two that a source names differently are two answers."""
    return pairs.filter(~pl.col("named") | ~pl.col("named_held"))


def _agree() -> pl.Expr:
    """Whether nothing differs that is said on both sides; an item that stands for its skill says nothing of skills."""
    said = [
        (pl.col(name) == pl.col(f"{name}_held")) | pl.col(name).is_null() | pl.col(f"{name}_held").is_null()
        for name in _OPTIONAL
    ]
    skills = pl.col("skill_ids")
    kept = pl.col("skill_ids_held")
    return pl.all_horizontal(*said, (skills == kept) | (skills == _ITEM) | (kept == _ITEM))


def _known(pairs: pl.DataFrame) -> tuple[pl.DataFrame, set[str]]:
    """Rows for which there are as many answers in the lake as rows like them, and what they say beyond these."""
    ranked = (
        pairs.group_by("order", *_ANSWER)
        .agg(pl.col("event_id_held").n_unique().alias("answers"))
        .sort("order")
        .with_columns(nth=pl.int_range(pl.len()).over(_ANSWER))
        .filter(pl.col("nth") < pl.col("answers"))
    )
    matched = pairs.join(ranked.select("order"), on="order", how="semi")
    more = matched.select(
        (pl.col(name).is_not_null() & pl.col(f"{name}_held").is_null()).any().alias(name) for name in _OPTIONAL
    )
    further = {name for name in _OPTIONAL if matched.height and more[name].item()}
    if matched.filter((pl.col("skill_ids") != pl.col("skill_ids_held")) & (pl.col("skill_ids_held") == _ITEM)).height:
        further.add("skill_ids")
    return ranked.select("order"), further


def _shifted(new: pl.DataFrame, held: pl.DataFrame) -> Counter[int]:
    """By how many seconds new rows are off an answer of the lake, for shifts that time zones can make."""
    within = (pl.col("occurred_at").dt.timestamp("us") % (_QUARTER_SECONDS * 1_000_000)).alias("within")
    keys = ["learner_id", "item_id", "correct", "within"]
    left = new.select("order", "named", "occurred_at", within, *keys[:3])
    right = held.select("named", "occurred_at", within, *keys[:3])
    seconds = (pl.col("occurred_at") - pl.col("occurred_at_held")).dt.total_seconds()
    pairs = _unnamed(left.join(right, on=keys, how="inner", suffix="_held")).with_columns(seconds=seconds)
    possible = pairs.filter((pl.col("seconds") != 0) & (pl.col("seconds").abs() <= _FARTHEST_SECONDS))
    return Counter(dict(possible.group_by("seconds").agg(pl.col("order").n_unique()).iter_rows()))


def compare(lake: Lake, staging: Staging, judged: pl.DataFrame, unreadable: Collection[date]) -> Lookalikes:
    """Compare the rows of a landing that are new by their ids with what the lake holds of their days.

    Args:
        lake: Where events are kept.
        staging: The rows.
        judged: A row for each, with `order`, `event_id`, `day`, `named` and `status`.
        unreadable: Days of the lake that are damaged.
    """
    found = Lookalikes()
    new = judged.filter(pl.col("status") == NEW).select("order", "event_id", "day", "named")
    readable = sorted(set(lake.days(RAW_INTERACTIONS)) - set(unreadable))
    # Where much is known by its id, the zone is the one that it was read with before.
    margin = timedelta(days=1 if new.height >= judged.filter(pl.col("status") == DUPLICATE).height else 0)
    for days in _bundles(new, {day + step for day in readable for step in (-margin, timedelta(), margin)}):
        rows = new.filter(pl.col("day").is_in(days))
        given = staging.events(rows.drop("named")).join(rows.select("order", "named"), on="order", how="left")
        beside = [day for day in readable if days[0] - margin <= day <= days[-1] + margin]
        held = (
            lake.scan(RAW_INTERACTIONS, days=beside)
            .select(COLUMNS)
            .join(given.lazy().select("learner_id", "item_id").unique(), on=["learner_id", "item_id"], how="semi")
            .join(judged.lazy().select("event_id"), on="event_id", how="anti")
            .collect(engine="streaming")
        )
        found.add(find(given.select("order", "named", *COLUMNS), held))
    return found


def _bundles(new: pl.DataFrame, touched: Collection[date]) -> Iterator[list[date]]:
    """Days with new rows that the lake may know, so many at a time that memory stays bounded."""
    bundle: list[date] = []
    rows = 0
    for day, count in new.group_by("day").len().sort("day").iter_rows():
        if day not in touched:
            continue
        bundle.append(day)
        rows += count
        if rows >= _ROWS_AT_ONCE:
            yield bundle
            bundle, rows = [], 0
    if bundle:
        yield bundle
