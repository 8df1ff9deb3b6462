"""DataShop transaction exports (tab-separated). Belongs here: what a transaction is to us.

What is one event? A transaction is one thing that a learner did at one step of a problem: an attempt, or a request for
a hint. DataShop's own unit for learning curves (its student-step roll-up), and that of the models that are compared on
its data, is the **first** thing done at a step of a problem view: right only if that is a correct attempt; an incorrect
attempt and a hint both say that the learner could not. So

* one event is one learner at one step of one view of a problem, as in ASSISTments. Its time, session, duration and id
  (`Transaction Id`) are the first transaction's; `correct` is 1 for CORRECT, 0 for INCORRECT and HINT; `hint_count`
  counts the hint requests of the step; `attempt_number` is 1. Later transactions of the step are folded into it.
* With `AIVO_SOURCE_ATTEMPTS=all` every attempt is an event with its number, and hint requests count towards the attempt
  that follows. Right answers after being told are then in the data, which makes learners look better than they are.
* A transaction without an outcome, or with one that is no answer (STUDY: the solution was shown to be read), is no
  event. It is set aside with that reason.
* The item is problem and step. The same step in another unit is the same item. Levels, selection, action and input are
  not read: `Input` is free text that learners typed.
* A transaction that the export repeats for another sample is one transaction (datashop_samples.py); the repetition of
  one that is an event counts as a duplicate, of others as folded.
* Skills are those of one KC model: the one that the settings name, else `KC (Default)`, else the first that tells
  at least two skills apart and is not DataShop's own Single-KC or Unique-step, else none. Repeated columns of one
  model, and `~~` within a value, are several skills.
* Times carry the row's `Time Zone`, else the zone of the settings. They are of whole seconds, in which a learner may do
  several things; these stay in the order of the export, as all that happens in one instant does.
* A duration of 0 seconds is one that was not measured (in one export nearly all are 0); `response_time_ms` is then
  empty.

An export is read whole, because the rows of a step need not stand together. Text is not quoted: a quote means itself.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Literal

import polars as pl

from aivo_assets.errors import SourceError
from aivo_assets.events.sources.base import Extract, Window, broken_rows
from aivo_assets.events.sources.datashop_samples import CLASH, SAMPLE, without_repeats
from aivo_assets.events.sources.learner_files import read_learners
from aivo_assets.events.sources.plan import Plan, asked_of_times, made
from aivo_assets.events.sources.reading.delimited import Broken, Dialect, read_blocks, read_header
from aivo_assets.events.sources.reading.files import find_files, fingerprint, refuse_empty
from aivo_assets.events.sources.reading.records import LineCount
from aivo_assets.events.times.reading import TimeReading, moments
from aivo_assets.events.values.labels import LabelReading
from aivo_assets.settings import SourceSettings

_REQUIRED = ("Anon Student Id", "Time", "Problem Name", "Step Name", "Outcome")
_OPTIONAL = (
    "Transaction Id",
    "Session Id",
    "Time Zone",
    "Duration (sec)",
    "Problem View",
    "Student Response Type",
    "School",
    "Class",
    SAMPLE,
)
_OUTCOMES = {"CORRECT": 1, "INCORRECT": 0, "HINT": 0}
_BESIDE = ("Time Zone", "Problem Name", "Problem View", "Step Name")  # used beside what the mapping names
_STEP = ("Anon Student Id", "Problem Name", "Problem View", "Step Name")
_IN_UTC = TimeReading()
_GENERATED_MODELS = ("Single-KC", "Unique-step")
_KC_COLUMN = re.compile(r"^KC \((?P<model>.+?)\)(?: \(\d+\))?$")
_NO_ANSWER = "the transaction is no answer: its outcome is none of"

_IS_HINT = pl.col("_outcome").str.contains("HINT", literal=True)


class DataShopSource:
    """DataShop files.

    Args:
        settings: Path, encoding, times, outcomes, subject, KC model and which attempts count.
        first_event_at: What numbers that do not count from 1970 count from.
        now: The present instant.
    """

    name = "datashop"
    window_applies = True

    def __init__(self, settings: SourceSettings, first_event_at: datetime, now: datetime) -> None:
        self._settings = settings
        self._first_event_at = first_event_at
        self._now = now
        self._outcomes = {
            **_OUTCOMES,
            **{word.strip().upper(): label for word, label in settings.correct_values.items()},
        }
        self._dialect = Dialect(settings.delimiter, quoted=False, encoding=settings.encoding)

    def fingerprint(self) -> str:
        """Hash of the files and of how they are read."""
        return fingerprint(find_files(self._settings.path), self._settings)

    def events(self, window: Window | None, cursor: str | None) -> Iterator[Extract]:
        """Read each export as a whole; see `Source.events`."""
        del window, cursor
        files = find_files(self._settings.path)
        rows = 0
        for file in files:
            place = str(file)
            header = read_header(file, self._dialect)
            models = skill_models(header)
            _refuse(header, models, self._settings.skill_model, place)
            wanted = [name for name in (*_REQUIRED, *_OPTIONAL) if name in header]
            frames: list[pl.DataFrame] = []
            broken: Broken = []
            lines = LineCount()
            for block in read_blocks(file, self._dialect, [*wanted, *(c for cs in models.values() for c in cs)]):
                frames.append(block.frame)
                broken.extend(block.broken)
                lines += block.count
            if frames:
                transactions = pl.concat(frames)
                once, repeats = without_repeats(transactions)
                events = events_of(
                    once,
                    self._settings.skill_model,
                    self._settings.attempts,
                    times=self._plan.times,
                    outcomes=self._outcomes,
                )
                of_events = int(repeats.is_in(events["_row"].implode()).sum())
                rows += transactions.height + len(broken)
                yield Extract(
                    frame=events.with_columns(_location=pl.lit(place)),
                    broken=broken_rows(place, broken),
                    times=self._plan.times,
                    subject=self._settings.subject,
                    missing=self._settings.missing_values,
                    lines=lines,
                    repeated=of_events,
                    folded=transactions.height - events.height - of_events,
                )
        if not rows:
            raise refuse_empty(files)

    def how_read(self) -> tuple[str, ...]:
        """Columns, times and outcomes; see `Source.how_read`."""
        return self._plan.sentences

    def learners(self) -> pl.DataFrame | None:
        """The learner table, if the settings name one."""
        return read_learners(self._settings)

    @cached_property
    def _plan(self) -> Plan:
        """How the exports are read, after a look at all of their times and outcomes."""
        asked = asked_of_times(self._settings, self._first_event_at)
        files = find_files(self._settings.path)
        headers = {file: read_header(file, self._dialect) for file in files}
        for file, header in headers.items():
            _refuse(header, skill_models(header), self._settings.skill_model, str(file))
        return made(
            {
                file.name: (
                    _told_columns(header, self._settings.skill_model),
                    [name for name in header if name not in _BESIDE],
                )
                for file, header in headers.items()
            },
            (
                block.frame.select(occurred_at="Time", correct="Outcome")
                for file in files
                for block in read_blocks(file, self._dialect, ["Time", "Outcome"])
            ),
            asked,
            LabelReading({word.lower(): label for word, label in self._outcomes.items()}),
            now=self._now,
            missing=self._settings.missing_values,
            others_expected=not self._settings.correct_values,
        )


def skill_models(header: list[str]) -> dict[str, list[str]]:
    """KC models of an export and the columns of each, in the header's order."""
    models: dict[str, list[str]] = {}
    for column in header:
        if match := _KC_COLUMN.match(column):
            models.setdefault(match["model"], []).append(column)
    return models


