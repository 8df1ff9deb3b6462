"""How far advice stays the same overnight. Belongs here: the definitions; whose advice it is, is the trial's business.

Compared are two evenings, one after the other, in a skill of a learner that both speak of. New answers are those of the
second day on that skill. A change is another kind; advice that passes by its nature (a break) is left out, for it ends
with its session.

Definitions:
    changed, nothing new: Of what came first for its learner, the share that is of another kind on the next evening
        although the learner did not practise the skill meanwhile.
    changed, under 3 new: The same with at most two new answers on the skill, none included.
    changed, 1 or 2 new: The same with one or two.
    changed, all ranks, nothing new / under 3 new: The same of all of a learner's recommendations.
    first changed, no practice: Of the learners who practised nothing at all that day, the share whose first
        recommendation is about another skill or of another kind.
"""

from typing import Final

import polars as pl

FEW: Final = 3
_PAIR: Final = ["row", "skill"]


def noted(decided: pl.DataFrame, day: int) -> pl.DataFrame:
    """What is kept of an evening's advice: row, skill, day (Int32), rank, kind, passes, attempts.

    Args:
        decided: Ranked decisions with `row` and `skill`, the learner's and the skill's numbers.
        day: Number of the evening.
    """
    columns = ("rank", "kind", "passes", "attempts")
    return decided.select("row", "skill", pl.lit(day, pl.Int32).alias("day"), *columns)


def stability(advice: pl.DataFrame) -> dict[str, float]:
    """The measures of one school's advice, by name; NaN where there was nothing to compare.

    Args:
        advice: `noted` evenings. Answers of the history must not have begun to fall out of it, since new answers are
            told by their growing number.
    """
    tomorrow = advice.with_columns(pl.col("day") - 1)
    pairs = advice.join(tomorrow, on=[*_PAIR, "day"], suffix="_next").filter(~pl.col("passes") & ~pl.col("passes_next"))
    pairs = pairs.with_columns(new=pl.col("attempts_next") - pl.col("attempts"), other=_other("kind"))
    first, nothing, few = pl.col("rank") == 1, pl.col("new") == 0, pl.col("new") < FEW
    return {
        "changed, nothing new": _share(pairs, first & nothing),
        "changed, under 3 new": _share(pairs, first & few),
        "changed, 1 or 2 new": _share(pairs, first & few & ~nothing),
        "changed, all ranks, nothing new": _share(pairs, nothing),
        "changed, all ranks, under 3 new": _share(pairs, few),
        "first changed, no practice": _first_changed(advice),
    }


def _first_changed(advice: pl.DataFrame) -> float:
    answered = advice.group_by("row", "day").agg(pl.col("attempts").sum())
    first = advice.filter(pl.col("rank") == 1).join(answered, on=["row", "day"], suffix="_all")
    tomorrow = first.with_columns(pl.col("day") - 1)
    pairs = first.join(tomorrow, on=["row", "day"], suffix="_next").filter(~pl.col("passes") & ~pl.col("passes_next"))
    idle = pl.col("attempts_all") == pl.col("attempts_all_next")
    return _share(pairs.with_columns(other=_other("kind") | _other("skill")), idle)


def _other(column: str) -> pl.Expr:
    return pl.col(column) != pl.col(f"{column}_next")


def _share(pairs: pl.DataFrame, concerned: pl.Expr) -> float:
    chosen = pairs.filter(concerned)
    return float(chosen.select(pl.col("other").mean()).item()) if chosen.height else float("nan")
