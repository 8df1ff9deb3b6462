"""Fixtures that every folder of tests may use."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with the public research data, or a skip that says so."""
    folder = Path(os.environ.get("AIVO_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the public research data is not at {folder}; set AIVO_REAL_DATA to where it is")
    return folder
