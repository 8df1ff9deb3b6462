"""Known vulnerabilities of the packages in requirements.lock. Belongs here: asking, and saying what was not asked.

pip-audit asks PyPI's advisories over the network, and ends well also where it was answered for no package at all, as
behind a mirror without advisories. Here packages that nobody answered for are counted, and the end says so:

    0  every package was looked up and none is known to be vulnerable
    1  a vulnerability is known
    3  some packages could not be looked up, and none of the others is vulnerable

Without a network: `audit.py --advisories all.zip` reads OSV's dump of the ecosystem PyPI (a zip of JSON files, or a
folder of them), which somebody with a network brings; its newest advisory is named, so that an old dump is seen.
"""

import argparse
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

FOUND, NOT_ASKED = 1, 3
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def pinned(lock: Path) -> dict[str, str]:
    """Name and version of every package of a lock."""
    return {canonicalize_name(name): version for name, version in _PINNED.findall(lock.read_text())}


def ask_the_network(lock: Path) -> tuple[list[str], list[str]]:
    """Sentences about vulnerabilities, and names of the packages that nobody answered for."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(lock), "--disable-pip", "--no-deps", "-f", "json"]
    done = subprocess.run([*command, "--progress-spinner", "off"], capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        print(done.stderr.strip()[-500:], file=sys.stderr)
        return [], sorted(pinned(lock))
    answers = json.loads(done.stdout)["dependencies"]
    found = [
        f"{each['name']} {each['version']}: {vulnerability['id']}, mended in {_or_none(vulnerability['fix_versions'])}"
        for each in answers
        for vulnerability in each.get("vulns", ())
    ]
    answered = {canonicalize_name(each["name"]) for each in answers if "skip_reason" not in each}
    return found, sorted(set(pinned(lock)) - answered)


def ask_advisories(lock: Path, advisories: Path) -> tuple[list[str], str]:
    """Sentences about vulnerabilities, and when the newest advisory was changed."""
    packages, found, newest = pinned(lock), [], ""
    for advisory in _advisories(advisories):
        newest = max(newest, advisory.get("modified", ""))
        if "withdrawn" in advisory:
            continue
        for affected in advisory.get("affected", ()):
            name = canonicalize_name(affected.get("package", {}).get("name", ""))
            if name in packages and affects(affected, packages[name]):
                found.append(f"{name} {packages[name]}: {advisory['id']}, {advisory.get('summary', '')}".rstrip(", "))
    return sorted(set(found)), newest


def affects(affected: dict[str, Any], version: str) -> bool:
    """Whether OSV's `affected` (versions, or ranges of events in order) holds a version."""
    if version in affected.get("versions", ()):
        return True
    return any(_in_range(each["events"], version) for each in affected.get("ranges", ()) if each["type"] == "ECOSYSTEM")


def _in_range(events: list[dict[str, str]], version: str) -> bool:
    inside = False
    try:
        given = Version(version)
        for event in sorted(events, key=lambda each: Version(next(iter(each.values())))):
            (kind, bound), *_ = event.items()
            if kind == "introduced" and given >= Version(bound):
                inside = True
            elif (kind == "fixed" and given >= Version(bound)) or (kind == "last_affected" and given > Version(bound)):
                inside = False
    except InvalidVersion:
        return True  # what cannot be compared is looked at by a person
    return inside


def _advisories(place: Path) -> Iterator[dict[str, Any]]:
    if place.is_dir():
        yield from (json.loads(file.read_bytes()) for file in sorted(place.glob("**/*.json")))
        return
    with zipfile.ZipFile(place) as archive:
        yield from (json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json"))


def _or_none(versions: list[str]) -> str:
    return ", ".join(versions) or "no version yet"


def main() -> int:
    """Ask, print, and end with the code of the answer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lock", type=Path, nargs="?", default=Path("requirements.lock"))
    parser.add_argument("--advisories", type=Path, help="OSV's dump of PyPI: a zip or a folder, instead of the network")
    asked = parser.parse_args()
    total = len(pinned(asked.lock))
    if asked.advisories is not None:
        (found, newest), missing = ask_advisories(asked.lock, asked.advisories), []
        print(
            f"{total} packages held against the advisories of {asked.advisories}, the newest of {newest or 'no day'}."
        )
    else:
        found, missing = ask_the_network(asked.lock)
        print(f"{total - len(missing)} of {total} packages looked up.")
    print("\n".join(found) or "No known vulnerability among them.")
    if missing:
        print(
            f"NOT looked up: {len(missing)} packages ({', '.join(missing[:5])} …). The index answered nothing about"
            " them. Ask where there is a network, or bring OSV's dump: make audit ADVISORIES=all.zip."
        )
    return FOUND if found else NOT_ASKED if missing else 0


if __name__ == "__main__":
    sys.exit(main())
