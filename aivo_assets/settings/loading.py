"""All groups together, read from the environment."""

from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from aivo_assets.errors import SettingsError
from aivo_assets.settings.data import LakeSettings, PrivacySettings, SimulatorSettings, SourceSettings
from aivo_assets.settings.drift import AdaptiveSettings, DriftSettings
from aivo_assets.settings.operations import AlertSettings, ApiSettings, ScheduleSettings
from aivo_assets.settings.policy import PolicySettings
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
    )

    home: Path = Field(Path(".aivo"), description="Everything the platform keeps.")
    pseudonym_key: SecretStr | None = Field(None, description="Secret of the pseudonyms, at least 32 characters.")
    postgres_url: SecretStr | None = Field(None, description="Dagster's storage. Default: an embedded server.")

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

    @property
    def lake_url(self) -> str:
        """Root of the lake, as an fsspec URL or a local path."""
        return self.lake.url or str(self.home.absolute() / "lake")


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: A variable has a value that cannot be used; the message names each.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"AIVO_{'_'.join(str(part) for part in problem['loc']).upper()}={problem['input']!r}: {problem['msg']}"
            for problem in error.errors()
        )
        raise SettingsError(problems, fix="Correct the variable, or unset it for the default.") from error
