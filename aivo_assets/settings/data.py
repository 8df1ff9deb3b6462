"""Settings of the data: lake, source, simulated school, privacy."""

import json
from datetime import date
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from aivo_assets.settings.group import Group, Share
from aivo_assets.settings.kinds import PostgresUrl, TimeZoneName

SourceKind = Literal["simulator", "assistments", "datashop", "parquet", "csv", "postgres", "inbox"]


class LakeSettings(Group):
    """How the lake is laid out."""

    url: str | None = Field(
        None, description="Root of the lake: a folder, or s3://bucket/prefix. Default: AIVO_HOME/lake."
    )
    shards: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="Shards per day; one per about 250,000 learners. Default: what the lake has, 4 for a new one.",
    )
    delta: bool = Field(
        False, description="Whether gold datasets and marts are published as Delta tables, after every run."
    )
    endpoint: str | None = Field(None, description="URL of the S3 server. Default: AWS_ENDPOINT_URL, else AWS.")
    key: SecretStr | None = Field(None, description="S3 access key. Default: AWS_ACCESS_KEY_ID and its relatives.")
    secret: SecretStr | None = Field(None, description="S3 secret key, beside the access key.")
    region: str | None = Field(None, description="S3 region. Default: AWS_REGION, else us-east-1.")


class SourceSettings(Group):
    """Where events come from."""

    kind: SourceKind = Field("simulator", description="Which source the raw assets read.")
    path: str | None = Field(None, description="File or glob for the file sources.")
    url: PostgresUrl | None = Field(None, description="Database URL of the postgres source.")
    table: str = Field("interactions", description="Events table (schema-qualified) of the postgres source.")
    learner_table: str | None = Field(None, description="Learner table of the postgres source, if there is one.")
    cursor_column: str = Field("id", description="Ever-growing column by which the postgres source is read.")
    learner_path: str | None = Field(None, description="File with the learner table for the file sources.")
    override_path: str | None = Field(None, description="File of teachers' overrides (CSV or Parquet), if any.")
    columns: dict[str, str] = Field(
        default_factory=dict, description='Column mapping as JSON, ours to theirs: {"learner_id": "pupil"}.'
    )
    learner_columns: dict[str, str] = Field(
        default_factory=dict, description='Column mapping of the learner table: {"learner_id": "id_student"}.'
    )
    missing: str = Field(
        "NA, N/A, #N/A, <NA>, NULL, (null), None, NaN, NaT, \\N, undefined",
        description="Words that stand for no value, in any case, beside the empty text: with commas, or a JSON list.",
    )
    skill_separator: str = Field(
        ";", min_length=1, description="What stands between several skills in one text value of a file or table."
    )
    attempts: Literal["first", "all"] = Field(
        "first", description="Which attempts at a DataShop step are events: the first, or each."
    )
    repeats: Literal["keep", "fold"] = Field(
        "keep",
        description="Rows of one file that say exactly the same, without an id: keep each as an answer, or fold them.",
    )
    cursor_overlap: int = Field(
        1000,
        ge=0,
        description="Numbers (or seconds) before the cursor that are read again, for rows that were committed late.",
    )
    encoding: str = Field("utf-8", description="Text encoding of CSV and tab-separated files.")
    delimiter: str | None = Field(
        None,
        description="What stands between two values of a delimited file: a character, or comma, semicolon, tab, bar. "
        "Default: what the header is parted by.",
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="Decimal mark of numbers in delimited files. Default: a comma where ; parts the values."
    )
    timezone: TimeZoneName = Field("UTC", description="Zone of times that carry none.")
    time_unit: Literal["s", "ms", "us", "ns", "excel", "excel1904"] | None = Field(
        None, description="What times that are numbers count, where the values do not show it beyond doubt."
    )
    time_format: str | None = Field(
        None, description="day-first, month-first, or the format of times as %d/%m/%Y %H:%M; several parted by |."
    )
    zones: dict[str, str] = Field(
        default_factory=dict, description='Further names of time zones, as JSON: {"IST": "Asia/Kolkata"}.'
    )
    correct_values: dict[str, Literal[0, 1]] = Field(
        default_factory=dict, description='What values of correct mean, as JSON: {"passed": 1, "failed": 0}.'
    )
    correct_threshold: float | None = Field(
        None, description="From what number on an answer counts as right, where correct holds points."
    )
    subject: str = Field("general", description="Subject of events that name none.")
    skill_model: str | None = Field(None, description="Which KC (…) column of a DataShop export gives the skills.")
    first_event_at: str | None = Field(
        None, description="Start of time for files that hold only an order (ISO date-time, UTC)."
    )

    @field_validator("missing")
    @classmethod
    def _is_a_list(cls, given: str) -> str:
        if given.lstrip().startswith("["):
            words = json.loads(given)
            if not all(isinstance(word, str) for word in words):
                raise ValueError('write a JSON list of texts: ["NA", "NULL"]')
        return given

    @field_validator("delimiter")
    @classmethod
    def _is_a_character(cls, given: str | None) -> str | None:
        named = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|", "pipe": "|"}
        character = None if given is None else named.get(given.lower(), given)
        if character is not None and (len(character) != 1 or not character.isascii() or character in '\r\n"'):
            raise ValueError("write one ASCII character, or comma, semicolon, tab or bar")
        return character

    @property
    def missing_values(self) -> tuple[str, ...]:
        """The words of `missing`."""
        if self.missing.lstrip().startswith("["):
            return tuple(json.loads(self.missing))
        return tuple(word.strip() for word in self.missing.split(","))


