"""The key that a lake was made with. Belongs here: keeping its fingerprint in the lake, and comparing; no key is made.

Another key would part every learner into two pseudonyms. A lake from before lakes kept a fingerprint is asked by its
rows: the pseudonyms of a day's raw learners must be those of the day's anonymised answers.
"""

from typing import Final

from aivo_assets.errors import PrivacyError
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake, open_lake
from aivo_assets.lake.layout.made_with import PSEUDONYM_KEY, Value
from aivo_assets.privacy.keys import PseudonymKey, key_path, load_key
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings

_WAY_OUT: Final = (
    "Set the key that the lake was made with (AIVO_PSEUDONYM_KEY, or AIVO_HOME/secrets/pseudonym.key). Rows under two"
    " keys cannot be joined: a lake under another key is made from its sources in an AIVO_HOME of its own."
)


def refuse_other_key(lake: Lake, key: PseudonymKey) -> None:
    """Make sure that a key is the one that a lake was made with; nothing is written.

    Raises:
        PrivacyError: It is another.
    """
    stored = lake.kept_value(PSEUDONYM_KEY)
    if stored is None and not _rows_are_under(lake, key):
        raise PrivacyError(
            f"This is not the key that the lake at {lake.root} was made with: its answers carry other pseudonyms",
            fix=_WAY_OUT,
        )
    if stored is not None and stored != key.fingerprint:
        raise PrivacyError(
            f"This is not the key that the lake at {lake.root} was made with: fingerprint {stored} there,"
            f" {key.fingerprint} in the settings",
            fix=_WAY_OUT,
        )


def keep_key(lake: Lake, key: PseudonymKey) -> None:
    """Keep a key's fingerprint in the lake, before anything is written under it.

    Raises:
        PrivacyError: The lake was made with another.
    """
    refuse_other_key(lake, key)
    lake.keep_value(PSEUDONYM_KEY, Value(key.fingerprint, "the pseudonym key (its fingerprint)", _WAY_OUT))


def _rows_are_under(lake: Lake, key: PseudonymKey) -> bool:
    """Whether the newest day that is both raw and anonymised is under this key; so is a lake without one."""
    raw_days = set(lake.days(RAW_INTERACTIONS))
    for day in reversed(lake.days(ANONYMISED_INTERACTIONS)):
        if day not in raw_days:
            continue
        made = lake.scan(ANONYMISED_INTERACTIONS, days=[day]).select("learner").unique().collect()["learner"]
        if made.is_empty():
            continue
        raw = lake.scan(RAW_INTERACTIONS, days=[day]).select("learner_id").unique().collect()["learner_id"]
        return bool(pseudonyms(raw, "learner", key).is_in(made.implode()).any())
    return True


def key_of_lake(settings: Settings, *, create: bool) -> PseudonymKey:
    """The key of the settings, which is the one of the lake.

    Raises:
        PrivacyError: There is none (see `load_key`), or the lake was made with another.
        LakeError: The lake was made with something else than the settings ask for.
    """
    key = load_key(settings, create=create)
    refuse_other_key(open_lake(settings), key)
    return key


def refuse_other_settings(settings: Settings) -> None:
    """Make sure that the settings fit the lake, for what writes to it and needs no key; a key that there is must fit.

    Raises:
        PrivacyError: The lake was made with another key.
        LakeError: The lake was made with something else than the settings ask for.
    """
    lake = open_lake(settings)
    if settings.pseudonym_key is not None or key_path(settings.home).exists():
        refuse_other_key(lake, load_key(settings, create=False))
