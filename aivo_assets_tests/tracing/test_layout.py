"""Compiled code and the columns that it was compiled for go together."""

import hashlib
from pathlib import Path

import pytest

from aivo_assets.errors import ModelError
from aivo_assets.tracing import kernel, layout


def test_the_kernel_was_written_for_the_layout_as_it_is() -> None:
    assert hashlib.sha256(Path(layout.__file__).read_bytes()).hexdigest().startswith(kernel.LAYOUT)


def test_another_layout_is_refused_and_the_way_out_is_said() -> None:
    with pytest.raises(ModelError) as refused:
        layout.require("0" * 16)
    assert kernel.LAYOUT in refused.value.fix
