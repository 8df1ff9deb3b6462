"""Files that no other account of the machine may open. Belongs here: the mask of a process, and closing what is open.

Which folders are meant is not known here (operations/doors.py). A process that has called `write_privately` makes
folders of mode 0700 and files of mode 0600, whatever mask the shell or the supervisor gave it.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OTHERS = 0o077
"""Every right of the group and of everybody else."""
PASSING = 0o011
"""The rights to pass through a folder: whoever has no other cannot list it, nor make anything in it."""


@dataclass(frozen=True)
class Closed:
    """What was found open to other accounts.

    Attributes:
        mended: Closed now.
        still_open: Belongs to another account, or lies on a file system without modes.
    """

    mended: tuple[Path, ...] = ()
    still_open: tuple[Path, ...] = ()


def write_privately() -> None:
    """Take from others, of all that this process and those it starts make from now on, every right."""
    os.umask(os.umask(OTHERS) | OTHERS)


def close(places: Iterator[Path]) -> Closed:
    """Take from others every right to the given files and folders; links are left as they are.

    Args:
        places: What is to be closed; one that is not there, or goes while this runs, is fine.
    """
    mended: list[Path] = []
    still_open: list[Path] = []
    for place in places:
        try:
            mode = place.lstat().st_mode
            if stat.S_ISLNK(mode) or not mode & OTHERS:
                continue
            place.chmod(stat.S_IMODE(mode) & ~OTHERS)
            (still_open if place.lstat().st_mode & OTHERS else mended).append(place)
        except FileNotFoundError:
            continue
        except PermissionError:
            still_open.append(place)
    return Closed(tuple(mended), tuple(still_open))


def everything_below(folder: Path) -> Iterator[Path]:
    """The folder itself and all that lies in it, folders before what they hold.

    A folder that is itself a link was put elsewhere by somebody and is meant; links within it are not followed.
    """
    folder = folder.resolve()
    yield folder
    for parent, folders, files in os.walk(folder, onerror=lambda _: None):
        for name in (*folders, *files):
            yield Path(parent, name)


def files_in(folder: Path) -> Iterator[Path]:
    """The files directly in a folder; none where there is no folder, or this account may not list it."""
    try:
        yield from (Path(entry.path) for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False))
    except OSError:
        return
