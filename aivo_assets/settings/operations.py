"""Settings of running it: clock, schedules, HTTP service, alerts."""

import json
from datetime import date
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from aivo_assets.settings.group import Group, Share
from aivo_assets.settings.kinds import AppriseUrl, Cron, TimeZoneName, WebUrl


class ClockSettings(Group):
    """What the platform takes for the present: by default the machine's clock."""

    start: date | None = Field(
        None,
        description="Day at whose midnight (UTC) the clock stands until `aivo up` sets it going, once in an AIVO_HOME, "
        "to watch the simulated school at high speed. Default: the machine's clock.",
    )
    speed: float = Field(
        1.0, ge=1, description="With a start: so much faster than the machine's clock, until it has caught up with it."
    )


class ScheduleSettings(Group):
    """When things run by themselves."""

    timezone: TimeZoneName = Field("UTC", description="Zone in which the crons below are read.")
    main_brain_daily: Cron = Field("0 2 * * *", description="Cron of aivo_main_brain_daily.")
    drift_monitor: Cron = Field("0 */6 * * *", description="Cron of drift_monitor_6h.")
    weekly_full_retraining: Cron = Field("0 3 * * 0", description="Cron of weekly_full_retraining.")
    adaptive_training: Cron = Field("0 */2 * * *", description="Cron of adaptive_training_2h.")
    sensor_seconds: int = Field(60, ge=10, description="Seconds between two looks of a sensor.")
    refusal_cooldown_hours: float = Field(
        48.0,
        ge=0,
        description="Hours after a refused challenger in which no check asks for another one; the crons go on.",
    )
    catch_up_days: int = Field(
        366,
        ge=1,
        description="Most days that a daily or weekly run covers to make up for days missed; it says which it leaves "
        "out.",
    )
    days_per_run: int = Field(
        92,
        ge=7,
        description="Most days that one run of `aivo run` fills; the data of a longer range is filled in several runs, "
        "and models are made by the last.",
    )
    late_days: int = Field(
        366,
        ge=0,
        description="So many days back a scheduled run looks for rows of a watched file that came late; rows of "
        "earlier days are counted.",
    )
    skip_unchanged: bool = Field(
        True, description="Whether the two frequent checks skip a tick at which they would make again what is there."
    )


class ApiSettings(Group):
    """The HTTP service."""

    host: str = Field("127.0.0.1", description="Address that it listens on.")
    port: int = Field(8009, ge=1, le=65535, description="Its port.")
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#]+$",
        description="Where browsers reach it, for links to documents. Default: where it listens.",
    )
    token: SecretStr | None = Field(
        None, description="Bearer token that callers must show, 16 characters or more; needed beyond loopback."
    )
    dagster_url: str = Field(
        "http://127.0.0.1:3000",
        pattern=r"^https?://[^\s?#]+$",
        description="Dagster's web UI, through which it starts runs.",
    )
    dagster_public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#]+$",
        description="Where browsers reach Dagster's web UI, for links to runs. Default: as above.",
    )
    timeout_seconds: float = Field(20.0, gt=0, description="Longest wait for one answer of Dagster.")
    settle_seconds: float = Field(
        10.0, ge=0, description="How long a launch that went wrong is looked for before the caller is told."
    )


class AlertSettings(Group):
    """Who is told what."""

    urls: Annotated[tuple[AppriseUrl, ...], NoDecode] = Field(
        (), description="Apprise URLs that alerts go to: a JSON list, or separated by spaces. See docs/alerts.md."
    )
    webhook_url: WebUrl | None = Field(None, description="Alerts are posted here as JSON, and always logged.")
    timeout_seconds: float = Field(5.0, gt=0, description="Longest wait for one request to the webhook.")
    attempts: int = Field(3, ge=1, le=10, description="Requests to the webhook at most before the outbox waits.")
    remind_hours: float = Field(24.0, ge=0, description="A matter that goes on is told again, counted, so often.")
    keep_days: int = Field(30, ge=1, description="Days that a delivered alert is kept after its last occurrence.")
    watch_seconds: int = Field(60, ge=10, description="Seconds between two looks for alerts, and two deliveries.")
    quarantine_share: Share = Field(0.05, description="Share of a day's rows set aside that alerts.")
    quarantine_minimum_rows: int = Field(100, ge=1, description="Fewer rows in a day say nothing about the share.")
    no_data_hours: float = Field(72.0, gt=0, description="Hours without a new answer that alert (a weekend is 64).")
    stale_champion_days: int = Field(
        45, ge=1, description="Age of a champion that alerts; promotion.stale_days lets an equal challenger in before."
    )
    backlog_minutes: float = Field(120.0, gt=0, description="A run that waits in the queue for longer alerts.")
    digest_hours: float = Field(4.0, ge=0, description="Hours between two digests of newly struggling learners.")
    digest_learners: int = Field(50, ge=1, description="Most learners in one digest; the rest are in the next.")

    @field_validator("urls", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value.lstrip().startswith("[") else value.split()
        except ValueError:
            # An error would quote the value, which holds secrets; a URL that is none is named without it.
            return [value]