def events_of(
    transactions: pl.DataFrame,
    skill_model: str | None,
    attempts: Literal["first", "all"],
    *,
    times: TimeReading = _IN_UTC,
    outcomes: Mapping[str, int] = _OUTCOMES,
) -> pl.DataFrame:
    """Make events of transactions; the module says how.

    Args:
        transactions: Columns of the export as text, and `_row`, in the export's order; `_clash` marks those whose id is
            taken.
        skill_model: KC model that gives the skills; None to choose.
        attempts: Whether the first transaction of a step is an event, or each attempt.
        times: How times are read.
        outcomes: What outcomes mean, in upper case: 1 right, 0 wrong; one that says HINT is a request for a hint.

    Returns:
        One row for each event, and for each transaction that is none (with `_problem`), in the export's order.
    """
    blank = pl.lit("")
    clash = pl.col("_clash") if "_clash" in transactions.columns else pl.lit(value=False)
    answered = pl.col("_outcome").is_in(list(outcomes)) & ~clash
    absent = [blank.alias(name) for name in _OPTIONAL if name not in transactions.columns]
    marked = (
        transactions.with_columns(absent)
        .with_columns(_outcome=pl.col("Outcome").str.strip_chars().str.to_uppercase())
        .with_columns(_skills(transactions, skill_model).alias("skill_ids"))
    )
    # A transaction that names no step is a step of its own, and is judged by itself.
    own = pl.when((pl.col("Step Name").str.strip_chars() == "") | ~answered).then(pl.col("_row"))
    at = moments(marked["Time"], marked["Time Zone"], times, marked["Anon Student Id"])
    stepwise = marked.with_columns(_own=own, occurred_at=pl.col("Time").str.strip_chars(), _at=at)
    # Rows of a learner stand in order of time; where they do not, time decides.
    in_time = stepwise.sort("_at", "_row", maintain_order=True)
    chosen = _first_attempts(in_time) if attempts == "first" else _all_attempts(in_time)
    return chosen.sort("_row").select(
        "_row",
        "skill_ids",
        "occurred_at",
        "hint_count",
        "attempt_number",
        event_id="Transaction Id",
        learner_id="Anon Student Id",
        item_id=_item(),
        correct=pl.when(answered)
        .then(pl.col("_outcome").replace_strict(dict(outcomes), default=None, return_dtype=pl.String))
        .otherwise("Outcome"),
        response_time_ms=_milliseconds(),
        session_id="Session Id",
        class_id="Class",
        school_id="School",
        _zone=pl.col("Time Zone"),
        _problem=pl.when(clash).then(pl.lit(CLASH)).when(~answered).then(pl.lit(_no_answer(outcomes))),
    )


