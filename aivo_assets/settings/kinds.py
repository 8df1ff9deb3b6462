"""Types of values: zones, crons, addresses. Belongs here: what makes a value usable; no setting.

Each is checked where the settings are read, so that a typo ends the first command and not a service in the night. An
error never repeats an address: it may carry a secret.
"""

import logging
import re
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import pairwise
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, SecretStr

from aivo_assets.errors import nearest

_POSTGRES = ("postgresql", "postgres")
_ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)
_YEARS_AHEAD = 8  # two leap years: a cron of 29 February is found


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError(f"there is no time zone of this name{nearest(name, _zones())}")
    return name


def _cron(text: str) -> str:
    from croniter import CroniterError, croniter  # noqa: PLC0415 - only where a cron is set

    try:
        fields, *_ = croniter.expand(text)
        croniter(text, _ANY_DAY, max_years_between_matches=_YEARS_AHEAD).get_next(datetime)
    except (CroniterError, ValueError) as error:
        raise ValueError(f"not a cron of minute, hour, day, month, weekday: {error}") from error
    if len(fields) != 5:
        raise ValueError(f"a cron has five fields (minute, hour, day, month, weekday), this has {len(fields)}")
    return text


def _postgres_url(url: SecretStr) -> SecretStr:
    scheme, separator, rest = url.get_secret_value().partition("://")
    example = "expected a URL such as postgresql://user:password@host:5432/database"
    if not separator:
        raise ValueError(f"this is no URL; {example}")
    if scheme.split("+")[0] not in _POSTGRES:
        raise ValueError(f"begins with {scheme!r}, which is not PostgreSQL; {example}")
    _refuse_bad_port(f"{scheme}://{rest}")
    return url


def _web_url(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    if not re.match(r"^https?://[^\s/?#]", text) or not _host(text):
        raise ValueError("expected http:// or https:// and a host")
    _refuse_bad_port(text)
    return url


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _refuse_bad_port(url: str) -> None:
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise ValueError("the port is no number from 0 to 65535, or a special character is not escaped") from None


def _apprise_url(url: SecretStr) -> SecretStr:
    problem = _apprise_problem(url.get_secret_value())
    if problem:
        raise ValueError(problem)
    return url


@lru_cache(maxsize=64)
def _apprise_problem(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    if not separator or not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9+.-]*", scheme):
        return "this is no Apprise URL; expected service://…, as in docs/alerts.md"
    import apprise  # noqa: PLC0415 - its plugins take half a second, and most settings name no address

    known: set[str] = set()
    for service in apprise.Apprise().details()["schemas"]:
        known.update(service["protocols"] or ())
        known.update(service["secure_protocols"] or ())
    if scheme.lower() not in known:
        return f"Apprise knows no service {scheme!r}{nearest(scheme, known)}"
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it writes the whole address where one is wrong
    if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
        return f"not a complete address of {scheme}://; see docs/alerts.md"
    return ""


def in_order(*named: tuple[str, Any], strictly: bool = True) -> None:
    """Refuse values that do not rise from each to the next.

    Raises:
        ValueError: It names the two with their values.
    """
    for (low, below), (high, above) in pairwise(named):
        if below > above or (strictly and below == above):
            word = "below" if strictly else "at most"
            raise ValueError(f"{low} ({below}) must be {word} {high} ({above})")


TimeZoneName = Annotated[str, AfterValidator(_zone)]
Cron = Annotated[str, AfterValidator(_cron)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]
WebUrl = Annotated[SecretStr, AfterValidator(_web_url)]
AppriseUrl = Annotated[SecretStr, AfterValidator(_apprise_url)]
