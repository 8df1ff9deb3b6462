"""`aivo alerts`: what was told to whom, what could not be delivered, and a test. The outbox is in operations/."""

from typing import TYPE_CHECKING, Annotated

import typer

from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import ServiceError, SettingsError

if TYPE_CHECKING:
    from aivo_assets.operations.alerts.outbox import Outbox
    from aivo_assets.settings import Settings

NO_CHANNEL = "No alert channel is set: alerts are kept and logged, and nobody is told (docs/alerts.md)."

alerts = typer.Typer(help="Alerts: what is in the outbox, and whether it was delivered.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(alerts, name="alerts")


@alerts.command("list")
def list_alerts(
    undelivered: Annotated[bool, typer.Option("--undelivered", help="Only alerts that are not delivered yet.")] = False,
) -> None:
    """List the alerts, newest first: how often each occurred, and which channels are still to be notified."""
    from rich.table import Table

    from aivo_assets.settings import load_settings

    told = has_channel(load_settings())  # without a channel an alert is logged, which tells nobody
    shown = [each for each in _outbox().entries() if not (undelivered and told and each.is_delivered)]
    console = terminal()
    if not told:
        console.print(NO_CHANNEL, soft_wrap=True)
    if not shown:
        console.print("No alert is kept." if not undelivered else "Every alert was delivered.")
        return
    table = Table("severity", "what", "first (UTC)", "last (UTC)", "times", "delivered")
    for each in shown:
        state = "yes" if each.is_delivered else f"no, {each.attempts} attempts. {each.problem or ''}"
        state = state if told or not each.is_delivered else "no channel is set"
        first, last = f"{each.first_at:%Y-%m-%d %H:%M}", f"{each.alert.occurred_at:%Y-%m-%d %H:%M}"
        table.add_row(each.alert.severity, each.alert.title, first, last, str(each.count), state)
    console.print(table)


@alerts.command("test")
def test_alerts() -> None:
    """Send a test to every configured channel, and say whether it was delivered."""
    from aivo_assets.operations.alerts.alert import Alert
    from aivo_assets.resources.clock import PlatformClock
    from aivo_assets.settings import load_settings

    settings = load_settings()
    _refuse_no_channel(settings)
    now = PlatformClock(settings).now()
    alert = Alert(
        title="A test of the alerts",
        body="Somebody ran `aivo alerts test`. Nothing has to be done.",
        severity="info",
        key=f"test:{now.isoformat()}",
        occurred_at=now,
    )
    delivery = _outbox().send(alert)
    if not delivery.delivered:
        raise ServiceError(
            f"The test was not delivered: {delivery.problem}",
            fix="Check AIVO_ALERTS_URLS and AIVO_ALERTS_WEBHOOK_URL; it is kept, and tried again while `aivo up` runs.",
        )
    terminal().print("Delivered.")


@alerts.command("retry")
def retry_alerts() -> None:
    """Deliver waiting alerts that are due now; `aivo up` does so by itself."""
    from aivo_assets.resources.clock import PlatformClock
    from aivo_assets.settings import load_settings

    settings = load_settings()
    _refuse_no_channel(settings)
    delivered = _outbox().deliver(PlatformClock(settings).now())
    terminal().print(f"{delivered} delivered.")


def has_channel(settings: "Settings") -> bool:
    """Whether an alert reaches anybody."""
    return bool(settings.alerts.urls) or settings.alerts.webhook_url is not None


def _refuse_no_channel(settings: "Settings") -> None:
    if not has_channel(settings):
        raise SettingsError(
            "No alert channel is set: nobody was notified; alerts are only logged and kept",
            fix="Set AIVO_ALERTS_URLS or AIVO_ALERTS_WEBHOOK_URL (docs/alerts.md), then try again.",
        )


def _outbox() -> "Outbox":
    from aivo_assets.operations.alerts.outbox import build_outbox
    from aivo_assets.settings import load_settings

    settings = load_settings()
    return build_outbox(settings.alerts, settings.home)
