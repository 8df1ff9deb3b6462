"""Recommendations beside their learners' histories, to be read one by one. Belongs here: choosing, laying out.

What is printed are rows of the file that was given: it goes to the terminal or a file of the reader's, nowhere else.
"""

from typing import Any, Final

import polars as pl

from aivo_assets.benchmarks.validity.walk import Walked

ANSWERS: Final = 20  # of the skill, before the as-of day's end
AFTER: Final = 10


def pages(walked: Walked, *, of_each: int, seed: int) -> str:
    """So many recommendations of each kind, drawn at random, rank 1 first choice.

    Args:
        walked: What a walk gave.
        of_each: How many of each kind.
        seed: Of the draw.

    Returns:
        Text: each recommendation with its sentences, evidence, counterfactual, content and numbers, the last 20 answers
        on the skill before it (day: item level and + or -) and the 10 after it.
    """
    first = walked.recommendations.filter(pl.col("rank") == 1)
    drawn = [
        rows.sample(min(of_each, rows.height), seed=seed)
        for kind in sorted(first["kind"].unique())
        for rows in [first.filter(pl.col("kind") == kind)]
    ]
    level = walked.bank.select("item_id", "subject", item_level="level")
    events = walked.events.join(level, on=["item_id", "subject"], how="left", maintain_order="left")
    return "\n\n".join(_page(row, events) for rows in drawn for row in rows.iter_rows(named=True))


def _page(row: dict[str, Any], events: pl.DataFrame) -> str:
    own = events.filter(
        (pl.col("learner") == row["learner"])
        & (pl.col("subject") == row["subject"])
        & pl.col("skill_ids").list.contains(row["skill_id"])
    ).sort("day", "sequence")
    before, after = own.filter(pl.col("day") <= row["day"]).tail(ANSWERS), own.filter(pl.col("day") > row["day"])
    evidence = [f"{e['signal']} {e['value']:.3g} {e['direction']} {e['threshold']:.3g}" for e in row["evidence"]]
    return "\n".join(
        [
            f"=== {row['kind']} ({row['rule']}), as of {row['day']}, level {row['current_level']} to "
            f"{row['recommended_level']}, {row['priority']}, confidence {row['confidence']:.2f} "
            f"(model {row['confidence_model']:.2f}), impact {row['expected_impact']:+.3f}, plan {row['plan']}",
            f"teacher: {row['reasoning']}",
            f"learner: {row['reasoning_learner']}",
            f"parent:  {row['reasoning_parent']}",
            f"expects: {row['expectation']} (days: {row['time_to_effect_days']})",
            f"unless:  {row['counterfactual']}",
            f"do:      {' | '.join(row['suggested_actions'])}",
            f"shows:   {'; '.join(evidence)}",
            f"content: {len(row['content'])} of skill {row['content_skill']}, level {row['content_level']}",
            f"before:  {_answers(before)}",
            f"after:   {_answers(after.head(AFTER))}",
        ]
    )


def _answers(rows: pl.DataFrame) -> str:
    """`11-05: 4+ 4- 5+`: month and day, then level and outcome of each answer."""
    days = rows.group_by("day", maintain_order=True).agg(
        pl.concat_str(
            pl.col("item_level").cast(pl.String).fill_null("?"),
            pl.when(pl.col("correct") == 1).then(pl.lit("+")).otherwise(pl.lit("-")),
        )
    )
    return "  ".join(f"{day:%m-%d}: {' '.join(outcomes)}" for day, outcomes in days.iter_rows()) or "nothing"
