"""Compiled code and kept states, and the columns that they were made for, go together."""

import hashlib
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from aivo_assets.errors import ModelError
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold import features, kernel, layout
from aivo_assets.tracing.fold.schema import STATES_LEARNERS
from aivo_assets.tracing.fold.statistics import fit_statistics
from aivo_assets_tests.tracing.small_lake import events


def test_the_kernel_does_not_load_beside_a_changed_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "layout.py"
    changed.write_bytes(Path(layout.__file__).read_bytes() + b"# and a column more\n")
    monkeypatch.setattr(layout, "__file__", str(changed))
    with pytest.raises(ModelError) as refused:
        runpy.run_path(kernel.__file__)
    assert hashlib.sha256(changed.read_bytes()).hexdigest()[:16] in refused.value.fix


def test_another_layout_is_refused_and_the_way_out_is_said() -> None:
    with pytest.raises(ModelError) as refused:
        layout.require("0" * 16)
    assert kernel.LAYOUT in refused.value.fix


def test_states_that_were_kept_with_other_columns_are_not_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = FeatureSettings()
    statistics = fit_statistics(events(learners=3, days=2), settings)
    before = features.fold_version(statistics, settings)
    assert features.fold_version(statistics, settings) == before
    fewer = {name: dtype for name, dtype in STATES_LEARNERS.schema.items() if name != "day_marks"}
    monkeypatch.setattr(features, "STATES_LEARNERS", replace(STATES_LEARNERS, schema=fewer))
    assert features.fold_version(statistics, settings) != before
