"""A long range is filled in several runs and gives what one run gives."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from aivo_assets.cli.data import _before_the_last, _fill
from aivo_assets.cli.main import app
from aivo_assets.cli.terminal import terminal
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import calendar, open_lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import load_settings

FIRST = date(2026, 3, 2)


@given(st.integers(0, 4000), st.integers(7, 400))
def test_the_parts_of_a_range_follow_each_other_and_leave_the_last_run_no_more_than_its_share(
    length: int, most: int
) -> None:
    last = FIRST + timedelta(days=length)
    parts = _before_the_last((FIRST, last), most)
    begins = FIRST
    for first, end in parts:
        assert first == begins
        assert 0 < (end - first).days + 1 <= most
        begins = end + timedelta(days=1)
    assert 1 <= (last - begins).days + 1 <= most


@pytest.mark.slow
def test_days_filled_in_parts_are_the_days_of_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIVO_PSEUDONYM_KEY", "a key of thirty-two characters or more")
    monkeypatch.setenv("AIVO_SIMULATOR_LEARNERS", "40")
    monkeypatch.setenv("AIVO_SIMULATOR_START", str(FIRST))
    days, made = (FIRST, FIRST + timedelta(days=15)), []
    for parts in (_before_the_last(days, 7), []):
        monkeypatch.setenv("AIVO_HOME", str(tmp_path / str(len(parts))))
        calendar.extend(open_lake(load_settings()), FIRST)
        for part in parts:
            _fill(load_settings(), part, terminal())
        begins = parts[-1][1] + timedelta(days=1) if parts else FIRST
        rest = ["--job", "late_events", "--from", str(begins), "--to", str(days[1])]
        answer = CliRunner().invoke(app, ["run", *rest])
        assert answer.exit_code == 0, answer.output
        lake = open_lake(load_settings())
        made.append([lake.version(each) for each in (RAW_INTERACTIONS, ANONYMISED_INTERACTIONS)])
        assert len(lake.days(RAW_INTERACTIONS)) == 16
    assert made[0] == made[1]
