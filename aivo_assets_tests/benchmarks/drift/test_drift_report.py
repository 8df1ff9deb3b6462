"""Which schools of an earlier drift benchmark count for another run."""

import pytest

from aivo_assets.benchmarks.drift.report import DriftBenchmark, Quiet, SchoolResult

SCHOOL = SchoolResult(seed=3, data="a school", quiet=Quiet(checks=9, champions=1, alarms=(), others={}), finished=True)
ASKED = {"source": "simulator, 120 days", "seeds": "0 to 9", "versions": "Python 3.11", "machine": "2 cores, load 0.1"}
EARLIER = DriftBenchmark(schools=(SCHOOL,), asked=ASKED)


@pytest.mark.parametrize("other", [{}, {"seeds": "0 to 19"}, {"machine": "2 cores, load 1.9"}])
def test_more_seeds_or_a_busier_machine_find_the_schools_again(other: dict[str, str]) -> None:
    assert EARLIER.schools_for(ASKED | other) == (SCHOOL,)


@pytest.mark.parametrize("other", [{"source": "simulator, 60 days"}, {"versions": "Python 3.12"}, {"horizon": "7"}])
def test_whatever_else_is_asked_for_is_measured_anew(other: dict[str, str]) -> None:
    assert EARLIER.schools_for(ASKED | other) == ()


def test_what_decided_and_is_asked_for_no_more_counts_too() -> None:
    assert EARLIER.schools_for({name: value for name, value in ASKED.items() if name != "source"}) == ()
