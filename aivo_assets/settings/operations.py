"""Settings of running it: schedules, HTTP service, alerts."""

from pydantic import Field, SecretStr

from aivo_assets.settings.group import Group


class ScheduleSettings(Group):
    """When things run by themselves."""

    timezone: str = Field("UTC", description="Zone in which the crons below are read.")
    main_brain_daily: str = Field("0 2 * * *", description="Cron of aivo_main_brain_daily.")
    drift_monitor: str = Field("0 */6 * * *", description="Cron of drift_monitor_6h.")
    weekly_full_retraining: str = Field("0 3 * * 0", description="Cron of weekly_full_retraining.")
    adaptive_training: str = Field("0 */2 * * *", description="Cron of adaptive_training_2h.")
    sensor_seconds: int = Field(60, ge=10, description="Seconds between two looks of a sensor.")


class ApiSettings(Group):
    """The HTTP service."""

    host: str = Field("127.0.0.1", description="Address that it listens on.")
    port: int = Field(8009, ge=1, le=65535, description="Its port.")


class AlertSettings(Group):
    """Where alerts go."""

    webhook_url: SecretStr | None = Field(None, description="Alerts are posted here as JSON, and always logged.")
    timeout_seconds: float = Field(5.0, gt=0, description="Longest wait for one request to the webhook.")
    attempts: int = Field(3, ge=1, le=10, description="Requests at most before an alert counts as undelivered.")
