"""The whole chain, from source to audit, over a lake in an S3 store: it makes the bytes that one in a folder gets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aivo_assets.lake import Lake
from aivo_assets.lake.storage import S3Access
from aivo_assets_tests import s3_servers
from aivo_assets_tests.lake import declared

SCHOOL = {
    "AIVO_PSEUDONYM_KEY": "4b" * 32,
    "AIVO_SIMULATOR_LEARNERS": "60",
    "AIVO_SIMULATOR_START": "2026-02-02",
    "AIVO_SIMULATOR_DAYS": "9",
}
DAYS = ["--from", "2026-02-02", "--to", "2026-02-08"]


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


@pytest.mark.slow
def test_the_chain_over_s3_makes_what_it_makes_in_a_folder(tmp_path: Path) -> None:
    with s3_servers.moto(tmp_path) as access:
        assert access.endpoint
        url = f"s3://{s3_servers.BUCKET}/school"
        run(
            tmp_path / "far",
            {
                "AIVO_LAKE_URL": url,
                "AIVO_LAKE_ENDPOINT": access.endpoint,
                "AIVO_LAKE_KEY": s3_servers.KEY,
                "AIVO_LAKE_SECRET": s3_servers.SECRET,
            },
        )
        run(tmp_path / "near", {})
        far, near = contents(url, access), contents(str(tmp_path / "near" / "lake"), None)
    assert len(set(near.values())) > len(near) // 2  # most datasets hold something
    assert far == near


def contents(root: str, access: S3Access | None) -> dict[str, str]:
    lake = Lake(root, shards=4, access=access)
    return {dataset.path: lake.version(dataset) for dataset in declared.datasets()}
