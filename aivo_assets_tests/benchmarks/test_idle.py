"""What a platform takes is counted over all its processes, those that came and went included."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aivo_assets.benchmarks.idle import watch
from aivo_assets.errors import ServiceError
from aivo_assets.operations.server.one_home import LOCK

BURNS_IN_A_CHILD = """
import subprocess, sys
from pathlib import Path
from aivo_assets.operations.server.one_home import only_platform
burn = "import time; end = time.process_time() + 0.6\\nwhile time.process_time() < end: pass"
with only_platform(Path(sys.argv[1])):
    print("up", flush=True)
    sys.stdin.readline()
    subprocess.run([sys.executable, "-c", burn], check=True)
    print("burnt", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", BURNS_IN_A_CHILD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()


def test_time_of_a_process_that_came_and_went_is_counted(tmp_path: Path, platform: subprocess.Popen[str]) -> None:
    def meanwhile(_: float) -> None:
        assert platform.stdin is not None
        assert platform.stdout is not None
        platform.stdin.write("\n")
        platform.stdin.flush()
        assert platform.stdout.readline() == "burnt\n"

    used = watch(tmp_path, 1.0, sleep=meanwhile)
    assert used.core_seconds_per_minute * used.minutes >= 0.6
    assert used.mebibytes > 5
    assert used.python_processes == 1


@pytest.mark.parametrize("content", ["", "4194304", None])
def test_a_home_without_a_platform_is_an_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / LOCK).write_text(content)
    with pytest.raises(ServiceError, match="No platform runs"):
        watch(tmp_path, 1.0, sleep=lambda _: None)
