"""The code of docs/python.md and CONTRIBUTING.md runs on a school that went through the real job."""

import re
from pathlib import Path
from typing import Any

import pytest

import aivo_assets
from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets_tests.assets.conftest import Platform

REPOSITORY = Path(aivo_assets.__file__).parent.parent


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (REPOSITORY / page).read_text(), flags=re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["docs/python.md", "CONTRIBUTING.md"])
def test_every_block_of_code_runs_in_its_order(
    page: str, platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIVO_HOME", str(platform.settings.home))
    monkeypatch.chdir(tmp_path)  # no .env of whoever runs the tests
    told = blocks(page)
    assert told
    names: dict[str, Any] = {}
    for number, block in enumerate(told, 1):
        exec(compile(block, f"{page}, block {number}", "exec"), names)
    if page == "docs/python.md":
        predictions, items = names["predictions"], names["items"]
        assert predictions["item_id"].to_list() == items.to_list()
        assert predictions["probability"].is_between(0, 1, closed="none").all()
        assert len(names["probability"]) == names["events"].height
    else:
        stored = names["lake"].scan(RECOMMENDATIONS, days=[names["day"]]).collect()
        assert names["recommendations"].height == stored.height
