"""A look at a whole column of times, and the decision how it is to be read.

Belongs here: what a column shows, what follows from it beyond doubt, and the error where nothing does.

* Numbers are seconds, milliseconds, microseconds or nanoseconds since 1970 where nine in ten of them then lie between
  1990 and now. These four ranges are far apart, and a count since a first event would begin at 0.
* Smaller numbers (seconds since a first event, Excel's days) say nothing of their unit: it is asked for.
  With a unit, numbers of less than twenty years count from the first event.
* `20240405` and `20240405090500` are dates where all numbers of the column are.
* `05/04/2024` has the day first where some first number of the column is above 12 and no second one is, and the other
  way round. Where both or neither are, it is asked for.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import polars as pl

from aivo_assets.errors import SettingsError, SourceError
from aivo_assets.events.schema import EARLIEST
from aivo_assets.events.times import counted as counts
from aivo_assets.events.times import written
from aivo_assets.events.times.counted import EPOCH, PER_SECOND, UNIT_NAMES, Counted, Unit
from aivo_assets.events.times.reading import TimeReading, moments
from aivo_assets.events.values.conversion import is_missing

_CLEAR = 0.9  # of the numbers lie in the range of the unit that is inferred
_READABLE = 0.5  # of the texts at least, or the column holds something else
_FEW = 0.05  # of the texts may be of a form that is not told; they are set aside
_LONGEST_COUNT = timedelta(days=20 * 365)
_DIGITS = {14: "%Y%m%d%H%M%S", 12: "%Y%m%d%H%M", 8: "%Y%m%d"}
_SHOWN = 3
_LONGEST_SHOWN = 60
DAY_FIRST, MONTH_FIRST = "day-first", "month-first"


@dataclass(frozen=True)
class Asked:
    """What the settings say of times.

    Attributes:
        unit: `--time-unit`.
        formats: `--time-format`: strftime formats; empty where none is given.
        day_first: `--time-format day-first` or `month-first`.
        zone: `--time-zone`.
        zones: AIVO_SOURCE_ZONES.
        first_event_at: What relative numbers count from.
        first_event_is_set: Whether the settings say so themselves.
    """

    unit: Unit | None
    formats: tuple[str, ...]
    day_first: bool | None
    zone: str
    zones: dict[str, str]
    first_event_at: datetime
    first_event_is_set: bool


@dataclass
class TimeSurvey:
    """What a column of times shows, gathered chunk by chunk."""

    now: datetime
    formats: tuple[str, ...] = ()
    values: int = 0
    of_format: int = 0
    days: Counter[Unit] = field(default_factory=Counter)
    typed: int = 0
    numbers: int = 0
    least: float | None = None
    largest: float | None = None
    within: Counter[Unit] = field(default_factory=Counter)
    short: int = 0
    digits: Counter[int] = field(default_factory=Counter)
    clear: int = 0
    undecided: int = 0
    day_first: list[str] = field(default_factory=list)
    month_first: list[str] = field(default_factory=list)
    days_only: int = 0
    examples: list[str] = field(default_factory=list)
    undecided_examples: list[str] = field(default_factory=list)
    number_examples: list[str] = field(default_factory=list)

    def add(self, raw: pl.Series) -> None:
        """Look at some values, tidied, in the order of the source."""
        given = raw.filter(~is_missing(raw))
        self.values += len(given)
        if given.is_empty():
            return
        _extend(self.examples, given)
        if self.formats and (given.dtype == pl.String or given.dtype.is_integer()):
            text = given.cast(pl.String).str.strip_chars()
            self.of_format += int(written.by_formats(text, self.formats)["form"].sum())
        if given.dtype == pl.Date or isinstance(given.dtype, pl.Datetime):
            self.typed += len(given)
            return
        number = counts.numbers(given)
        sound = number.is_not_null()
        if sound.any():
            self._add_numbers(number.drop_nulls(), given.filter(sound))
        if given.dtype == pl.String and not sound.all():
            self._add_text(given.filter(~sound).str.strip_chars())

    def _add_numbers(self, number: pl.Series, given: pl.Series) -> None:
        self.numbers += len(number)
        _extend(self.number_examples, given)
        value = number.cast(pl.Float64)
        least, largest = value.min(), value.max()
        assert isinstance(least, float)
        assert isinstance(largest, float)
        self.least = least if self.least is None else min(self.least, least)
        self.largest = largest if self.largest is None else max(self.largest, largest)
        for unit, per_second in PER_SECOND.items():
            first, last = (moment.timestamp() * per_second for moment in (EARLIEST, self._latest()))
            self.within[unit] += int(value.is_between(first, last).sum())
        for unit in ("excel", "excel1904"):
            at = counts.instants(value, Counted(unit)).dt.replace_time_zone("UTC")
            self.days[unit] += int(at.is_between(EARLIEST, self._latest()).sum())
        text = given.cast(pl.String).str.strip_chars()
        for width, pattern in _DIGITS.items():
            fits = text.filter(text.str.len_bytes() == width)
            read = fits.str.to_datetime(pattern, time_unit="us", strict=False) if len(fits) else fits
            if len(fits):
                latest = self._latest().replace(tzinfo=None)
                self.digits[width] += int(read.is_between(EARLIEST.replace(tzinfo=None), latest).sum())

    def _add_text(self, text: pl.Series) -> None:
        parts = written.parts(text, day_first=None)
        self.clear += int(parts["form"].sum())
        rest = text.filter(~parts["form"])
        slashed = rest.filter(written.is_numbers_only(rest))
        self.days_only += int((parts["form"] & ~written.has_time_of_day(text)).sum())
        if slashed.is_empty():
            return
        self.undecided += len(slashed)
        self.days_only += int((~written.has_time_of_day(slashed)).sum())
        _extend(self.undecided_examples, slashed)
        numbers = written.first_two(slashed)
        _extend(self.day_first, slashed.filter(numbers["first"] > 12))
        _extend(self.month_first, slashed.filter(numbers["other"] > 12))

    def _latest(self) -> datetime:
        return self.now + timedelta(days=1)


def decide(survey: TimeSurvey, asked: Asked, *, column: str, place: str) -> tuple[TimeReading, list[str]]:
    """How a column is read, and sentences that tell a person so.

    Args:
        survey: Of the whole column.
        asked: What the settings say.
        column: Its name in the source.
        place: File or table, for errors.

    Raises:
        SourceError: The column cannot be read, or could be read in several ways.
        SettingsError: The settings cannot be meant for this column.
    """
    reading = TimeReading(asked.zone, None, asked.day_first, asked.formats, asked.zones)
    notes: list[str] = []
    if survey.values == 0:
        return reading, notes
    where = f"{place}: the column {column!r}"
    if asked.formats:
        _refuse_other_format(survey, asked, where)
        return reading, [f"times by the format {' or '.join(asked.formats)} (--time-format)"]
    if survey.numbers:
        reading, sentence = _decide_numbers(survey, asked, reading, where)
        notes.append(sentence)
    elif asked.unit is not None:
        notes.append(f"--time-unit {asked.unit} is not used: the times are no numbers")
    texts = survey.values - survey.numbers - survey.typed
    if texts:
        reading, sentence = _decide_text(survey, asked, reading, texts, where)
        notes += [sentence] if sentence else []
    if survey.days_only == survey.values:
        notes.append("times are days without a time of day: answers of one day stay in the order of the rows")
    zone = asked.zone if reading.counted is None or reading.counted.is_local else None
    if zone is not None:
        notes.append(f"times without a zone of their own are of {zone} (--time-zone)")
    return reading, notes


def _decide_numbers(survey: TimeSurvey, asked: Asked, reading: TimeReading, where: str) -> tuple[TimeReading, str]:
    shown = _three(survey.number_examples)
    if asked.unit is not None:
        counted, sentence = _of_unit(survey, asked, asked.unit, where)
        return replace(reading, counted=counted), sentence
    unit = next((unit for unit in PER_SECOND if survey.within[unit] >= _CLEAR * survey.numbers), None)
    if unit is not None:
        example = _shown_as(survey.number_examples, Counted(unit, EPOCH), reading)
        return (
            replace(reading, counted=Counted(unit, EPOCH)),
            f"times are {UNIT_NAMES[unit]} since 1970, inferred: {example} (--time-unit says otherwise)",
        )
    for width, pattern in _DIGITS.items():
        if survey.digits[width] == survey.numbers == survey.values:
            return replace(reading, formats=(pattern,)), f"times are dates of {width} digits, inferred ({shown})"
    raise SourceError(
        f"{where} holds numbers ({shown}), and what they count is not clear: seconds, milliseconds, days, or not when"
        " something happened at all",
        fix="If they are times, say what they count: --time-unit s, ms, us, ns or excel (AIVO_SOURCE_TIME_UNIT)."
        " If not, map the column that holds the time: --map occurred_at=COLUMN.",
    )


def _refuse_other_format(survey: TimeSurvey, asked: Asked, where: str) -> None:
    if asked.unit is not None:
        raise SettingsError(
            "--time-format reads text and --time-unit reads numbers, and both are given", fix="Give the one that fits."
        )
    texts = survey.values - survey.typed
    if survey.of_format < _READABLE * texts:
        raise SourceError(
            f"{where} holds {_three(survey.examples)}: {texts - survey.of_format:,} of {texts:,} do not have the format"
            f" {' or '.join(asked.formats)}",
            fix="Correct --time-format (AIVO_SOURCE_TIME_FORMAT), or leave it out.",
        )


def _of_unit(survey: TimeSurvey, asked: Asked, unit: Unit, where: str) -> tuple[Counted, str]:
    """Numbers of a unit that the settings give: since 1970 or since the first event, as their size shows."""
    shown, name = _three(survey.number_examples), UNIT_NAMES[unit]
    if unit not in PER_SECOND:
        counted = Counted(unit)
        if survey.days[unit] < _READABLE * survey.numbers:
            raise SourceError(
                f"{where} holds {shown}: as {name} most of them do not lie between {EARLIEST:%Y} and now",
                fix="Check --time-unit (AIVO_SOURCE_TIME_UNIT), or map the column that holds the time:"
                " --map occurred_at=COLUMN.",
            )
        return counted, f"times are {name} ({_shown_as(survey.number_examples, counted, TimeReading(asked.zone))})"
    epoch = Counted(unit, EPOCH)
    if survey.within[unit] >= _READABLE * survey.numbers:
        return epoch, f"times are {name} since 1970 ({_shown_as(survey.number_examples, epoch, TimeReading())})"
    assert survey.largest is not None
    assert survey.least is not None
    other = next((each for each in PER_SECOND if survey.within[each] >= _READABLE * survey.numbers), None)
    if other is not None and survey.within[other] == survey.numbers:
        # A count since a first event begins near 0; these do not.
        raise SourceError(
            f"{where} holds {shown}: as {name} since 1970 they do not lie between {EARLIEST:%Y} and now, and"
            f" all of them are {UNIT_NAMES[other]} since 1970",
            fix=f"Take --time-unit {other} (AIVO_SOURCE_TIME_UNIT), or leave it out.",
        )
    if survey.largest > _LONGEST_COUNT.total_seconds() * PER_SECOND[unit]:
        fix = (
            f"They fit --time-unit {other}, which is since 1970."
            if other
            else "Check --time-unit (AIVO_SOURCE_TIME_UNIT)."
        )
        raise SourceError(
            f"{where} holds {shown}: as {name} since 1970 they do not lie between {EARLIEST:%Y} and now, and as"
            f" {name} since a first event they are more than twenty years",
            fix=fix,
        )
    start = f"{asked.first_event_at:%Y-%m-%d %H:%M} UTC"
    set_by = (
        "AIVO_SOURCE_FIRST_EVENT_AT"
        if asked.first_event_is_set
        else "no real date; AIVO_SOURCE_FIRST_EVENT_AT moves it"
    )
    return (
        Counted(unit, asked.first_event_at),
        f"times are {name} since the first event of the learner or file, which is put at {start} ({set_by})",
    )


def _decide_text(
    survey: TimeSurvey, asked: Asked, reading: TimeReading, texts: int, where: str
) -> tuple[TimeReading, str]:
    sentence = ""
    undecided = survey.undecided if asked.day_first is None else 0
    if undecided:
        day_first, sentence = _order_of_day_and_month(survey, texts, where)
        reading = replace(reading, day_first=day_first)
    elif survey.undecided:
        sentence = (
            f"dates such as {survey.undecided_examples[0]!r} have the {'day' if asked.day_first else 'month'} first"
        )
        sentence += " (--time-format)"
    if survey.clear + survey.undecided < _READABLE * texts:
        raise SourceError(
            f"{where} does not look like dates and times: {_three(survey.examples)}",
            fix="Map the column that holds the time (--map occurred_at=COLUMN), or give the format of this one:"
            " --time-format '%d/%m/%y %H:%M' (AIVO_SOURCE_TIME_FORMAT).",
        )
    return reading, sentence


def _order_of_day_and_month(survey: TimeSurvey, texts: int, where: str) -> tuple[bool | None, str]:
    day, month = survey.day_first, survey.month_first
    if day and not month:
        return True, f"dates have the day first, inferred from {day[0]!r} (--time-format {MONTH_FIRST} says otherwise)"
    if month and not day:
        return (
            False,
            f"dates have the month first, inferred from {month[0]!r} (--time-format {DAY_FIRST} says otherwise)",
        )
    if survey.undecided <= _FEW * texts:
        return None, f"{survey.undecided} dates such as {survey.undecided_examples[0]!r} do not tell day from month"
    if day:
        what = f"{where} holds dates with the day first ({day[0]!r}) and dates with the month first ({month[0]!r})"
        raise SourceError(what, fix="Correct the export, or split it into files that each have one order.")
    raise SourceError(
        f"{where} holds dates that do not tell whether day or month comes first: {_three(survey.undecided_examples)}",
        fix=f"Say it: --time-format {DAY_FIRST} or --time-format {MONTH_FIRST} (AIVO_SOURCE_TIME_FORMAT).",
    )


def formats_of(given: str | None) -> tuple[bool | None, tuple[str, ...]]:
    """`--time-format` as the order of day and month, or as formats parted by `|`.

    Raises:
        SettingsError: It is neither.
    """
    if given is None:
        return None, ()
    if given in (DAY_FIRST, MONTH_FIRST):
        return given == DAY_FIRST, ()
    formats = tuple(part.strip() for part in given.split("|"))
    for each in formats:
        probe = pl.Series([datetime(2024, 4, 25, 21, 7, 8, tzinfo=UTC)]).dt.replace_time_zone("UTC")
        try:
            text = probe.dt.strftime(each)
            read = written.by_formats(text, (each,))["naive"].item()
        except pl.exceptions.PolarsError:
            read = None
        if read is None or read.date() != probe.item().date():
            raise SettingsError(
                f"--time-format {each!r} (AIVO_SOURCE_TIME_FORMAT) is no format of a date and time",
                fix=f"Write it as %d/%m/%Y %H:%M:%S (strftime), or {DAY_FIRST} or {MONTH_FIRST}.",
            )
    return None, formats


def looks_like_times(raw: pl.Series, now: datetime) -> bool:
    """Whether most of some values could be when something happened, whatever their form."""
    survey = TimeSurvey(now)
    survey.add(raw)
    if survey.values == 0:
        return False
    sure = survey.typed + survey.clear + survey.undecided + max(survey.within.values(), default=0)
    return sure >= _CLEAR * survey.values


def _extend(examples: list[str], given: pl.Series) -> None:
    if len(examples) < _SHOWN:
        flat = given.dtype == pl.String or given.dtype.is_numeric()
        values = given.unique(maintain_order=True).cast(pl.String) if flat else given
        for value in map(str, values.head(_SHOWN).to_list()):
            if len(examples) < _SHOWN and value not in examples:
                examples.append(value[:_LONGEST_SHOWN])


def _three(examples: Iterable[str]) -> str:
    return ", ".join(repr(each) for each in examples)


def _shown_as(examples: list[str], counted: Counted, reading: TimeReading) -> str:
    """`1565332047000 is 2019-08-09 06:27:27 UTC`."""
    read = moments(pl.Series(examples[:1], dtype=pl.String), None, replace(reading, counted=counted)).item()
    return f"{examples[0]} is {read:%Y-%m-%d %H:%M:%S} UTC" if read is not None else examples[0]
