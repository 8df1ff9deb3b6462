"""Settings that the chosen source cannot use. Belongs here: which setting is for which kind of source."""

import json

from aivo_assets.settings import SourceKind, SourceSettings

_FILES: frozenset[SourceKind] = frozenset(("csv", "parquet", "assistments", "datashop"))
_TEXT: frozenset[SourceKind] = frozenset(("csv", "assistments", "datashop"))
_TABLES: frozenset[SourceKind] = frozenset(("csv", "parquet", "postgres"))
_POSTGRES: frozenset[SourceKind] = frozenset(("postgres",))
_DATASHOP: frozenset[SourceKind] = frozenset(("datashop",))
_TEXT_ENDS = (".csv", ".tsv", ".tab", ".txt")
_ALL: frozenset[SourceKind] = _FILES | _POSTGRES | {"simulator", "inbox"}
_OUTSIDE = _FILES | _POSTGRES

USED_BY: dict[str, frozenset[SourceKind]] = {
    "kind": _ALL,
    "override_path": _ALL,
    "missing": _ALL,
    "path": _FILES,
    "learner_path": _FILES,
    "learner_columns": _OUTSIDE,
    "columns": _TABLES | {"assistments"},
    "skill_separator": _TABLES | {"assistments"},
    "timezone": _TABLES | _DATASHOP,
    "time_unit": _TABLES | _DATASHOP,
    "time_format": _TABLES | _DATASHOP,
    "zones": _TABLES | _DATASHOP,
    "correct_values": _OUTSIDE,
    "correct_threshold": _TABLES | {"assistments"},
    "subject": _OUTSIDE | {"inbox"},
    "first_event_at": _OUTSIDE,
    "encoding": _TEXT,
    "delimiter": _TEXT,
    "decimal": _TEXT,
    "repeats": frozenset(("csv", "parquet")),
    "attempts": _DATASHOP,
    "skill_model": _DATASHOP,
    "url": _POSTGRES,
    "table": _POSTGRES,
    "learner_table": _POSTGRES,
    "cursor_column": _POSTGRES,
    "cursor_overlap": _POSTGRES,
}
"""Kinds of source that read with each setting."""

_INSTEAD = {
    ("datashop", "skill_separator"): "DataShop writes ~~ between skills",
    ("datashop", "columns"): "its columns have fixed names",
    ("datashop", "correct_threshold"): "its outcomes are words: AIVO_SOURCE_CORRECT_VALUES",
    ("assistments", "timezone"): "its events have an order and no times",
    ("assistments", "time_unit"): "its events have an order and no times",
    ("assistments", "time_format"): "its events have an order and no times",
    ("postgres", "path"): "it reads AIVO_SOURCE_TABLE",
    ("postgres", "learner_path"): "it reads AIVO_SOURCE_LEARNER_TABLE",
    ("parquet", "encoding"): "Parquet is always UTF-8",
}


def unused_settings(settings: SourceSettings) -> list[str]:
    """A sentence for each setting that was given and that the source does not read with; none where all are used."""
    kind = settings.kind
    reads_text = kind == "parquet" and any(end in f"{settings.path}{settings.learner_path}" for end in _TEXT_ENDS)
    sentences = []
    for name in sorted(settings.model_fields_set):
        if kind in USED_BY[name] or (reads_text and USED_BY[name] == _TEXT) or _is_default(settings, name):
            continue
        instead = _INSTEAD.get((kind, name))
        given = "" if name == "url" else f"={_shown(getattr(settings, name))}"
        because = f": {instead}" if instead else ""
        sentences.append(f"AIVO_SOURCE_{name.upper()}{given} is not used by the source {kind}{because}.")
    return sentences


def _is_default(settings: SourceSettings, name: str) -> bool:
    return bool(getattr(settings, name) == SourceSettings.model_fields[name].get_default(call_default_factory=True))


def _shown(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)
