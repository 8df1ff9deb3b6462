"""Every setting, its default and its environment variable: a module for each part of the platform.

Belongs here: values that people may change; no behaviour. A group `privacy` with a field `k_anonymity` is the variable
`AIVO_PRIVACY_K_ANONYMITY`. `aivo settings` prints them all with their present values. Nothing here is read at import:
call `load_settings()` and pass what it returns.
"""

from aivo_assets.settings.data import (
    DisturbanceSettings,
    LakeSettings,
    PrivacySettings,
    SimulatorSettings,
    SourceKind,
    SourceSettings,
)
from aivo_assets.settings.drift import AdaptiveSettings, DriftSettings
from aivo_assets.settings.group import Group, Share
from aivo_assets.settings.loading import EngineKind, Settings, load_settings
from aivo_assets.settings.operations import AlertSettings, ApiSettings, ClockSettings, LiveSettings, ScheduleSettings
from aivo_assets.settings.people import PeopleSettings
from aivo_assets.settings.policy import PolicySettings
from aivo_assets.settings.retention import ForgetSettings, RetentionSettings
from aivo_assets.settings.tracing import (
    CalibrationKind,
    FeatureSettings,
    PromotionSettings,
    StudentSettings,
    TrainingSettings,
    TuningSettings,
)

__all__ = [
    "AdaptiveSettings",
    "AlertSettings",
    "ApiSettings",
    "CalibrationKind",
    "ClockSettings",
    "DisturbanceSettings",
    "DriftSettings",
    "EngineKind",
    "FeatureSettings",
    "ForgetSettings",
    "Group",
    "LakeSettings",
    "LiveSettings",
    "PeopleSettings",
    "PolicySettings",
    "PrivacySettings",
    "PromotionSettings",
    "RetentionSettings",
    "ScheduleSettings",
    "Settings",
    "Share",
    "SimulatorSettings",
    "SourceKind",
    "SourceSettings",
    "StudentSettings",
    "TrainingSettings",
    "TuningSettings",
    "load_settings",
]
