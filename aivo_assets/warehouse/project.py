"""Runs dbt in this process. Belongs here: the manifest, parsed only after a change, and a whole build.

Dagster runs dbt as a process of its own; `build` is for tests and scripts.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aivo_assets.errors import ServiceError
from aivo_assets.lake.file_lock import held

_STAMP = "manifest.sha256"
_SOURCES = ("*.sql", "*.yml", "*.yaml", "*.md", "*.csv")
_MADE_BY_DBT = {"target", "logs", "dbt_packages"}


@dataclass(frozen=True)
class Built:
    """What a build did.

    Attributes:
        success: Whether every model was built and every test passed.
        status: For each node by name: `success`, `pass`, `fail`, `error`, `skipped` or `warn`.
        messages: What dbt says of the nodes that did not succeed.
    """

    success: bool
    status: dict[str, str]
    messages: dict[str, str]


def manifest_path(target_dir: Path) -> Path:
    """Where `ensure_manifest` leaves the manifest."""
    return target_dir / "manifest.json"


def ensure_manifest(project_dir: Path, target_dir: Path, environment: Mapping[str, str]) -> Path:
    """Parse the project unless the manifest is that of these files, this environment and these versions of dbt.

    Processes that ask at the same time wait for the first and share what it made.

    Args:
        project_dir: The dbt project; nothing is written there.
        target_dir: A writable folder.
        environment: See `places.environment`.

    Returns:
        Path of `manifest.json`.

    Raises:
        ServiceError: The project does not parse.
    """
    target_dir.mkdir(parents=True, exist_ok=True)
    path, stamp = manifest_path(target_dir), target_dir / _STAMP
    wanted = _fingerprint(project_dir, environment)
    if _is_current(path, stamp, wanted):
        return path
    with held(target_dir / "manifest.lock"):
        if not _is_current(path, stamp, wanted):
            scratch = target_dir / "parsing"
            shutil.rmtree(scratch, ignore_errors=True)
            _invoke(["parse", "--quiet"], project_dir, scratch, environment)
            stamp.unlink(missing_ok=True)
            (scratch / "manifest.json").replace(path)
            stamp.write_text(wanted)
            shutil.rmtree(scratch, ignore_errors=True)
    return path


def build(project_dir: Path, target_dir: Path, environment: Mapping[str, str], *, select: str | None = None) -> Built:
    """Build every model and run every test, in this process.

    Args:
        project_dir: The dbt project.
        target_dir: A writable folder.
        environment: See `places.environment`.
        select: dbt's node selection; everything without it.

    Raises:
        ServiceError: dbt could not run at all; a model or test that failed is in what is returned.
    """
    selection = [] if select is None else ["--select", select]
    result = _invoke(["build", "--quiet", *selection], project_dir, target_dir, environment)
    nodes = {node.node.name: node for node in result.result.results}
    return Built(
        success=bool(result.success),
        status={name: str(node.status) for name, node in nodes.items()},
        messages={name: str(node.message) for name, node in nodes.items() if node.status not in ("success", "pass")},
    )


def _invoke(arguments: list[str], project_dir: Path, target_dir: Path, environment: Mapping[str, str]) -> Any:
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  seconds of import that only parsing needs

    places = ["--project-dir", str(project_dir), "--profiles-dir", str(project_dir), "--target-path", str(target_dir)]
    with _environ(environment):  # no log file: dbt leaves it open
        result = dbtRunner().invoke([*arguments, *places, "--log-level-file", "none"])
    if result.exception is not None:
        raise ServiceError(
            f"dbt {arguments[0]} in {project_dir} failed: {result.exception}",
            fix="Correct what it names; `dbt debug` in that folder says whether the connection works.",
        ) from result.exception
    return result


@contextmanager
def _environ(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process for a while: dbt reads them from nowhere else."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _is_current(path: Path, stamp: Path, wanted: str) -> bool:
    return path.exists() and stamp.exists() and stamp.read_text() == wanted


def _fingerprint(project_dir: Path, environment: Mapping[str, str]) -> str:
    """Hash of whatever the manifest depends on."""
    files = sorted(
        file
        for pattern in _SOURCES
        for file in project_dir.rglob(pattern)
        if file.relative_to(project_dir).parts[0] not in _MADE_BY_DBT
    )
    described = {
        "files": {str(file.relative_to(project_dir)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
        "project": str(project_dir),
        "environment": dict(environment),
        "versions": {package: version(package) for package in ("dbt-core", "dbt-duckdb")},
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
