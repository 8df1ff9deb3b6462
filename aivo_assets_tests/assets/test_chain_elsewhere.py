"""The whole chain, from source to audit, over an object store and on other engines: it makes the bytes of one process.

What is compared is every dataset that the package declares, by the version of its content.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.lake import Lake
from aivo_assets.lake.storage.storage import S3Access
from aivo_assets.tracing.judging.verdicts import VERDICTS
from aivo_assets_tests import s3_servers
from aivo_assets_tests.lake import declared

SCHOOL = {
    "AIVO_PSEUDONYM_KEY": "4b" * 32,
    "AIVO_SIMULATOR_LEARNERS": "150",
    "AIVO_SIMULATOR_START": "2026-02-02",
    "AIVO_SIMULATOR_DAYS": "12",
}
DAYS = ["--from", "2026-02-02", "--to", "2026-02-12"]


def run(home: Path, variables: dict[str, str]) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIVO_", "AWS_"))}
    command = [sys.executable, "-c", "from aivo_assets.cli import main; main()", "run", *DAYS]
    done = subprocess.run(
        command,
        env=clean | SCHOOL | {"AIVO_HOME": str(home)} | variables,
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def contents(root: str, access: S3Access | None = None) -> dict[str, str]:
    lake = Lake(root, shards=4, access=access)
    found = {dataset.path: lake.version(dataset) for dataset in declared.datasets()}
    # The full verdict says when it was decided.
    return found | {VERDICTS.path: str(lake.scan(VERDICTS).drop("verdict").collect().rows())}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one process makes in a folder."""
    home = tmp_path_factory.mktemp("plain") / "home"
    run(home, {})
    lake = Lake(home / "lake", shards=4)
    assert lake.scan(RECOMMENDATIONS).collect().height  # a champion serves, so every stage had something to do
    return contents(str(lake.root))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["processes", pytest.param("ray", marks=pytest.mark.ray)])
def test_the_chain_over_s3_in_two_workers_makes_the_same(engine: str, plain: dict[str, str], tmp_path: Path) -> None:
    if engine == "ray":
        pytest.importorskip("ray")
    with s3_servers.moto(tmp_path) as access:
        assert access.endpoint
        url = f"s3://{s3_servers.BUCKET}/school"
        run(
            tmp_path / "home",
            {
                "AIVO_LAKE_URL": url,
                "AIVO_LAKE_ENDPOINT": access.endpoint,
                "AIVO_LAKE_KEY": s3_servers.KEY,
                "AIVO_LAKE_SECRET": s3_servers.SECRET,
                "AIVO_ENGINE": engine,
                "AIVO_ENGINE_WORKERS": "2",
            },
        )
        assert contents(url, access) == plain
