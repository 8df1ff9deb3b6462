"""One small school for all tests of the folder; a test that changes it takes a copy (`school.copied`)."""

import pytest

from aivo_assets_tests.live.school import LiveSchool, opened


@pytest.fixture(scope="session")
def school(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> LiveSchool:
    """A week of answers, a champion, folded states."""
    return opened(tmp_path_factory.mktemp("live") / "home", postgres_url)