def _first_attempts(transactions: pl.DataFrame) -> pl.DataFrame:
    """The first transaction of each step, with the hints asked for at that step."""
    step = [*_STEP, "_own"]
    counted = transactions.with_columns(hint_count=_IS_HINT.sum().over(step), attempt_number=pl.lit(1))
    return counted.unique(step, keep="first", maintain_order=True)


def _all_attempts(transactions: pl.DataFrame) -> pl.DataFrame:
    """Each attempt at a step with the hints before it; hints that no attempt follows are an attempt of their own."""
    step = [*_STEP, "_own"]
    return (
        transactions.with_columns(_hints=_IS_HINT.cum_sum().over(step), attempt_number=(~_IS_HINT).cum_sum().over(step))
        .with_columns(_pending=(~_IS_HINT | (pl.int_range(pl.len()) == pl.len() - 1)).over(step))
        .filter(pl.col("_pending"))
        .with_columns(
            hint_count=pl.col("_hints") - pl.col("_hints").shift(fill_value=0).over(step),
            attempt_number=pl.col("attempt_number") + _IS_HINT.cast(pl.Int64),
        )
    )


def _refuse(header: list[str], models: dict[str, list[str]], wanted: str | None, place: str) -> None:
    missing = [name for name in _REQUIRED if name not in header]
    if missing:
        raise SourceError(
            f"{place} has no column {', '.join(missing)}",
            fix="Export transactions (not student-steps) from DataShop, tab-separated, with a header.",
        )
    if wanted is not None and wanted not in models:
        raise SourceError(
            f"{place} has no column KC ({wanted}); its models are: {', '.join(models) or 'none'}",
            fix="Set AIVO_SOURCE_SKILL_MODEL to one of them, or unset it.",
        )


def _no_answer(outcomes: Mapping[str, int]) -> str:
    *names, last = outcomes
    return f"{_NO_ANSWER} {', '.join(names)} and {last}"


def _told_columns(header: list[str], skill_model: str | None) -> dict[str, str]:
    """Ours to theirs, for a person."""
    columns = {
        "learner_id": "Anon Student Id",
        "item_id": "Problem Name / Step Name",
        "occurred_at": "Time",
        "correct": "Outcome",
        "event_id": "Transaction Id",
        "session_id": "Session Id",
        "response_time_ms": "Duration (sec)",
        "class_id": "Class",
        "school_id": "School",
        "skill_ids": f"KC ({skill_model or 'Default'})",
    }
    return {ours: theirs for ours, theirs in columns.items() if theirs in header or ours == "item_id"}


def _skills(transactions: pl.DataFrame, wanted: str | None) -> pl.Expr:
    models = skill_models(transactions.columns)
    chosen = wanted or _best_model(transactions, models)
    if chosen is None:
        return pl.lit(None, dtype=pl.List(pl.String))
    return pl.concat_list([pl.col(column).str.split("~~") for column in models[chosen]])


def _best_model(transactions: pl.DataFrame, models: dict[str, list[str]]) -> str | None:
    if "Default" in models:
        return "Default"
    for model, columns in models.items():
        values = transactions[columns[0]]
        if model not in _GENERATED_MODELS and values.set(values == "", None).drop_nulls().n_unique() > 1:
            return model
    return None


def _item() -> pl.Expr:
    problem, step = pl.col("Problem Name").str.strip_chars(), pl.col("Step Name").str.strip_chars()
    return pl.when((problem != "") & (step != "")).then(pl.concat_str(problem, step, separator=" / "))


def _milliseconds() -> pl.Expr:
    """Seconds to milliseconds; what is no number goes on as it is, to be judged by the intake."""
    given = pl.col("Duration (sec)").str.strip_chars()
    seconds = given.cast(pl.Float64, strict=False)
    return (
        pl.when(seconds == 0)
        .then(None)
        .when(seconds.is_not_null())
        .then((seconds * 1000).round().cast(pl.Int64, strict=False).cast(pl.String))
        .when(given != ".")
        .then(given)
    )
