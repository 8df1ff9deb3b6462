"""One platform a home: a second one is refused with the process of the first, a killed one blocks nobody."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aivo_assets.errors import ServiceError
from aivo_assets.operations.server.one_home import LOCK, only_platform

HOLDS = """
import sys, time
from pathlib import Path
from aivo_assets.operations.server.one_home import only_platform
with only_platform(Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(600)
"""


def test_a_second_one_is_refused_with_the_process_of_the_first_until_that_is_gone(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE)
    assert first.stdout is not None
    assert first.stdout.readline() == b"up\n"
    with pytest.raises(ServiceError, match=f"as process {first.pid}"), only_platform(tmp_path):
        pass
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert (tmp_path / LOCK).read_text() == str(first.pid)  # stale, and no matter
    with only_platform(tmp_path):
        assert (tmp_path / LOCK).read_text() == str(os.getpid())


def test_homes_do_not_disturb_each_other(tmp_path: Path) -> None:
    with only_platform(tmp_path / "one"), only_platform(tmp_path / "other"):
        assert (tmp_path / "one" / LOCK).exists()
