"""A notifier that keeps what it is sent."""

from aivo_assets.operations.alerts.alert import Alert, Delivery


class Collector:
    """Keeps the alerts that it is given."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def send(self, alert: Alert) -> Delivery:
        self.alerts.append(alert)
        return Delivery(delivered=True, attempts=1)
