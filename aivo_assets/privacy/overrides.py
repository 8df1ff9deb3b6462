"""Teachers' overrides past the raw zone. Belongs here: their allow-list and how personal data is removed.

What a teacher writes freely may name anybody, so it stays in the raw zone; past it there is the coded reason only.
"""

import polars as pl

from aivo_assets.lake import Dataset
from aivo_assets.lake.shards import shard_of
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms

OVERRIDES = Dataset(
    "anonymised/overrides",
    {
        "learner": pl.String,
        "shard": pl.Int32,
        "teacher": pl.String,
        "subject": pl.String,
        "skill_id": pl.String,
        "action": pl.String,
        "kind": pl.String,
        "level": pl.Int8,
        "until": pl.Date,
        "reason": pl.String,
        "given_on": pl.Date,
        "removed_on": pl.Date,
    },
)

OVERRIDE_DESCRIPTIONS = {
    "learner": "Pseudonym of the learner.",
    "shard": "Shard of the learner.",
    "teacher": "Pseudonym of the teacher; null where none was named.",
    "subject": "Subject of the skill.",
    "skill_id": "The skill that it is about.",
    "action": "`accept`, `reject` or `pin`.",
    "kind": "Kind that was accepted or rejected; null for a pin.",
    "level": "Pinned level; null otherwise.",
    "until": "Last day of a pin; null otherwise.",
    "reason": "Coded reason; the teacher's own words stay in the raw zone.",
    "given_on": "UTC day on which it was given.",
    "removed_on": "UTC day from which on it is taken back; null where it was not.",
}


def anonymise_overrides(raw: pl.DataFrame, key: PseudonymKey, shards: int) -> pl.DataFrame:
    """Overrides without personal data.

    Args:
        raw: What `events.overrides.raw_overrides` returns; the free text is left behind.
        key: The secret of the pseudonyms.
        shards: Shards of the lake.

    Returns:
        Columns of `OVERRIDES`, in the order in which they were given; ties by learner and skill.
    """
    rows = raw.sort("given_at", "learner_id", "subject", "skill_id", "override_id")
    return (
        rows.with_columns(
            learner=pseudonyms(rows["learner_id"], "learner", key),
            teacher=pseudonyms(rows["teacher_id"], "teacher", key),
            given_on=pl.col("given_at").dt.date(),
            removed_on=pl.col("removed_at").dt.date(),
        )
        .with_columns(shard_of(pl.col("learner"), shards))
        .select(pl.col(name).cast(dtype) for name, dtype in OVERRIDES.schema.items())
    )
