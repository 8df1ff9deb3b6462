"""Words for recommendations: reads the catalogue of a language and fills its templates, column by column.

Belongs here: reading, filling, and finding what is missing. Fields are in `fields.py`. Every sentence itself is in the
catalogue (`catalogue/<language>.toml`), one file a language; no sentence is in the code.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import Formatter
from typing import Any, Final

import polars as pl

from aivo_assets.adaptive.advice.fields import FIELDS, NOTES, UNITS
from aivo_assets.adaptive.policy.policy import PLANS
from aivo_assets.errors import SettingsError
from aivo_assets.language import Language
from aivo_assets.settings import PolicySettings

CATALOGUE: Final = Path(__file__).parent / "catalogue"
READERS: Final = {"teacher": "reasoning", "learner": "reasoning_learner", "parent": "reasoning_parent"}

_RULE_TEXTS: Final = tuple(READERS)
_GROUPS: Final = ("formats", "units", "plans", "notes", "kinds", "rules")
_KIND_TEXTS: Final = ("label", "headline", "expectation", "actions")
_FORMATS: Final = ("score", "counterfactual")


@dataclass(frozen=True)
class Wording:
    """One language's catalogue.

    Attributes:
        language: Its name, `en`.
        texts: The catalogue: `formats`, `units`, `plans`, `notes`, `kinds`, `rules`.
        settings: The policy's settings, for the thresholds that sentences name.
    """

    language: str
    texts: Mapping[str, Any]
    settings: PolicySettings

    @cached_property
    def spoken(self) -> Language:
        """How the language writes dates, percentages and plurals."""
        return Language(self.language)

    def render(self, template: str) -> pl.Expr:
        """A template as a string expression over the columns of a decided frame."""
        parts: list[pl.Expr] = []
        for literal, name, _, _ in Formatter().parse(template):
            if literal:
                parts.append(pl.lit(literal))
            if name is not None:
                parts.append(self._field(name))
        return pl.concat_str(parts) if parts else pl.lit("")

    def rule(self, rule: str, kind: str) -> dict[str, pl.Expr]:
        """All texts of a rule, by column of `RECOMMENDATIONS`."""
        texts, of_kind = self.texts["rules"][rule], self.texts["kinds"][kind]
        actions = texts.get("actions", of_kind["actions"])
        return {
            "headline": self.render(texts.get("headline", of_kind["headline"])).str.strip_chars(),
            **{column: self.render(texts[reader]) for reader, column in READERS.items()},
            "counterfactual": self.render(self.texts["formats"]["counterfactual"]).str.strip_chars(),
            "expectation": self.render(texts.get("expectation", of_kind["expectation"])),
            "suggested_actions": pl.concat_list(self.render(action).str.strip_chars() for action in actions),
        }

    def label(self, kind: str) -> str:
        """What a kind is called."""
        return str(self.texts["kinds"][kind]["label"])

    def plan(self, plan: str | None) -> str:
        """What a plan is called; nothing where none is in force."""
        return "" if plan is None else str(self.texts["plans"][plan])

    def refuse_gaps(self, rules: Mapping[str, str]) -> None:
        """Check that every rule and kind has all texts, and that no template has an unknown field.

        Args:
            rules: Kind of each rule.

        Raises:
            SettingsError: Something is missing or unknown; each is named.
        """
        problems = [
            f"rules.{rule}.{text} is missing"
            for rule in rules
            for text in _RULE_TEXTS
            if text not in self.texts["rules"].get(rule, {})
        ]
        problems += [
            f"kinds.{kind}.{text} is missing"
            for kind in sorted(set(rules.values()))
            for text in _KIND_TEXTS
            if text not in self.texts["kinds"].get(kind, {})
        ]
        problems += [f"formats.{name} is missing" for name in _FORMATS if name not in self.texts["formats"]]
        problems += [
            f"units.{unit}.{form} is missing"
            for unit in UNITS
            for form in self.spoken.plurals
            if form not in self.texts["units"].get(unit, {})
        ]
        problems += [f"plans.{plan} is missing" for plan in PLANS if plan not in self.texts["plans"]]
        problems += [f"notes.{note} is missing" for note in NOTES if note not in self.texts["notes"]]
        known = {*FIELDS, *(f"note_{name}" for name in NOTES)}
        for place, template in _templates(self.texts):
            unknown = {name for _, name, _, _ in Formatter().parse(template) if name is not None} - known
            problems += [f"{place} names an unknown field {{{name}}}" for name in sorted(unknown)]
        if problems:
            raise SettingsError(
                f"The wording catalogue {self.language!r} has gaps: {'; '.join(problems)}",
                fix=f"Correct adaptive/advice/catalogue/{self.language}.toml.",
            )

    def _field(self, name: str) -> pl.Expr:
        if name.startswith("note_"):
            note = name.removeprefix("note_")
            text = self.render(self.texts["notes"][note])
            return pl.when(NOTES[note](self.settings)).then(text).fill_null("")
        return FIELDS[name](self)


def load_wording(settings: PolicySettings, language: str | None = None, folder: Path = CATALOGUE) -> Wording:
    """Read a catalogue.

    Args:
        settings: Thresholds that sentences name, and the language where none is given.
        language: Its file, `en` for `en.toml`.
        folder: Where the catalogues are.

    Raises:
        SettingsError: There is none of this language, or it is no TOML, or a group of texts is missing.
    """
    chosen = settings.language if language is None else language
    path = folder / f"{chosen}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise SettingsError(f"There is no wording catalogue {chosen!r}.", fix=f"Choose one of: {known}.")
    try:
        texts = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path.name} is no TOML: {error}", fix="Correct the line that it names.") from error
    missing = [group for group in _GROUPS if group not in texts]
    if missing:
        raise SettingsError(
            f"The wording catalogue {chosen!r} has gaps: {', '.join(missing)} missing", fix=f"Mend {path.name}."
        )
    return Wording(chosen, texts, settings)


def _templates(texts: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Every template of a catalogue with its place; units and most formats are no templates."""
    yield "formats.counterfactual", texts["formats"].get("counterfactual", "")
    for group in ("rules", "kinds"):
        for name, entry in texts[group].items():
            for text, value in entry.items():
                for template in [value] if isinstance(value, str) else value:
                    yield f"{group}.{name}.{text}", template
    for name, template in texts["notes"].items():
        yield f"notes.{name}", template
