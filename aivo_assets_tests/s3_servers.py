"""Real S3 servers for tests: moto's everywhere, and Ceph's radosgw where it is installed and may be started.

Each runs as processes of its own on loopback and ends with its context. Debian has Ceph as `ceph-mon`, `ceph-osd`,
`ceph-common` and `radosgw`.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import s3fs

from aivo_assets.lake.storage.storage import S3Access

BUCKET = "aivo-tests"
KEY, SECRET = "tests", "tests-secret"
_CEPH = ("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
_START_SECONDS = 90

_CONFIGURATION = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{monitor}/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd crush chooseleaf type = 0
osd pool default pg num = 1
osd pool default pg autoscale mode = off
run dir = {folder}/run
pid file = {folder}/run/$name.pid
admin socket = {folder}/run/$name.asok
log file = {folder}/log/$name.log
ms bind ipv6 = false
keyring = {folder}/keyring
[mon]
mon data = {folder}/mon.a
mon initial members = a
mon data avail warn = 2
mon data avail crit = 1
[osd]
osd data = {folder}/osd.0
osd objectstore = memstore
memstore device bytes = 4294967296
osd class load list = *
osd class default list = *
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw data = {folder}/rgw
rgw enable usage log = false
rgw dynamic resharding = false
"""


def why_no_ceph() -> str:
    """What keeps this machine from starting Ceph; empty where nothing does."""
    absent = [name for name in _CEPH if shutil.which(name) is None]
    if absent:
        return f"Ceph's {', '.join(absent)} are not installed (Debian: ceph-mon ceph-osd ceph-common radosgw)"
    return "" if os.geteuid() == 0 else "Ceph's daemons are started by root"


@contextmanager
def moto(folder: Path) -> Iterator[S3Access]:
    """Moto's server, which keeps its buckets in memory."""
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with _process(command, folder / "moto.log"):
        yield _ready(port)


@contextmanager
def ceph(folder: Path) -> Iterator[S3Access]:
    """A cluster of one monitor and one object store in memory, and a gateway in front of it."""
    for name in ("run", "log", "mon.a", "osd.0", "rgw"):
        (folder / name).mkdir(parents=True)
    port, monitor, fsid = _free_port(), _free_port(), str(uuid.uuid4())
    configuration = folder / "ceph.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, fsid=fsid, port=port, monitor=monitor))
    conf, keyring = ["-c", str(configuration)], str(folder / "keyring")
    _keys(keyring)
    address = f"[v2:127.0.0.1:{monitor}]"
    _run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, str(folder / "monmap"))
    _run("ceph-mon", *conf, "-i", "a", "--mkfs", "--monmap", str(folder / "monmap"), "--keyring", keyring)
    with ExitStack() as running:
        running.enter_context(_process(["ceph-mon", "-f", *conf, "-i", "a"], folder / "mon.log"))
        osd = str(uuid.uuid4())
        _run("ceph", *conf, "osd", "new", osd)
        _run("ceph-osd", *conf, "-i", "0", "--mkfs", "--osd-uuid", osd)
        running.enter_context(_process(["ceph-osd", "-f", *conf, "-i", "0"], folder / "osd.log"))
        running.enter_context(_process(["radosgw", "-f", *conf, "-n", "client.rgw"], folder / "rgw.log"))
        _wait_for(port)
        secrets = [f"--access-key={KEY}", f"--secret-key={SECRET}"]
        _run("radosgw-admin", *conf, "user", "create", "--uid=tests", "--display-name=tests", *secrets)
        yield _ready(port)


def _keys(keyring: str) -> None:
    everything = ["--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *"]
    _run("ceph-authtool", "-C", keyring, "-n", "mon.", "--gen-key", "--cap", "mon", "allow *")
    for name in ("client.admin", "client.rgw", "osd.0"):
        _run("ceph-authtool", keyring, "-n", name, "--gen-key", *everything)


def _ready(port: int) -> S3Access:
    """The access, once the server answers and the bucket is there."""
    _wait_for(port)
    access = S3Access(f"http://127.0.0.1:{port}", KEY, SECRET, "us-east-1")
    client = s3fs.S3FileSystem(key=KEY, secret=SECRET, endpoint_url=access.endpoint, skip_instance_cache=True)
    client.mkdir(BUCKET)
    return access


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@contextmanager
def _process(command: list[str], log: Path) -> Iterator[None]:
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=_START_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
