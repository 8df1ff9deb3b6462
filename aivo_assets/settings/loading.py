"""All groups together, read from the environment."""

from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableError

from aivo_assets.errors import SettingsError
from aivo_assets.settings.data import LakeSettings, PrivacySettings, SimulatorSettings, SourceSettings
from aivo_assets.settings.drift import AdaptiveSettings, DriftSettings
from aivo_assets.settings.operations import AlertSettings, ApiSettings, ClockSettings, ScheduleSettings
from aivo_assets.settings.policy import PolicySettings
from aivo_assets.settings.retention import RetentionSettings
from aivo_assets.settings.tracing import (
    FeatureSettings,
    PromotionSettings,
    StudentSettings,
    TrainingSettings,
    TuningSettings,
)


class Settings(BaseSettings):
    """All settings, read from the environment (`AIVO_…`)."""

    model_config = SettingsConfigDict(
        env_prefix="AIVO_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    home: Path = Field(Path(".aivo"), description="Everything the platform keeps.")
    pseudonym_key: SecretStr | None = Field(None, description="Secret of the pseudonyms, at least 32 characters.")
    postgres_url: SecretStr | None = Field(None, description="Dagster's storage. Default: an embedded server.")

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
    alerts: AlertSettings = AlertSettings()
    retention: RetentionSettings = RetentionSettings()

    @property
    def lake_url(self) -> str:
        """Root of the lake, as an fsspec URL or a local path."""
        return self.lake.url or str(self.home.absolute() / "lake")


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: A variable has a value that cannot be used; the message names each, and shows the value where it
            is surely no secret.
    """
    fix = "Correct the variable, or unset it for the default."
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"AIVO_{'_'.join(str(part) for part in problem['loc']).upper()}{_shown(problem)}: {problem['msg']}"
            for problem in error.errors()
        )
        raise SettingsError(problems, fix=fix) from error
    except UnreadableError as error:
        # Its message names the group or setting; the text itself may hold a secret and is left out.
        raise SettingsError(f"A variable is not the JSON that it should be: {error}", fix=fix) from error


def _shown(problem: Any) -> str:
    """The value that a problem is about, or nothing where it may be a secret: a misspelt name may be that of one."""
    kind: Any = Settings
    for part in problem["loc"]:
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            break
        if part not in kind.model_fields:
            return ""
        kind = kind.model_fields[part].annotation
    return "" if _may_hold_a_secret(kind) else f"={problem['input']!r}"


def _may_hold_a_secret(kind: Any) -> bool:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return any(_may_hold_a_secret(field.annotation) for field in kind.model_fields.values())
    return kind is SecretStr or any(_may_hold_a_secret(part) for part in get_args(kind))
