"""What is handed over when somebody was forgotten. Belongs here: the certificate, its signature and its words.

It is signed with the platform's key (HMAC-SHA256 over the canonical JSON), so that nobody who lacks the key can make or
change one. It names the learner by the keyed hash alone.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from aivo_assets.privacy.erasure.requests import Request
from aivo_assets.privacy.erasure.tombstones import tombstone
from aivo_assets.privacy.erasure.wanted import Wanted
from aivo_assets.privacy.keys import PseudonymKey

_DOMAIN: Final = b"certificate of erasure\x00"
SEARCHED: Final = (
    "every cell of text of every Parquet file below the lake's root, nested ones too, whether a manifest lists the file"
    " or not",
    "every other file below the lake's root, as bytes, with the spellings of JSON and HTML decoded",
    "every file below AIVO_HOME, as bytes, those packed by gzip and zip unpacked",
    "every column of text of every table of Dagster's database",
)
NOT_SEARCHED: Final = (
    "bytes that are compressed or encrypted inside a file in a way other than Parquet, gzip or zip",
    "values that are not unmistakable (a short number, a name of one word), other than as a whole cell of a column of"
    " identifiers",
    "a database of your own beyond its tables: its log of changes and its backups",
)


def certificate(
    request: Request,
    wanted: Wanted,
    key: PseudonymKey,
    *,
    now: datetime,
    together_with: int,
    remembers: Mapping[str, Any] | None,
    held: Sequence[str],
) -> dict[str, Any]:
    """The signed certificate of a request.

    Args:
        request: With what was removed.
        wanted: What was looked for.
        key: The platform's.
        now: When the search found nothing, UTC.
        together_with: Learners of other requests that were removed in the same pass; the counts are of all of them.
        remembers: The champion that was fitted with them, as `version`, `as_of`, `registered_at`; None where none was.
        held: What a backup from before holds of them, by place.
    """
    content: dict[str, Any] = {
        "request": request.id,
        "learners": sorted(tombstone(each, key) for each in request.learners),
        "reason": _without_names(request.reason, wanted),
        "asked_by": request.asked_by,
        "asked_at": request.asked_at.isoformat(),
        "done_at": now.isoformat(),
        "removed": dict(sorted(request.removed.items())),
        "removed_together_with_other_learners": together_with,
        "searched": list(SEARCHED),
        "not_searched": list(NOT_SEARCHED),
        "looked_for": wanted.counts(),
        "found": 0,
        "still_remembers": None if remembers is None else dict(remembers),
        "backups": {
            "drop_or_do_not_restore": sorted(held),
            "made_before": now.isoformat(),
            "after_a_restore": "run `aivo forget --again`: tombstones tell who must go once more",
        },
    }
    return {**content, "signature": signature(content, key), "key": key.fingerprint}


def signature(content: Mapping[str, Any], key: PseudonymKey) -> str:
    """Over everything but the signature and the key's fingerprint; 64 hex characters."""
    signed = {name: value for name, value in content.items() if name not in ("signature", "key")}
    keyed = key.keyed_hash()
    keyed.update(_DOMAIN + json.dumps(signed, sort_keys=True, separators=(",", ":")).encode())
    return keyed.hexdigest()


def is_genuine(content: Mapping[str, Any], key: PseudonymKey) -> bool:
    """Whether a certificate was made under this key and is unchanged."""
    return hmac.compare_digest(str(content.get("signature", "")), signature(content, key))


def _without_names(reason: str, wanted: Wanted) -> str:
    for value in sorted({*wanted.texts, *wanted.cells, *wanted.of("learner", "name", "email")}, key=len, reverse=True):
        reason = reason.replace(value, "*" * len(value))
    return reason
