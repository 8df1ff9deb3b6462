"""Which system account runs the embedded PostgreSQL, and whether it reaches the files. No server is started here.

PostgreSQL refuses to run as root. A normal user runs it under their own account; root hands it to the owner of the
folder, or to an account without rights. Such an account must be able to pass through every folder above its files: it
gets the right to traverse them, never to list or read, and the log says so.
"""

import logging
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from aivo_assets.errors import ServiceError

PREFERRED = ("pgserver", "postgres")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerAccount:
    """The account that owns the data folder and runs the server.

    Attributes:
        uid: Its user id.
        gid: Its primary group id.
        name: Its name, or the number where it has none.
    """

    uid: int
    gid: int
    name: str

    @property
    def is_other(self) -> bool:
        """Whether commands have to be run as somebody else."""
        return self.uid != os.geteuid()

    def take(self, folder: Path) -> None:
        """Make a folder that this account alone may use, or refuse one that is not its own.

        Raises:
            ServiceError: The folder exists and belongs to somebody else, or is no folder.
        """
        try:
            folder.mkdir(mode=0o700)
            if self.is_other:
                os.chown(folder, self.uid, self.gid)
        except FileExistsError:
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != self.uid or stat.S_IMODE(status.st_mode) & 0o077:
                raise ServiceError(
                    f"{folder} is not a folder that only {self.name} may use, so the database cannot be kept there",
                    fix=f"Remove {folder} if it is not needed, or set another AIVO_HOME.",
                ) from None

    def reach(self, folder: Path) -> None:
        """Let the account pass through `folder` and the folders above it; only root can need to grant that."""
        if not self.is_other:
            return
        for step in [*reversed(folder.parents), folder]:
            status = step.stat()
            if self._may_traverse(status):
                continue
            step.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
            _log.warning("%s may now be passed through by other users, so that %s can run PostgreSQL", step, self.name)

    def _may_traverse(self, status: os.stat_result) -> bool:
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def choose_account(data: Path) -> ServerAccount:
    """The account for a data folder, which need not exist yet.

    Raises:
        ServiceError: The folder belongs to somebody as whom this process cannot run a server.
    """
    nearest = next(path for path in (data, *data.parents) if path.exists())
    owner = nearest.stat().st_uid
    if os.geteuid() != 0:
        if nearest == data and owner != os.geteuid():
            raise ServiceError(
                f"The database in {data} belongs to user {_account(owner).name}, not to {_account(os.geteuid()).name}",
                fix="Run as that user or as root, give the folder to yourself with chown -R, or set another AIVO_HOME.",
            )
        return _account(os.geteuid())
    # A mounted folder may belong to a number without a name, and initdb refuses to run as one.
    return _account(owner) if owner != 0 and (nearest == data or _entry(owner)) else _unprivileged()


def account_name(uid: int) -> str:
    """The name of an account, or its number where it has none."""
    return _account(uid).name


def _entry(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def _account(uid: int) -> ServerAccount:
    entry = _entry(uid)
    if entry is None:
        return ServerAccount(uid, os.getegid() if uid == os.geteuid() else uid, str(uid))
    return ServerAccount(entry.pw_uid, entry.pw_gid, entry.pw_name)


def _unprivileged() -> ServerAccount:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in PREFERRED:
        if name in known:
            return ServerAccount(known[name].pw_uid, known[name].pw_gid, name)
    return _create(PREFERRED[0])


def _create(name: str) -> ServerAccount:
    useradd = shutil.which("useradd", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    fix = f"Create a user {name}, run as a normal user, or set AIVO_POSTGRES_URL to a server of yours."
    if useradd is None:
        raise ServiceError(
            "PostgreSQL does not run as root, and there is no useradd to make an account for it", fix=fix
        )
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if made.returncode != 0:
        raise ServiceError(
            f"PostgreSQL does not run as root, and its account could not be made: {made.stderr.strip()}", fix=fix
        )
    _log.warning("made the system user %s, as PostgreSQL does not run as root", name)
    entry = pwd.getpwnam(name)
    return ServerAccount(entry.pw_uid, entry.pw_gid, name)
