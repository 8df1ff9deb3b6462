"""The account of a landing in words. Belongs here: what became of the rows, why, and what to do; nothing is counted.

`aivo ingest`, `aivo run` and the runs of the platform tell it in the same words.
"""

import polars as pl

from aivo_assets.errors import SourceError
from aivo_assets.events.landing.lookalikes import SAME_TIME
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.sources.base import BROKEN_COLUMNS, Window

_TIMES = "say how times are written (--time-unit, --time-format, --time-zone), or map another column"
_ADVICE = (
    ("(AIVO_SOURCE_ZONES)", 'name the zone: AIVO_SOURCE_ZONES=\'{"IST": "Asia/Kolkata"}\''),
    (
        "values than there are columns",
        "let the header name as many columns as the lines have values (in R: row.names = FALSE; no separator at the end"
        " of lines), and check AIVO_SOURCE_DELIMITER",
    ),
    ("opens a quote", 'write a quote within a quoted value twice, as "he said ""no"""'),
    ("decoded", "set AIVO_SOURCE_ENCODING to the file's encoding, for example latin-1"),
    ("in the future", "check the clock of what made the file, and --time-unit and --time-zone"),
    ("before 1990", "check --time-unit: a wrong unit puts times into 1970"),
    ("occurred_at is missing", "map the column that holds the time: --map occurred_at=COLUMN"),
    ("occurred_at", _TIMES),
    ("--correct-threshold", "say from what number on an answer is right: --correct-threshold"),
    ("correct is missing", "map the column that says right or wrong: --map correct=COLUMN"),
    ("correct", 'say what its values mean: --correct-values \'{"passed": 1, "failed": 0}\''),
    ("no answer", 'say what its outcomes mean: --correct-values \'{"OK": 1, "ERROR": 0}\''),
    ("last digits are lost", "export the column as text or as a whole number from where it is kept"),
    ("learner_id", "map the column that names the learner: --map learner_id=COLUMN"),
    ("item_id", "map the column that names the item: --map item_id=COLUMN"),
)
_MEND = "mend the export, or leave that column out of the mapping"
_READ_WHOLE = ("csv", "datashop", "assistments")
_SHOWN_VALUES = ("occurred_at", "correct")
_LONGEST_SHOWN = 40


def outcome(receipt: Receipt) -> str:
    """What became of the rows, in one sentence."""
    parts = [
        f"{receipt.rows_in:,} rows in = {receipt.kept:,} kept + {receipt.duplicates:,} duplicates"
        f" + {receipt.set_aside:,} set aside"
    ]
    if receipt.folded:
        parts.append(f"{receipt.folded:,} are a part of another row's event")
    if receipt.forgotten:
        parts.append(f"{receipt.forgotten:,} of learners who were forgotten")
    parts.append(f"{receipt.outside_window:,} outside the days asked for")
    return "; ".join(parts) + "."


def lines(receipt: Receipt) -> list[str]:
    """The account of the lines of text files; none where no text was read."""
    if not receipt.lines:
        return []
    count = receipt.lines
    return [
        f"{sum(count.values()):,} lines = {count['header']:,} header + {count['rows']:,} rows"
        f" + {count['set_aside']:,} that are no row + {count['joined']:,} joined to the row before"
        f" + {count['blank']:,} blank."
    ]


def remarks(receipt: Receipt) -> list[str]:
    """What whoever lands rows should know of repeats, and of rows that look like known answers."""
    found = []
    if receipt.repeated:
        one = f"{receipt.repeated:,} of {receipt.rows_in:,} rows say exactly what an earlier row of their file says"
        found.append(
            f"{one}; each is taken once (AIVO_SOURCE_REPEATS=fold)."
            if receipt.repeats_folded
            else f"{one}, and count as further answers; AIVO_SOURCE_REPEATS=fold takes each once."
        )
    if receipt.alike_in_file:
        found.append(
            f"{receipt.alike_in_file:,} of {receipt.rows_in:,} rows have learner, item, time and outcome of an earlier"
            " row of their file and differ elsewhere; they count as further answers. With a row a skill, bring"
            " the skills of an answer into one row."
        )
    if receipt.known_otherwise:
        more = ", ".join(receipt.further_columns)
        found.append(
            f"{receipt.known_otherwise:,} of the duplicates are answers that are known with other columns: what is kept"
            " stays as it is." + (f" To have {more}, land into a new AIVO_HOME." if more else "")
        )
    for how, rows in receipt.alike.items():
        found.append(f"Warning: {rows:,} of {receipt.kept:,} rows kept {_alike(how)}")
    return found


def _alike(how: str) -> str:
    if how == SAME_TIME:
        return (
            "have learner, item and time of an answer that was known under another id, and differ from it elsewhere:"
            " were the same answers read with other settings (--correct-threshold, --map)?"
        )
    seconds = int(how)
    hours = f"{abs(seconds) / 3600:g} h {'later' if seconds > 0 else 'earlier'}"
    return (
        f"are answers that were known, but {hours}: were the same answers read with another time zone (--time-zone)?"
        " They would count twice."
    )


def reasons(receipt: Receipt) -> list[str]:
    """Why rows were set aside: the most frequent reason first, each with the first place where it occurs."""
    ordered = sorted(receipt.by_reason.items(), key=lambda item: (-item[1], item[0]))
    examples = ((rows, reason, receipt.examples.get(reason)) for reason, rows in ordered)
    return [f"{rows:>8,}  {reason}" + (f"  ({example})" if example else "") for rows, reason, example in examples]


def refuse_nothing_kept(receipt: Receipt, window: Window | None) -> None:
    """Refuse a landing that found rows and could keep none of them.

    A row whose time cannot be read belongs to no day, so every window finds it. Where a source reads no more than the
    window, and the window holds nothing else, that is a day without answers and no error; a file that is read whole has
    no sound row at all then.

    Raises:
        SourceError: Nothing was kept or known, and rows of the days asked for were set aside.
    """
    if receipt.kept or receipt.duplicates or receipt.outside_window or not receipt.set_aside:
        return
    if (
        window is not None
        and receipt.source not in _READ_WHOLE
        and all("occurred_at" in reason for reason in receipt.by_reason)
    ):
        return
    details = "".join(f"\n  {line}" for line in reasons(receipt))
    most = max(receipt.by_reason, key=lambda reason: receipt.by_reason[reason])
    raise SourceError(
        f"{receipt.source}: none of {receipt.rows_in:,} rows could be kept{details}",
        fix=f"For the most frequent reason: {advice(most)}. `aivo ingest --dry-run` shows what a change would do.",
    )


def advice(reason: str) -> str:
    """What a person can do about a reason."""
    return next((what for part, what in _ADVICE if part in reason), _MEND)


def examples(problems: pl.DataFrame) -> dict[str, str]:
    """Where each reason occurs first, with the value where it is a time or a label and so names nobody."""
    first = problems.unique("reason", keep="first", maintain_order=True)
    by_reason = {}
    for location, row, column, value, reason in first.select(*BROKEN_COLUMNS).iter_rows():
        place = str(location).rsplit("/", 1)[-1] + ("" if row is None else f", row {row}")
        shown = bool(value) and column in _SHOWN_VALUES
        by_reason[str(reason)] = f"{place}: {value[:_LONGEST_SHOWN]!r}" if shown else place
    return by_reason
