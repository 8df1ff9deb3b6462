"""Raw values within texts. Belongs here: the search for many values at once in texts of any length.

Values of people (few) are searched by Aho-Corasick. Events, sessions and assignments may be as many as events, too many
for an automaton: the texts are cut into tokens first, and only values that are tokens are searched for. A token is a
longest run of one of three alphabets, see `_ALPHABETS`.
"""

import re
from collections.abc import Iterator

import polars as pl

from aivo_assets.privacy.raw_values import PEOPLE, RawValues

_ALPHABETS = (r"[\p{L}\p{N}]{6,}", r"[\p{L}\p{N}_-]{6,}", r"[\p{L}\p{N}][\p{L}\p{N}_.:@+/-]{4,}[\p{L}\p{N}]")
_KEYED = (
    r"(?i)\b(?:(learner|user|student|pupil|teacher|class|school|session|assignment|event)_?id"
    r"|(learner|student|pupil|teacher))[\"']?\s*[:=]\s*[\"']?([^\s\"',;<>(){}\[\]&|]+)"
)
_KEYED_COMPILED = re.compile(_KEYED)
_LEARNER_WORDS = ("user", "student", "pupil")

_HITS = {"text": pl.UInt32, "kind": pl.String, "offset": pl.Int64}
_LONGEST_CHARACTER = 4  # bytes in UTF-8


class TextSearch:
    """The search, made ready once for all texts.

    Args:
        raw: What to look for.
    """

    def __init__(self, raw: RawValues) -> None:
        searchable = raw.frame.filter("in_text")
        people = pl.col("kind").is_in(PEOPLE)
        self._people = searchable.filter(people)
        self._records = searchable.filter(~people)
        ambiguous = raw.frame.filter(~pl.col("in_text"))
        self._ambiguous = frozenset(ambiguous.select("kind", "value").iter_rows())

    def hits(self, texts: pl.Series) -> pl.DataFrame:
        """Every occurrence in texts.

        Args:
            texts: n texts, String without nulls.

        Returns:
            `text` (UInt32, position in `texts`), `kind`, `offset` (Int64, bytes from the start of the text). A value
            that belongs to two kinds is a hit of both.
        """
        if texts.is_empty():
            return pl.DataFrame(schema=_HITS)
        wanted = pl.concat([self._people, self._records_among(texts)])
        rows = [*self._phrases(texts, wanted), *self._keyed(texts)]
        return pl.DataFrame(rows, schema=_HITS, orient="row").unique(maintain_order=True)

    def _records_among(self, texts: pl.Series) -> pl.DataFrame:
        """The records that are tokens of the texts."""
        if self._records.is_empty():
            return self._records
        tokens = [
            texts.str.extract_all(alphabet).explode(empty_as_null=True).drop_nulls().unique().str.to_lowercase()
            for alphabet in _ALPHABETS
        ]
        return self._records.join(pl.concat(tokens).unique().to_frame("value"), on="value", how="semi")

    @staticmethod
    def _phrases(texts: pl.Series, wanted: pl.DataFrame) -> Iterator[tuple[int, str, int]]:
        """Values between two characters that are neither letter nor digit."""
        patterns = pl.concat([wanted["value"], wanted["written"]]).unique(maintain_order=True).to_list()
        if not patterns:
            return
        holding = texts.str.contains_any(patterns, ascii_case_insensitive=True).arg_true()
        if holding.is_empty():
            return
        chosen = texts.gather(holding)
        hits = chosen.str.extract_many(patterns, ascii_case_insensitive=True, overlapping=True)
        starts = chosen.str.find_many(patterns, ascii_case_insensitive=True, overlapping=True)
        kinds = _kinds_by_value(wanted)
        for position, text, matches, offsets in zip(holding, chosen, hits, starts, strict=True):
            encoded = text.encode()
            for match, offset in zip(matches, offsets, strict=True):
                for kind, exactly in kinds.get(match.lower(), ()):
                    if exactly in (None, match) and _stands_alone(encoded, offset, match, kind):
                        yield position, kind, offset

    def _keyed(self, texts: pl.Series) -> Iterator[tuple[int, str, int]]:
        """Ambiguous values behind the name of an identifier."""
        if not self._ambiguous:
            return
        holding = texts.str.contains(_KEYED).arg_true()
        for position, text in zip(holding, texts.gather(holding), strict=True):
            for match in _KEYED_COMPILED.finditer(text):
                word = (match[1] or match[2]).lower()
                kind = "learner" if word in _LEARNER_WORDS else word
                if (kind, match[3].lower()) in self._ambiguous:
                    yield position, kind, len(text[: match.start(3)].encode())


def _kinds_by_value(wanted: pl.DataFrame) -> dict[str, list[tuple[str, str | None]]]:
    """For each lower-case value its kinds, and how it must be written where only that counts (a name of one word)."""
    word = (pl.col("kind") == "name") & ~pl.col("value").str.contains(r"[^\p{L}]")
    kinds: dict[str, list[tuple[str, str | None]]] = {}
    for kind, value, exactly in wanted.select("kind", "value", pl.when(word).then("written")).iter_rows():
        kinds.setdefault(value, []).append((kind, exactly))
    return kinds


def _stands_alone(text: bytes, offset: int, match: str, kind: str) -> bool:
    """Whether no letter or digit touches the match; a birth date may be followed by the `T` of a time."""
    end = offset + len(match.encode())
    before = text[max(offset - _LONGEST_CHARACTER, 0) : offset].decode(errors="ignore")[-1:]
    after = text[end : end + _LONGEST_CHARACTER].decode(errors="ignore")[:1]
    if kind == "birth date":
        return not (before.isdigit() or after.isdigit())
    return not (before.isalnum() or after.isalnum())
