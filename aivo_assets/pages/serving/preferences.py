"""The reader's language and time zone. Belongs here: reading them from a request; what a language says does not.

A choice is kept in a cookie. Without one the browser's languages decide, and the zone is the platform's.
"""

from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel import negotiate_locale
from fastapi import Request
from fastapi.responses import RedirectResponse

from aivo_assets.pages.texts import LANGUAGES, Texts, load_texts

LANGUAGE: Final = "aivo_language"
ZONE: Final = "aivo_zone"
_YEAR: Final = 365 * 24 * 3600


def texts_for(request: Request, zone: str) -> Texts:
    """The reader's words.

    Args:
        request: Theirs.
        zone: Where they chose none.
    """
    chosen = request.cookies.get(ZONE, "")
    return load_texts(_language(request), chosen if is_zone(chosen) else zone)


def is_zone(name: str) -> bool:
    """Whether there is such a time zone."""
    return name in available_timezones() and ZoneInfo(name).key == name


def chosen(request: Request, language: str, zone: str, back: str) -> RedirectResponse:
    """Keep a choice, and lead back to the page that it was made on."""
    response = RedirectResponse(within(back), 303)
    secure = request.url.scheme == "https"
    if language in LANGUAGES:
        response.set_cookie(LANGUAGE, language, max_age=_YEAR, httponly=True, samesite="lax", secure=secure)
    if is_zone(zone):
        response.set_cookie(ZONE, zone, max_age=_YEAR, httponly=True, samesite="lax", secure=secure)
    return response


def within(back: str) -> str:
    """An address of this service, whatever was asked for."""
    plain = back.startswith("/") and not back.startswith(("//", "/\\")) and all(" " <= each < "\x7f" for each in back)
    return back if plain else "/"


def _language(request: Request) -> str:
    kept = request.cookies.get(LANGUAGE)
    if kept in LANGUAGES:
        return str(kept)
    asked = [part.split(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    return negotiate_locale([each for each in asked if each], LANGUAGES, sep="-") or "en"
