"""What the platform stands on goes: the source's database, the endpoint of the alerts, the disk, the right time."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aivo_assets.events.landing.events import read_receipts
from aivo_assets.operations.alerts.outbox import build_outbox
from aivo_assets_tests.api.service import free_port
from aivo_assets_tests.chaos.conftest import School
from aivo_assets_tests.chaos.school import Home, nothing_lost_or_doubled
from aivo_assets_tests.chaos.servers import database, endpoint, fill, stop_hard

pytestmark = [pytest.mark.chaos, pytest.mark.postgres]


def test_a_source_database_that_is_gone_is_tried_again_and_read_to_its_end_when_it_is_back(
    copied: Callable[..., Home], school: School, server: Path
) -> None:
    last = school.next + timedelta(days=3)
    with database(server) as url:
        fill(url, school.source)
        home = copied(AIVO_SOURCE_KIND="postgres", AIVO_SOURCE_URL=url.replace("+psycopg2", ""))
        command = ("run", "--job", "late_events", "--from", str(school.next), "--to", str(last))
        stop_hard(server)
        failed = home.aivo(*command)
    assert failed.returncode != 0
    assert "The database cannot be read" in failed.stdout
    assert (home.path / "lake" / "raw" / "cursors").exists() is False
    assert {receipt.source for receipt in read_receipts(home.lake) if receipt.rows_read} == {"parquet"}
    assert home.serving() == 1
    nothing_lost_or_doubled(home, school.source, school.first, school.known)

    with database(server):
        healed = home.aivo(*command)
    assert healed.returncode == 0, healed.stdout
    nothing_lost_or_doubled(home, school.source, school.first, last)
    assert home.restarts() == [0, 2, 0]


def test_alerts_wait_for_an_endpoint_that_is_down_and_each_is_told_once(copied: Callable[..., Home]) -> None:
    """One is sent while it is down, and one by a process that is killed in the middle of sending."""
    port = free_port()
    home = copied(AIVO_ALERTS_WEBHOOK_URL=f"http://127.0.0.1:{port}/alerts", AIVO_ALERTS_ATTEMPTS="1")
    told = home.aivo("alerts", "test")
    killed = home.aivo("alerts", "test", dies_at="call:httpx:post")
    assert told.returncode == 7, told.stdout
    assert killed.returncode == -signal.SIGKILL, killed.stdout

    outbox = build_outbox(home.settings.alerts, home.path)
    waiting = {kept.alert.key for kept in outbox.entries() if not kept.is_delivered}
    assert len(waiting) == 2
    with endpoint(port) as received:
        assert outbox.deliver(datetime.now(UTC) + timedelta(minutes=2)) == 2
        assert outbox.deliver(datetime.now(UTC) + timedelta(minutes=4)) == 0
    assert {key.rpartition("@")[0] for key in received} == waiting
    assert len(received) == 2
    assert home.serving() == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that `mount` makes larger; needs root."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("a small file system can only be mounted by root")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], check=False).returncode:
        pytest.skip("this machine mounts no tmpfs")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_leaves_every_day_old_or_new_and_with_room_the_same_run_completes_it(
    copied: Callable[..., Home], school: School, small_disk: Path
) -> None:
    home = copied(AIVO_LAKE_URL=str(small_disk / "lake"))
    subprocess.run(["cp", "-a", str(home.path / "lake"), str(small_disk)], check=True)
    shutil.rmtree(home.path / "lake")
    used = shutil.disk_usage(small_disk).used // 1024 + 24
    subprocess.run(["mount", "-o", f"remount,size={used}k", str(small_disk)], check=True)
    last = school.next + timedelta(days=3)
    command = ("run", "--job", "late_events", "--from", str(school.next), "--to", str(last))
    failed = home.aivo(*command)
    assert failed.returncode != 0
    assert "No space left on device" in failed.stdout
    assert not list((small_disk / "lake").rglob(".*.tmp"))
    assert home.serving() == 1
    nothing_lost_or_doubled(home, school.source, school.first, school.known)

    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    healed = home.aivo(*command)
    assert healed.returncode == 0, healed.stdout
    nothing_lost_or_doubled(home, school.source, school.first, last)
