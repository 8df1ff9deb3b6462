"""By what learners are found. Belongs here: all identifiers of some learners, and how each may be looked for.

The raw identifier, name and e-mail, the identifiers of their answers and of sessions that are theirs alone, what
teachers said of them, and the pseudonyms of all of these. What is unmistakable is looked for in every text and every
cell; what is not (a learner called "7", a name of one short word) only as a whole cell of a column of identifiers
(`raw_values.py`). A name, an e-mail or a session that others have as well is not looked for: it is not theirs alone.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from aivo_assets.errors import PrivacyError
from aivo_assets.events.landing.held_back import scan_held_back
from aivo_assets.events.landing.overrides import raw_overrides
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import Lake
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import Kind, pseudonyms
from aivo_assets.privacy.raw_values import RawValues
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS

SCHEMA: Final = {"kind": pl.String, "value": pl.String, "anywhere": pl.Boolean, "in_text": pl.Boolean}
_OF_RAW: Final = ("learner", "name", "email", "event", "session")
_HASHED: Final[tuple[tuple[str, Kind], ...]] = (("learner", "learner"), ("event", "event"), ("session", "session"))


@dataclass(frozen=True)
class Wanted:
    """What is looked for.

    Attributes:
        frame: Columns of `SCHEMA`: the kind (`learner`, `name`, `email`, `event`, `session`, `override`, and `learner
            pseudonym`, `event pseudonym`, `session pseudonym`), the value as written, whether it is unmistakable as a
            whole cell, and whether it is within a text.
    """

    frame: pl.DataFrame

    def __repr__(self) -> str:
        return f"Wanted({self.frame.height} values)"

    def of(self, *kinds: str) -> pl.Series:
        """The values of some kinds."""
        return self.frame.filter(pl.col("kind").is_in(kinds))["value"].unique().sort()

    @cached_property
    def cells(self) -> pl.Series:
        """Values that are unmistakable as a whole cell of any column."""
        return self.frame.filter("anywhere")["value"].unique().sort()

    @cached_property
    def texts(self) -> list[str]:
        """Values that are unmistakable within a text."""
        return self.frame.filter("in_text")["value"].unique().sort().to_list()

    @cached_property
    def people(self) -> list[str]:
        """Of `texts` those that name a person: few, so that they can be looked for inside of every cell."""
        named = pl.col("kind").is_in(["learner", "name", "email", "learner pseudonym"])
        return self.frame.filter(named, pl.col("in_text"))["value"].unique().sort().to_list()

    def counts(self) -> dict[str, dict[str, int]]:
        """By kind: how many values, and how many of them are looked for in cells and in texts."""
        counted = self.frame.group_by("kind").agg(
            pl.len().alias("values"), pl.col("anywhere").sum(), pl.col("in_text").sum()
        )
        return {row.pop("kind"): row for row in counted.sort("kind").to_dicts()}

    def as_bytes(self) -> bytes:
        """The same to be kept."""
        buffer = io.BytesIO()
        self.frame.write_parquet(buffer)
        return buffer.getvalue()

    @staticmethod
    def from_bytes(content: bytes) -> "Wanted":
        """What `as_bytes` gave."""
        return Wanted(pl.read_parquet(io.BytesIO(content)))


def resolve(lake: Lake, names: Sequence[str], key: PseudonymKey, *, strangers: bool = False) -> list[str]:
    """Raw identifiers of learners who are named by that or by their pseudonym.

    Args:
        lake: Where they are known: by answers, in the learner table, by a teacher's word, or past the raw zone alone.
        names: As they were given.
        key: The secret of the pseudonyms.
        strangers: Whether somebody of whom nothing is held may be among them.

    Returns:
        In the order given, each once. Somebody whose raw identifier is kept nowhere any more stays as given.

    Raises:
        PrivacyError: Nothing is held of one of them.
    """
    raw = pl.concat(
        [
            lake.scan(RAW_INTERACTIONS).select("learner_id").unique().collect(engine="streaming"),
            lake.scan(RAW_LEARNERS).select("learner_id").collect(),
            scan_held_back(lake).select("learner_id").collect(),
            raw_overrides(lake).select("learner_id"),
        ]
    )["learner_id"].unique()
    of_pseudonym = dict(zip(pseudonyms(raw, "learner", key), raw, strict=True))
    known, found, unknown = set(raw), [], []
    for name in dict.fromkeys(each.strip() for each in names):
        if name in known or (strangers and name not in of_pseudonym) or _is_derived(lake, name, key):
            found.append(name)
        elif name in of_pseudonym:
            found.append(of_pseudonym[name])
        else:
            unknown.append(name)
    if unknown:
        raise PrivacyError(
            f"Nothing is held of {', '.join(map(repr, unknown))}",
            fix="Name learners as the school does, or by their whole pseudonym; `aivo lake show raw/learners` has them."
            " Nothing was removed.",
        )
    return list(dict.fromkeys(found))


def collect(lake: Lake, learners: Sequence[str], key: PseudonymKey) -> Wanted:
    """Everything by which these learners are found.

    Args:
        lake: Where it is read.
        learners: Raw identifiers.
        key: The secret of the pseudonyms.
    """
    ids = pl.Series("learner_id", list(learners), dtype=pl.String)
    theirs = pl.col("learner_id").is_in(ids.implode())
    events = pl.concat(
        [
            lake.scan(RAW_INTERACTIONS).filter(theirs),
            scan_held_back(lake).filter(theirs).select(list(RAW_INTERACTIONS.schema)),
        ]
    ).collect(engine="streaming")
    table = lake.scan(RAW_LEARNERS).collect()
    overrides = raw_overrides(lake).filter(theirs)
    raw = RawValues.collect(events.lazy(), table.filter(theirs).lazy(), overrides.lazy()).frame
    rows = raw.filter(pl.col("kind").is_in(_OF_RAW)).select(
        "kind", pl.col("written").alias("value"), "anywhere", "in_text"
    )
    named = ids.to_frame("value").select(
        pl.lit("learner").alias("kind"), "value", anywhere=pl.lit(value=False), in_text=pl.lit(value=False)
    )
    rows = pl.concat([rows, named]).unique(["kind", "value"], keep="first", maintain_order=True)
    rows = _alone(rows, lake, table.filter(~theirs), ids)
    said = overrides.select(
        kind=pl.lit("override"), value="override_id", anywhere=pl.lit(value=True), in_text=pl.lit(value=True)
    )
    hashed = [_hashed(rows.filter(pl.col("kind") == kind)["value"], as_kind, key) for kind, as_kind in _HASHED]
    return Wanted(pl.concat([rows, said, *hashed]).unique(["kind", "value"], keep="first", maintain_order=True))


def _alone(rows: pl.DataFrame, lake: Lake, others: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Without names, e-mails and sessions that other learners have as well."""
    sessions = rows.filter(pl.col("kind") == "session").select(session_id="value")
    shared = (
        lake.scan(RAW_INTERACTIONS)
        .join(sessions.lazy(), on="session_id", how="semi")
        .filter(~pl.col("learner_id").is_in(ids.implode()))
        .select(kind=pl.lit("session"), value="session_id")
        .unique()
        .collect(engine="streaming")
    )
    taken = [
        others.select(kind=pl.lit(kind), value=pl.col(column).drop_nulls())
        for kind, column in (("name", "name"), ("email", "email"))
    ]
    return rows.join(pl.concat([shared, *taken]).unique(), on=["kind", "value"], how="anti", maintain_order="left")


def _hashed(values: pl.Series, kind: Kind, key: PseudonymKey) -> pl.DataFrame:
    return pl.DataFrame(
        {"value": pseudonyms(values, kind, key)}, schema={"value": pl.String}
    ).select(  # 128 bits: nobody else has it, wherever it stands
        pl.lit(f"{kind} pseudonym").alias("kind"), "value", anywhere=pl.lit(value=True), in_text=pl.lit(value=True)
    )


def _is_derived(lake: Lake, name: str, key: PseudonymKey) -> bool:
    """Whether something past the raw zone is known of an identifier that the raw zone does not hold any more."""
    pseudonym = str(pseudonyms(pl.Series([name]), "learner", key)[0])
    return any(
        not lake.scan(dataset).filter(pl.col("learner") == pseudonym).head(1).collect().is_empty()
        for dataset in (ANONYMISED_LEARNERS, ANONYMISED_INTERACTIONS)
    )
