"""Compiled code and the columns that it was compiled for go together."""

import hashlib
import runpy
from pathlib import Path

import pytest

from aivo_assets.errors import ModelError
from aivo_assets.tracing import kernel, layout


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
