"""How a language writes dates, percentages and plurals, by CLDR (Babel). Belongs here: no sentence, no catalogue."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_percent

from aivo_assets.errors import SettingsError

# A bare language stands for the country that CLDR thinks of first; days before months are what most schools write.
_COUNTRIES: Final = {"en": "en_GB"}
_COUNTED: Final = 1000  # plural categories repeat beyond it, in every language of CLDR, at least every thousand


@dataclass(frozen=True)
class Language:
    """A language of CLDR.

    Attributes:
        code: `en`, `de`, `pt_BR`.
    """

    code: str

    @cached_property
    def locale(self) -> Locale:
        """What Babel knows of it.

        Raises:
            SettingsError: CLDR knows no such language.
        """
        try:
            return Locale.parse(_COUNTRIES.get(self.code, self.code))
        except (UnknownLocaleError, ValueError) as error:
            raise SettingsError(
                f"{self.code!r} is no language of CLDR", fix="Name one as `en`, `de` or `pt_BR`."
            ) from error

    def date(self, day: date) -> str:
        """A day: 12 Mar 2026, 12.03.2026."""
        return format_date(day, "medium", locale=self.locale)

    def instant(self, at: datetime) -> str:
        """A day with hours and minutes, in the zone that the instant has: 12 Mar 2026, 14:05."""
        return f"{self.date(at.date())}, {format_time(at, 'short', locale=self.locale)}"

    @cached_property
    def percent(self) -> tuple[str, str]:
        """What stands before and after a whole percentage."""
        before, after = format_percent(0.5, locale=self.locale).split("50")
        return before, after

    @cached_property
    def plurals(self) -> tuple[str, ...]:
        """The categories that count whole things: `one` and `other` in English, four in Polish."""
        forms = {self.plural(number) for number in range(_COUNTED)}
        return tuple(name for name in ("zero", "one", "two", "few", "many", "other") if name in forms)

    def plural(self, number: int) -> str:
        """The category of a number of whole things."""
        return str(self.locale.plural_form(number))

    def numbers(self, category: str) -> list[int]:
        """The numbers below a thousand of a category."""
        return [number for number in range(_COUNTED) if self.plural(number) == category]
