"""All groups together, read from the environment and judged as a whole."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableError

from aivo_assets.errors import SettingsError
from aivo_assets.settings.data import LakeSettings, PrivacySettings, SimulatorSettings, SourceSettings
from aivo_assets.settings.drift import AdaptiveSettings, DriftSettings
from aivo_assets.settings.environment import PREFIX, read_env_file, unknown_names
from aivo_assets.settings.kinds import PostgresUrl, in_order
from aivo_assets.settings.operations import AlertSettings, ApiSettings, ClockSettings, LiveSettings, ScheduleSettings
from aivo_assets.settings.people import PeopleSettings
from aivo_assets.settings.policy import PolicySettings
from aivo_assets.settings.retention import ForgetSettings, RetentionSettings
from aivo_assets.settings.tracing import (
    FeatureSettings,
    PromotionSettings,
    StudentSettings,
    TrainingSettings,
    TuningSettings,
)

EngineKind = Literal["in_process", "processes", "ray"]


class Settings(BaseSettings):
    """All settings, read from the environment (`AIVO_…`)."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    home: Path = Field(Path(".aivo"), description="Everything the platform keeps.")
    pseudonym_key: SecretStr | None = Field(None, description="Secret of the pseudonyms, at least 32 characters.")
    postgres_url: PostgresUrl | None = Field(None, description="Dagster's storage. Default: an embedded server.")

    models_url: PostgresUrl | None = Field(
        None,
        description="PostgreSQL database of the registry (MLflow) and of searches (Optuna), a schema each. Default: "
        "SQLite files in AIVO_HOME. Files of models stay in AIVO_HOME.",
    )

    engine: EngineKind = Field(
        "in_process",
        description="Where the work on shards runs: `in_process`, `processes` of this machine, or `ray`, a cluster.",
    )
    engine_address: str | None = Field(
        None, description="Of the Ray cluster, `host:port`. Default: a cluster of the step's own process."
    )
    engine_workers: int = Field(0, ge=0, description="Shards worked on at once; 0: one a processor.")
    engine_memory_gib: float | None = Field(None, gt=0, description="Most memory of a worker. Default: no bound.")
    engine_retries: int = Field(2, ge=0, le=10, description="How often a shard is tried again whose worker died.")

    clock: ClockSettings = ClockSettings()
    lake: LakeSettings = LakeSettings()
    source: SourceSettings = SourceSettings()
    simulator: SimulatorSettings = SimulatorSettings()
    privacy: PrivacySettings = PrivacySettings()
    features: FeatureSettings = FeatureSettings()
    training: TrainingSettings = TrainingSettings()
    tuning: TuningSettings = TuningSettings()
    promotion: PromotionSettings = PromotionSettings()
    students: StudentSettings = StudentSettings()
    policy: PolicySettings = PolicySettings()
    drift: DriftSettings = DriftSettings()
    adaptive: AdaptiveSettings = AdaptiveSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    api: ApiSettings = ApiSettings()
    live: LiveSettings = LiveSettings()
    alerts: AlertSettings = AlertSettings()
    people: PeopleSettings = PeopleSettings()
    retention: RetentionSettings = RetentionSettings()
    forget: ForgetSettings = ForgetSettings()

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> "Settings":
        if self.promotion.stale_days:
            in_order(
                ("AIVO_PROMOTION_STALE_DAYS", self.promotion.stale_days),
                ("AIVO_ALERTS_STALE_CHAMPION_DAYS", self.alerts.stale_champion_days),
            )
        return self

    @property
    def models_database(self) -> str | None:
        """URL of the database of registry and searches; None for files in AIVO_HOME."""
        return None if self.models_url is None else self.models_url.get_secret_value()

    @property
    def lake_url(self) -> str:
        """Root of the lake, as an fsspec URL or a local path."""
        return self.lake.url or str(self.home.absolute() / "lake")


def load_settings() -> Settings:
    """Read the settings from the environment, and `.env` of the current folder.

    Raises:
        SettingsError: A variable is none of ours or has a value that cannot be used, values contradict each other, or
            AIVO_HOME cannot be written; the message names each, and shows a value only if it cannot be a secret.
    """
    fix = "Correct the variable, or unset it for the default; `aivo settings` lists them all."
    problems = unknown_names(Settings, read_env_file())
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors():
            name = _variable(problem["loc"])
            if not any(
                earlier.startswith(f"{name} ") for earlier in problems
            ):  # else it is named, with the nearest name
                about = f"{name}{_shown(problem)}: " if name else ""
                problems.append(f"{about}{problem['msg'].removeprefix('Value error, ')}")
        raise SettingsError("; ".join(problems), fix=fix) from error
    except UnreadableError as error:
        # Its message names the group or setting; the text itself may hold a secret and is left out.
        problems.append(f"A variable is not the JSON that it should be: {error}")
        raise SettingsError("; ".join(problems), fix=fix) from error
    problems += _unwritable(settings)
    if problems:
        raise SettingsError("; ".join(problems), fix=fix)
    return settings


def _variable(place: Sequence[str | int]) -> str:
    """The variable of a place in the settings; of a value in a list with its number."""
    names = [part for part in place if isinstance(part, str)]
    numbers = [f" no. {part + 1}" for part in place if isinstance(part, int)]
    return f"{PREFIX}{'_'.join(names)}".upper() + "".join(numbers) if names else ""


def _unwritable(settings: Settings) -> Iterator[str]:
    """A sentence where what the platform keeps cannot be written."""
    places = [("AIVO_HOME", settings.home)]
    if settings.lake.url is not None and "://" not in settings.lake.url:
        places.append(("AIVO_LAKE_URL", Path(settings.lake.url)))
    for name, place in places:
        above = place.absolute()
        while not os.path.lexists(above):
            above = above.parent
        if not above.is_dir():
            yield f"{name}={str(place)!r}: {above} is no folder"
        elif not os.access(above, os.W_OK | os.X_OK):
            yield f"{name}={str(place)!r}: {above} cannot be written by this user"


def _shown(problem: Any) -> str:
    """The value that a problem is about, or nothing where it may be a secret: a misspelt name may be that of one."""
    kind: Any = Settings
    for part in problem["loc"]:
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            break
        if part not in kind.model_fields:
            return ""
        kind = kind.model_fields[part].annotation
    is_group = isinstance(kind, type) and issubclass(kind, BaseModel)
    return "" if is_group or _may_hold_a_secret(kind) else f"={problem['input']!r}"


def _may_hold_a_secret(kind: Any) -> bool:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return any(_may_hold_a_secret(field.annotation) for field in kind.model_fields.values())
    return kind is SecretStr or any(_may_hold_a_secret(part) for part in get_args(kind))
