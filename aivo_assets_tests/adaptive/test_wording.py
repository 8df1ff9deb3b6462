"""The wording catalogue is complete, knows its fields, and says what is wrong with it where it is not."""

import copy
from typing import Any

import pytest

from aivo_assets.adaptive.policy import KINDS, success_zone_policy
from aivo_assets.adaptive.rules import Policy
from aivo_assets.adaptive.threshold_policy import threshold_policy
from aivo_assets.adaptive.wording import CATALOGUE, READERS, Wording, load_wording
from aivo_assets.errors import SettingsError
from aivo_assets_tests.adaptive.learners import SETTINGS

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
    return Wording("broken", texts, SETTINGS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_every_rule_and_kind_has_every_text_and_no_template_an_unknown_field(language: str, policy: Policy) -> None:
    wording = load_wording(SETTINGS, language)
    wording.refuse_gaps(kinds_of(policy))
    assert len({wording.label(kind.name) for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_belongs_to_a_rule_that_does_not_exist(language: str) -> None:
    rules = {rule.name for policy in POLICIES for rule in policy.rules}
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
    with pytest.raises(SettingsError, match="Choose one of: en"):
        load_wording(SETTINGS, "xx")
