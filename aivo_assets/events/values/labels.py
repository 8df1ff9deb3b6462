"""Right or wrong: what the values of `correct` mean. Belongs here: words, thresholds, and a look at the whole column.

Read by themselves are 1 and 0 (also 1.0), true/false, t/f, yes/no, y/n, right/wrong, correct/incorrect, and OK.
Anything else is set aside, never rounded: half a point is neither right nor wrong until somebody says from what on it
is right.

A column is refused as a whole where reading what can be read would leave a wrong picture: answers of -1 and 1, or of 1
and 2, of which only the 1 has a meaning; points from 0 to 5; `OK` among words that nobody explained.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from aivo_assets.errors import SettingsError, SourceError
from aivo_assets.events.values.conversion import is_missing

ACCEPTED = "1/0, true/false, t/f, yes/no, y/n, right/wrong, correct/incorrect, OK"
_WORDS = {
    "true": 1, "false": 0, "t": 1, "f": 0, "yes": 1, "no": 0, "y": 1, "n": 0,
    "right": 1, "wrong": 0, "correct": 1, "incorrect": 0, "ok": 1,
}  # fmt: skip
NEITHER = f"correct is neither 0 nor 1, nor one of {ACCEPTED} (--correct-values)"
PARTIAL = "correct is between 0 and 1, and nothing says what counts as right (--correct-threshold)"
_NOT_NAMED = "correct is none of the values of --correct-values"
_NO_NUMBER = "correct is no number that --correct-threshold could be compared with"
_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_MOST_VALUES = 200
_SHOWN = 5
_FEW = 0.05  # of the labels, and one row, may be above 1 before the column is one of points
_MOST_UNREAD = 0.5
_UNREAD_BESIDE_ONE_CLASS = 0.25  # or two rows: fewer are single bad values


@dataclass(frozen=True)
class LabelReading:
    """How right and wrong are read.

    Attributes:
        values: What each value means, in lower case; empty for the words that are known.
        threshold: From what number on an answer is right; None: only 0 and 1 are numbers that mean something.
    """

    values: Mapping[str, int] = field(default_factory=dict)
    threshold: float | None = None

    @classmethod
    def of(cls, values: Mapping[str, int], threshold: float | None) -> "LabelReading":
        """From the settings.

        Raises:
            SettingsError: Two spellings that differ in case only mean different things.
        """
        lowered: dict[str, int] = {}
        for word, meaning in values.items():
            if lowered.setdefault(word.strip().lower(), meaning) != meaning:
                raise SettingsError(
                    f"--correct-values gives {word!r} two meanings", fix="Upper and lower case are the same here."
                )
        return cls(lowered, threshold)


def read(raw: pl.Series, reading: LabelReading) -> pl.Series:
    """1, 0, or null where a value means neither (Int8)."""
    name = raw.name
    text = _lowered(raw)
    if text is None:
        return pl.Series(name, [None] * len(raw), dtype=pl.Int8)
    words = reading.values or _WORDS
    by_word = text.replace_strict(list(words), list(words.values()), default=None, return_dtype=pl.Int8)
    number = _numbers(text)
    if reading.threshold is not None:
        by_number = (number >= reading.threshold).cast(pl.Int8)
    else:
        by_number = number.set(~number.is_in([0.0, 1.0]).fill_null(value=False), None).cast(pl.Int8)
    if reading.values and reading.threshold is None:
        # A value named `1` is also meant where a file writes 1.0.
        named = {float(word): meaning for word, meaning in reading.values.items() if _is_number(word)}
        by_number = number.replace_strict(list(named), list(named.values()), default=None, return_dtype=pl.Int8)
    return by_word.zip_with(by_word.is_not_null(), by_number).alias(name)


def reasons(raw: pl.Series, reading: LabelReading) -> pl.Series:
    """Why each of these values, none of which `read` could read, is neither right nor wrong."""
    text = _lowered(raw)
    number = None if text is None else _numbers(text)
    if reading.threshold is not None:
        return pl.repeat(_NO_NUMBER, len(raw), eager=True).alias("reason")
    if reading.values:
        return pl.repeat(_NOT_NAMED, len(raw), eager=True).alias("reason")
    if number is None:
        return pl.repeat(NEITHER, len(raw), eager=True).alias("reason")
    partial = number.is_between(0, 1, closed="none").fill_null(value=False)
    return pl.select(pl.when(partial).then(pl.lit(PARTIAL)).otherwise(pl.lit(NEITHER)).alias("reason")).to_series()


@dataclass
class LabelSurvey:
    """What a column of labels holds, gathered chunk by chunk.

    Attributes:
        counts: How often each value occurs, in lower case; beyond a few hundred values only those seen first.
        others: Rows with further values.
        types: Types of columns that can hold no labels.
    """

    counts: Counter[str] = field(default_factory=Counter)
    others: int = 0
    types: set[str] = field(default_factory=set)

    def add(self, raw: pl.Series) -> None:
        """Look at some labels, tidied."""
        given = raw.filter(~is_missing(raw))
        text = _lowered(given)
        if text is None or text.is_empty():
            self.others += len(given)
            self.types |= {str(raw.dtype)} if text is None and len(given) else set()
            return
        for value, count in text.value_counts(sort=True).iter_rows():
            if value in self.counts or len(self.counts) < _MOST_VALUES:
                self.counts[value] += count
            else:
                self.others += count


def check(
    survey: LabelSurvey, reading: LabelReading, *, column: str, place: str, others_expected: bool = False
) -> list[str]:
    """Refuse a column that cannot be right or wrong; otherwise sentences that tell a person how it is read.

    Args:
        survey: Of the whole column.
        reading: How it would be read.
        column: Its name in the source.
        place: File or table, for errors.
        others_expected: Whether the kind of source has rows that are no answers; only a column of nothing else is bad.

    Raises:
        SourceError: Reading what can be read would leave a wrong picture, or nothing can be read.
    """
    values = list(survey.counts)
    rows = pl.DataFrame(
        {"value": values, "rows": list(survey.counts.values())}, schema={"value": pl.String, "rows": pl.Int64}
    )
    rows = rows.with_columns(read(rows["value"], reading).alias("label"), _numbers(rows["value"]).alias("number"))
    together = int(rows["rows"].sum()) + survey.others
    if not together:
        return []
    shown = ", ".join(f"{value!r} {count:,} times" for value, count in survey.counts.most_common(_SHOWN))
    where = f"{place}: the column {column!r} holds {shown or 'values of the type ' + ', '.join(sorted(survey.types))}"
    meanings = rows["label"].drop_nulls().unique().sort().to_list()
    unread = together - int(rows.filter(pl.col("label").is_not_null())["rows"].sum())
    too_many = unread > _MOST_UNREAD * together and not others_expected
    one_sided = unread > 1 or unread >= _UNREAD_BESIDE_ONE_CLASS * together
    if too_many or not meanings or (len(meanings) == 1 and unread and one_sided and not others_expected):
        which = {1: "only right answers", 0: "only wrong answers"}.get(meanings[0]) if len(meanings) == 1 else None
        outcome = f"{unread:,} of {together:,} mean neither right nor wrong here"
        raise SourceError(f"{where}: {outcome}" + (f", and {which} would be left" if which else ""), fix=_fix(rows))
    if reading.threshold is None and not reading.values:
        points = int(rows.filter(pl.col("number") > 1)["rows"].sum())
        if points > max(1, _FEW * together):
            raise SourceError(f"{where}: these are points or percent, not right or wrong", fix=_fix(rows))
    if reading.threshold is not None:
        return [_told_threshold(rows, reading.threshold, where)]
    used = rows.filter(pl.col("label").is_not_null()).sort("rows", descending=True)
    means = ", ".join(f"{value!r} = {label}" for value, label in used.select("value", "label").head(_SHOWN).iter_rows())
    plain = used["number"].null_count() == 0 and not reading.values
    return [] if plain else [f"correct: {means}"]


def _told_threshold(rows: pl.DataFrame, threshold: float, where: str) -> str:
    """The threshold with what it makes of the answers; refused where it is in percent and the values are shares."""
    numbers = rows["number"].drop_nulls()
    if threshold > 1 and len(numbers) > 1 and numbers.is_between(0, 1).all():
        raise SourceError(
            f"{where}: none of them reaches {threshold:g}, and every answer would be wrong",
            fix="Give --correct-threshold (AIVO_SOURCE_CORRECT_THRESHOLD) between 0 and 1, as the values are.",
        )
    right, wrong = (int(rows.filter(pl.col("label") == label)["rows"].sum()) for label in (1, 0))
    return f"correct: right from {threshold:g} on (--correct-threshold): {right:,} right, {wrong:,} wrong"


def _fix(rows: pl.DataFrame) -> str:
    values = ", ".join(f'"{value}": …' for value in rows.sort("rows", descending=True)["value"].head(4).to_list())
    return (
        f"Accepted are {ACCEPTED}. Say what other values mean: --correct-values '{{{values}}}' with 1 or 0 for each"
        " (AIVO_SOURCE_CORRECT_VALUES), or from what number on an answer is right: --correct-threshold"
        " (AIVO_SOURCE_CORRECT_THRESHOLD)."
    )


def _lowered(raw: pl.Series) -> pl.Series | None:
    """Values as text in lower case, truth values as words; None for a column that can hold no labels."""
    if raw.dtype == pl.Null:
        return raw.cast(pl.String)
    if raw.dtype == pl.Boolean or raw.dtype.is_numeric() or raw.dtype in (pl.String, pl.Categorical, pl.Enum):
        return raw.cast(pl.String).str.strip_chars().str.to_lowercase()
    return None


def _numbers(text: pl.Series) -> pl.Series:
    return text.set(~text.str.contains(_NUMBER).fill_null(value=False), None).cast(pl.Float64, strict=False)


def _is_number(word: str) -> bool:
    return bool(pl.Series([word]).str.contains(_NUMBER).item())