class DisturbanceSettings(Group):
    """A scripted change to the simulated school; what is left out stays as it is."""

    after_days: int = Field(ge=0, description="School days before it begins, counted from the first.")
    for_days: int | None = Field(None, ge=1, description="Days that it lasts. Default: for good.")
    subject: str | None = Field(None, description="Only this subject. Default: all.")
    difficulty: float = Field(0.0, description="Logits by which every item is harder.")
    guessing: Share = Field(0.0, description="Share of answers that become rapid guesses.")
    wrong_labels: Share = Field(0.0, description="Share of answers that a broken client records the wrong way round.")
    response_time: float = Field(1.0, gt=0, description="Factor on the recorded response times.")
    learning: float = Field(1.0, ge=0, description="Factor on every gain from practice.")


class SimulatorSettings(Group):
    """The seeded simulated school."""

    learners: int = Field(1500, ge=1, description="Learners enrolled.")
    days: int = Field(30, ge=1, description="Days of history made by `aivo demo`.")
    start: date | None = Field(None, description="First school day. Default: fixed at first use in AIVO_HOME.")
    seed: int = Field(20, description="Seed of everything random in the school.")
    dirt: Share = Field(
        0.001, description="Share of rows that go wrong on their way: repeated, impossible, incomplete."
    )
    disturbances: tuple[DisturbanceSettings, ...] = Field(
        (),
        description='Scripted changes to the school, as JSON: [{"after_days": 21, "difficulty": 1.5}]; also for_days, '
        "subject, guessing, wrong_labels, response_time, learning.",
    )


AlikeWithin = Literal["class", "school", "everybody"]


class PrivacySettings(Group):
    """What leaves the raw zone, and how coarse."""

    k_anonymity: int = Field(5, ge=1, description="Smallest group of learners alike in all published attributes.")
    alike_within: AlikeWithin = Field(
        "class",
        description="Among whom so many must be alike: learners of the same school, classes and teachers, of the same "
        "school, or everybody.",
    )
    time_resolution_seconds: int = Field(
        60, ge=1, le=86_400, description="Times past the raw zone are floored to this, counted from midnight UTC."
    )
    age_band_years: int = Field(3, ge=1, description="Width of an age band.")
