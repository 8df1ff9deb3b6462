"""The examples in docstrings run and give what they say."""

import doctest
from importlib import import_module
from typing import Any

import pytest

from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.statistics import fit_statistics
from aivo_assets_tests.adaptive.learners import answers, ladder, signals
from aivo_assets_tests.tracing.synthetic_school import school

MODULES = {
    "aivo_assets.lake.store": ["Lake"],
    "aivo_assets.tracing.fold.features": ["fold", "query"],
    "aivo_assets.tracing.model.main_brain": ["MainBrain.predict"],
    "aivo_assets.drift.verdicts.verdict": ["judge"],
    "aivo_assets.adaptive.advice.recommendations": ["recommend"],
}


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    """What the examples take as there: a model and its table, a learner's signals, items, statistics."""
    small = school(learners=40, days=20)
    return {
        "brain": small.fit(),
        "table": small.table,
        "signals": signals(),
        "bank": ladder("fractions", per_level=8),
        "statistics": fit_statistics(answers(correct=[1, 0, 1]), FeatureSettings()),
    }


@pytest.mark.parametrize("module", MODULES)
def test_examples_give_what_they_say(module: str, given: dict[str, Any]) -> None:
    found = {
        test.name.removeprefix(f"{module}."): test
        for test in doctest.DocTestFinder().find(import_module(module), module, extraglobs=given)
        if test.examples
    }
    assert set(found) >= set(MODULES[module])
    for test in found.values():
        report: list[str] = []
        result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
        assert result.attempted
        assert not result.failed, "".join(report)
