"""The wording catalogue is complete, knows its fields, and says what is wrong with it where it is not."""

import copy
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from aivo_assets.adaptive.advice.recommendations import Known, recommend
from aivo_assets.adaptive.advice.wording import CATALOGUE, READERS, Wording, load_wording
from aivo_assets.adaptive.policy.overrides import PIN_RULE, REJECT_RULE
from aivo_assets.adaptive.policy.policy import KINDS, success_zone_policy
from aivo_assets.adaptive.policy.rules import Policy
from aivo_assets.adaptive.policy.threshold_policy import threshold_policy
from aivo_assets.errors import SettingsError
from aivo_assets_tests.adaptive.advice.consistency import TEXTS, consistent
from aivo_assets_tests.adaptive.learners import SETTINGS, ladder, signals
from aivo_assets_tests.adaptive.policy.cases import BASICS, EASY

LANGUAGES = sorted(file.stem for file in CATALOGUE.glob("*.toml"))
POLICIES = [success_zone_policy(SETTINGS), threshold_policy()]


def kinds_of(policy: Policy) -> dict[str, str]:
    return {rule.name: rule.kind.name for rule in policy.rules}


def broken(**changes: Any) -> Wording:
    texts: Any = copy.deepcopy(dict(load_wording(SETTINGS).texts))
    for path, value in changes.items():
        group, name, text = path.split("__")
        if value is None:
            del texts[group][name][text]
        else:
            texts[group][name][text] = value
    return Wording("en", texts, SETTINGS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_every_rule_and_kind_has_every_text_and_no_template_an_unknown_field(language: str, policy: Policy) -> None:
    wording = load_wording(SETTINGS, language)
    wording.refuse_gaps(kinds_of(policy))
    assert len({wording.label(kind.name) for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_belongs_to_a_rule_that_does_not_exist(language: str) -> None:
    rules = {rule.name for policy in POLICIES for rule in policy.rules} | {PIN_RULE, REJECT_RULE}
    texts = load_wording(SETTINGS, language).texts
    assert set(texts["rules"]) == rules
    assert set(texts["kinds"]) == {kind.name for kind in KINDS}


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_text_is_named(reader: str) -> None:
    wording = broken(**{f"rules__level_up__{reader}": None})
    with pytest.raises(SettingsError, match=f"rules.level_up.{reader} is missing"):
        wording.refuse_gaps(kinds_of(POLICIES[0]))


def test_a_kind_without_actions_is_named() -> None:
    with pytest.raises(SettingsError, match=r"kinds\.break\.actions is missing"):
        broken(kinds__break__actions=None).refuse_gaps(kinds_of(POLICIES[0]))


def test_an_unknown_field_is_named_with_its_place() -> None:
    wording = broken(kinds__break__actions=["Rest, {nickname}."])
    with pytest.raises(SettingsError, match=r"kinds\.break\.actions names an unknown field \{nickname\}"):
        wording.refuse_gaps(kinds_of(POLICIES[0]))


def test_a_language_without_a_catalogue_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SettingsError, match="Choose one of: de, en"):
        load_wording(SETTINGS, "xx")


def test_a_missing_format_is_named() -> None:
    texts: Any = copy.deepcopy(dict(load_wording(SETTINGS).texts))
    del texts["formats"]["counterfactual"]
    with pytest.raises(SettingsError, match=r"formats\.counterfactual is missing"):
        Wording("en", texts, SETTINGS).refuse_gaps(kinds_of(POLICIES[0]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_learners_and_parents_are_told_which_skill_is_meant(language: str) -> None:
    """But for a break, which is about the session and not about a skill."""
    texts = load_wording(SETTINGS, language).texts
    rests = {rule.name for policy in POLICIES for rule in policy.rules if rule.kind.name == "break"}
    for rule, of_rule in texts["rules"].items():
        for reader in ("learner", "parent"):
            assert ("{skill}" in of_rule[reader]) != (rule in rests), f"{language}: {rule}.{reader}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_form_of_the_language_is_there_and_no_other(language: str) -> None:
    wording = load_wording(SETTINGS, language)
    for unit, forms in wording.texts["units"].items():
        assert tuple(forms) == wording.spoken.plurals, f"{language}: {unit}"


def test_a_missing_plural_form_is_named() -> None:
    with pytest.raises(SettingsError, match=r"units\.day\.other is missing"):
        broken(units__day__other=None).refuse_gaps(kinds_of(POLICIES[0]))


@pytest.mark.parametrize("level", [1, 3, 5, 9])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_headline_says_from_where_to_where(language: str, level: int) -> None:
    """A move of one level and of three, up and down: both levels and the number of steps stand there."""
    cases = [(EASY, [0.99] * (level - 1) + [0.95, 0.9, 0.85, 0.775, *[0.5] * 9]), (BASICS, [0.9, 0.7, *[0.3] * 11])]
    for known, likely in cases:
        rows = signals(**consistent(known), current_level=level, level_probabilities=likely[:10])
        found = recommend(
            rows, ladder("fractions"), settings=SETTINGS, wording=load_wording(SETTINGS, language), made_by="test"
        ).row(0, named=True)
        steps = abs(found["recommended_level"] - level)
        numbers = [int(number) for number in re.findall(r"\d+", found["headline"])]
        assert numbers == ([steps, level, found["recommended_level"]] if steps else [level]), found["headline"]


def texts_of(node: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a catalogue with its place."""
    if isinstance(node, str):
        yield place, node
    else:
        entries = node.items() if isinstance(node, dict) else enumerate(node)
        for name, entry in entries:
            yield from texts_of(entry, f"{place}.{name}")


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_a_translation_has_the_same_texts_and_each_says_the_same_numbers(language: str) -> None:
    english, other = (dict(texts_of(load_wording(SETTINGS, name).texts)) for name in ("en", language))
    assert {place for place in english if ".units." not in place} == {
        place for place in other if ".units." not in place
    }
    for place in english.keys() & other.keys():
        fields = [sorted(re.findall(r"\{\w+\}", text)) for text in (english[place], other[place])]
        assert fields[0] == fields[1], f"{language}{place}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_no_text_has_a_stray_space_or_an_empty_bracket(language: str, policy: Policy) -> None:
    """Every text of every rule, filled with numbers, reads as a sentence."""
    wording = load_wording(SETTINGS, language)
    known = Known(policy=policy)
    made = pl.concat(
        recommend(
            signals(**consistent(given)), ladder("fractions"), settings=SETTINGS, wording=wording, made_by="test",
            known=known,
        )
        for given in (EASY, BASICS, {})
    )  # fmt: skip
    for row in made.iter_rows(named=True):
        for text in [*(row[name] for name in ("headline", *TEXTS)), *row["suggested_actions"]]:
            assert not re.search(r" [ .,;:!?)]|\( |\(\)|^ | $|\{|\}|“”|„“", text or ""), text


def test_one_percentage_point_is_one() -> None:
    frame = pl.DataFrame({"gain_easier": [0.012, -0.034, 0.0]})
    for language, said in {
        "en": ["1 percentage point", "3 percentage points", "0 percentage points"],
        "de": ["1 Prozentpunkt", "3 Prozentpunkte", "0 Prozentpunkte"],
    }.items():
        wording = load_wording(SETTINGS, language)
        assert frame.select(said=wording.render("{gain_easier}"))["said"].to_list() == said


def test_german_writes_dates_and_percentages_as_germans_do() -> None:
    wording = load_wording(SETTINGS, "de")
    frame = pl.DataFrame({"pinned_until": [date(2026, 4, 3)], "p_level": [0.617]})
    assert frame.select(said=wording.render("{pinned_until}, {p_level}"))["said"][0] == "03.04.2026, 62\u00a0%"


def test_slugs_are_said_as_words_and_names_as_they_are() -> None:
    wording = load_wording(SETTINGS)
    named = {
        "mathematics.long-division": "long division",
        "long_division": "long division",
        "mathematics": "mathematics",
        "science.energy": "science.energy",
        "Box-and-Whisker Plot": "Box-and-Whisker Plot",
        "D.4.8-understanding": "D.4.8-understanding",
        "kürzen-von-brüchen": "kürzen von brüchen",
    }
    frame = pl.DataFrame({"skill_id": list(named), "subject": "mathematics"})
    assert frame.select(said=wording.render("{skill}"))["said"].to_list() == list(named.values())


def test_a_second_language_is_a_second_file_with_the_same_keys(tmp_path: Path) -> None:
    """Every sentence of the English file in capitals, but for its fields, as if it were Dutch."""
    sentences = re.compile(r'"((?:[^"\\]|\\.)*)"')
    shouted = sentences.sub(
        lambda said: '"' + re.sub(r"(\{\w+\})|([^{]+)", lambda m: m[1] or m[2].upper(), said[1]) + '"',
        (CATALOGUE / "en.toml").read_text(encoding="utf-8"),
    )
    (tmp_path / "nl.toml").write_text(shouted, encoding="utf-8")
    loud = load_wording(SETTINGS.model_copy(update={"language": "nl"}), folder=tmp_path)
    assert loud.language == "nl"
    rows = signals(**consistent(EASY))
    english, other = (
        recommend(rows, ladder("fractions"), settings=SETTINGS, wording=wording, made_by="test").row(0, named=True)
        for wording in (load_wording(SETTINGS), loud)
    )
    for text in ("headline", *TEXTS):
        assert other[text] == english[text].upper().replace("FRACTIONS", "fractions")
    assert {name for name in english if english[name] != other[name]} <= {"headline", *TEXTS, "suggested_actions"}


def test_a_second_language_with_a_gap_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    text = (CATALOGUE / "en.toml").read_text(encoding="utf-8")
    (tmp_path / "da.toml").write_text(text.replace("[rules.level_up]\nteacher", "[rules.level_up]\nlehrer"))
    with pytest.raises(SettingsError, match=r"'da' has gaps: rules\.level_up\.teacher is missing"):
        load_wording(SETTINGS, "da", tmp_path).refuse_gaps(kinds_of(POLICIES[0]))
    (tmp_path / "yy.toml").write_text("[rules]\n")
    with pytest.raises(SettingsError, match="formats, units, plans, notes, kinds missing"):
        load_wording(SETTINGS, "yy", tmp_path)
    (tmp_path / "zz.toml").write_text("rules =\n")
    with pytest.raises(SettingsError, match=r"zz\.toml is no TOML"):
        load_wording(SETTINGS, "zz", tmp_path)
