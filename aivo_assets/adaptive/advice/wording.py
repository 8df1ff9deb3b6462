"""Words for recommendations: reads the catalogue and fills its templates with a learner's numbers, column by column.

Belongs here: which fields a template may use and how each number is said. Every sentence itself is in the catalogue
(`catalogue/<language>.toml`), one file a language; no sentence is in the code.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any, Final

import polars as pl

from aivo_assets.errors import SettingsError
from aivo_assets.settings import PolicySettings

CATALOGUE: Final = Path(__file__).parent / "catalogue"
READERS: Final = {"teacher": "reasoning", "learner": "reasoning_learner", "parent": "reasoning_parent"}

_RULE_TEXTS: Final = tuple(READERS)
_GROUPS: Final = ("formats", "units", "notes", "kinds", "rules")
_KIND_TEXTS: Final = ("label", "expectation", "actions")
_FORMATS: Final = ("percent", "points", "date", "score", "counterfactual")
_UNITS: Final = (
    "answer",
    "right_answer",
    "wrong_answer",
    "right_row",
    "wrong_row",
    "more_answer",
    "day",
    "minute",
    "second",
    "exercise",
)

Field = Callable[["Wording"], pl.Expr]


@dataclass(frozen=True)
class Wording:
    """One language's catalogue.

    Attributes:
        language: Its name, `en`.
        texts: The catalogue: `formats`, `units`, `notes`, `kinds`, `rules`.
        settings: The policy's settings, for the thresholds that sentences name.
    """

    language: str
    texts: Mapping[str, Any]
    settings: PolicySettings

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
            **{column: self.render(texts[reader]) for reader, column in READERS.items()},
            "counterfactual": self.render(self.texts["formats"]["counterfactual"]).str.strip_chars(),
            "expectation": self.render(texts.get("expectation", of_kind["expectation"])),
            "suggested_actions": pl.concat_list(self.render(action) for action in actions),
        }

    def label(self, kind: str) -> str:
        """What a kind is called."""
        return str(self.texts["kinds"][kind]["label"])

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
        problems += [f"units.{unit} is missing" for unit in _UNITS if unit not in self.texts["units"]]
        problems += [f"notes.{note} is missing" for note in NOTES if note not in self.texts["notes"]]
        known = {*FIELDS, *(f"note_{name}" for name in NOTES)}
        for place, template in _templates(self.texts):
            unknown = {name for _, name, _, _ in Formatter().parse(template) if name is not None} - known
            problems += [f"{place} names an unknown field {{{name}}}" for name in sorted(unknown)]
        if problems:
            raise SettingsError(
                f"The wording catalogue {self.language!r} has gaps: {'; '.join(problems)}",
                fix=f"Mend adaptive/catalogue/{self.language}.toml.",
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
        raise SettingsError(f"{path.name} is no TOML: {error}", fix="Mend the line that it names.") from error
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


def _text(column: str) -> Field:
    return lambda _: pl.col(column).cast(pl.String)


def _percent(value: pl.Expr) -> Field:
    """Whole percent. Model answers are clipped to 1 … 99 before: nobody is certain."""
    return lambda wording: _number((value * 100).round(0).cast(pl.Int64), wording, "percent")


def _chance(column: str) -> Field:
    return _percent(pl.col(column).clip(0.01, 0.99))


def _points(column: str) -> Field:
    return lambda wording: _number((pl.col(column) * 100).abs().round(0).cast(pl.Int64), wording, "points")


def _number(value: pl.Expr, wording: Wording, name: str) -> pl.Expr:
    before, after = str(wording.texts["formats"][name]).split("#")
    return pl.concat_str(pl.lit(before), value.cast(pl.String), pl.lit(after))


def _count(value: pl.Expr, unit: str) -> Field:
    """A counted noun: "1 day", "3 days"."""

    def counted(wording: Wording) -> pl.Expr:
        one, many = wording.texts["units"][unit]
        noun = pl.when(value == 1).then(pl.lit(one)).otherwise(pl.lit(many))
        return pl.concat_str(value.cast(pl.String), pl.lit(" "), noun)

    return counted


def _duration(column: str) -> Field:
    """Seconds below two minutes, minutes above."""

    def spoken(wording: Wording) -> pl.Expr:
        seconds = pl.col(column).round(0).cast(pl.Int64)
        minutes = (pl.col(column) / 60).round(0).cast(pl.Int64)
        return (
            pl.when(pl.col(column) < 120)
            .then(_count(seconds, "second")(wording))
            .otherwise(_count(minutes, "minute")(wording))
        )

    return spoken


def _score(wording: Wording) -> pl.Expr:
    many, one = (wording.render(template) for template in wording.texts["formats"]["score"])
    return pl.when(pl.col("recent_attempts") > 1).then(many).otherwise(one)


def _whole(column: str) -> pl.Expr:
    return pl.col(column).round(0).cast(pl.Int64)


def _label(column: str) -> Field:
    """What the kind of a column is called."""

    def labelled(wording: Wording) -> pl.Expr:
        labels = {kind: str(entry["label"]) for kind, entry in wording.texts["kinds"].items()}
        return pl.col(column).replace_strict(labels, default=None, return_dtype=pl.String)

    return labelled


def _date(column: str) -> Field:
    return lambda wording: pl.col(column).dt.strftime(str(wording.texts["formats"]["date"]))


FIELDS: Final[Mapping[str, Field]] = {
    "skill": _text("skill_id"),
    "subject": _text("subject"),
    "level": _text("current_level"),
    "new_level": _text("recommended_level"),
    "content_level": _text("content_level"),
    "right": _text("recent_successes"),
    "recent": _count(pl.col("recent_attempts"), "answer"),
    "score": _score,
    "recent_accuracy": _percent(pl.col("recent_accuracy")),
    "overall_accuracy": _percent(pl.col("overall_accuracy")),
    "attempts_at_level": _count(pl.col("attempts_at_level"), "answer"),
    "gain_easier": _points("gain_easier"),
    "failures": _count(pl.col("failures_at_level"), "wrong_answer"),
    "successes": _count(pl.col("successes_at_level"), "right_answer"),
    "days_at_level": _count(pl.col("days_at_level"), "day"),
    "practice_days": _count(pl.col("practice_days_at_level"), "day"),
    "p_level": _chance("p_level"),
    "p_lower": _chance("p_level_lower"),
    "p_upper": _chance("p_level_upper"),
    "p_above": _chance("p_above"),
    "p_below": _chance("p_below"),
    "p_new": _chance("p_new"),
    "mastery": _chance("mastery"),
    "session_minutes": _count(_whole("session_minutes"), "minute"),
    "working_minutes": _count(_whole("working_minutes"), "minute"),
    "session_answers": _count(pl.col("session_events"), "answer"),
    "first_half": _percent(pl.col("session_first_half")),
    "second_half": _percent(pl.col("session_second_half")),
    "focus": _percent(pl.col("focus")),
    "hint_rate": _percent(pl.col("hint_rate")),
    "time_per_task": _duration("time_per_task_s"),
    "streak": _count(pl.col("streak_days"), "day"),
    "trend": _points("ability_trend"),
    "growth": _points("growth_at_level"),
    "missing": _count(pl.col("missing_attempts"), "more_answer"),
    "cf_right": _count(pl.col("cf_right"), "right_row"),
    "cf_right_kind": _label("cf_right_kind"),
    "cf_wrong": _count(pl.col("cf_wrong"), "wrong_row"),
    "cf_wrong_kind": _label("cf_wrong_kind"),
    "cf_rest_kind": _label("cf_rest_kind"),
    "policy_kind": _label("policy_kind"),
    "policy_level": _text("policy_level"),
    "pinned_until": _date("pinned_until"),
    "prerequisite": _text("content_skill"),
    "prerequisite_mastery": _chance("prerequisite_mastery"),
    "outcomes": _text("confidence_outcomes"),
    "settling": _count(pl.col("settling_days"), "day"),
    "since_move": _count(pl.col("days_since_move"), "day"),
    "expected": _text("expected_successes"),
    "next": _count(pl.col("expected_attempts"), "exercise"),
    "confidence": _chance("confidence"),
    "items": _count(pl.col("content").list.len(), "exercise"),
    "zone_low": lambda w: _percent(pl.lit(w.settings.success_zone[0]))(w),
    "zone_high": lambda w: _percent(pl.lit(w.settings.success_zone[1]))(w),
    "too_hard": lambda w: _percent(pl.lit(w.settings.too_hard))(w),
    "confirms": lambda w: _percent(pl.lit(w.settings.recent_confirms))(w),
    "low_focus": lambda w: _percent(pl.lit(w.settings.low_focus))(w),
    "long_session": lambda w: _count(pl.lit(round(w.settings.long_session_minutes)), "minute")(w),
    "hint_limit": lambda w: _percent(pl.lit(w.settings.hint_share))(w),
}


def _elsewhere() -> pl.Expr:
    """Whether the content practises another skill than the one that the recommendation is about."""
    return pl.col("content_skill") != pl.col("skill_id")


# Notes are sentences that are there only where there is something to say.
NOTES: Final[Mapping[str, Callable[[PolicySettings], pl.Expr]]] = {
    "rising": lambda s: pl.col("ability_trend") >= s.growth,
    "falling": lambda s: pl.col("ability_trend") <= -s.growth,
    "streak": lambda _: pl.col("streak_days") >= 3,
    "hints": lambda s: pl.col("hint_rate") > s.hint_share,
    "time": lambda _: pl.col("time_source") == "response",
    "model": lambda _: pl.col("p_level").is_not_null(),
    "band": lambda _: pl.col("p_level_lower").is_not_null(),
    "looks_hard": lambda s: pl.col("p_level") < s.too_hard,
    "looks_right": lambda s: pl.col("p_level").is_between(s.too_hard, s.success_zone[1], closed="left"),
    "looks_easy": lambda s: pl.col("p_level") >= s.success_zone[1],
    "looks_unknown": lambda _: pl.col("p_level").is_null(),
    "band_inline": lambda _: pl.col("p_level_lower").is_not_null(),
    "halves": lambda _: pl.col("session_second_half") < pl.col("session_first_half"),
    "items": lambda _: pl.col("content").list.len() > 0,
    "no_items": lambda _: pl.col("content").list.len() == 0,
    "other_level": lambda _: (pl.col("content_level") != pl.col("content_wanted")) & ~_elsewhere(),
    "prerequisite": lambda _: _elsewhere() & pl.col("prerequisite_mastery").is_not_null(),
    "prerequisite_unseen": lambda _: _elsewhere() & pl.col("prerequisite_mastery").is_null(),
    "prerequisite_items": lambda _: _elsewhere() & (pl.col("content").list.len() > 0),
    "richer": lambda _: pl.col("content_level") > pl.col("recommended_level"),
    "cf_rest": lambda _: pl.col("cf_rest").is_not_null(),
    "cf_right": lambda _: pl.col("cf_right").is_not_null(),
    "cf_wrong": lambda _: pl.col("cf_wrong").is_not_null() & pl.col("cf_right").is_not_null(),
    "cf_wrong_alone": lambda _: pl.col("cf_wrong").is_not_null() & pl.col("cf_right").is_null(),
    "cf_pinned": lambda _: pl.col("override") == "pin",
    "cf_rejected": lambda _: pl.col("override") == "reject",
    "cf_none": lambda _: pl.col("counterfactual_kind").is_null() & pl.col("override").fill_null("accept").eq("accept"),
}
