"""The registry's access to MLflow. Belongs here: everything that calls MLflow; `registry` says what versions mean.

MLflow takes seconds to import, so it is imported at the first change; questions are answered by `registry_reading`.
Where it stores is a SQLite file; artefacts lie beside it and are found relative to it, so a folder that was moved or
mounted elsewhere still works.
"""

import logging
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from aivo_assets.errors import ModelError
from aivo_assets.lake.file_lock import held
from aivo_assets.tracing.databases import MLFLOW, in_schema, make_schema
from aivo_assets.tracing.judging.registry_reading import (
    MODEL_NAME,
    NOTE_PREFIX,
    Contents,
    Version,
    read,
    read_database,
)


class RegistryStore:
    """Versions, aliases and notes of one registered model.

    Args:
        folder: Where the SQLite file and the artefacts lie.
        database: PostgreSQL database that takes the place of the SQLite file.
    """

    def __init__(self, folder: Path, database: str | None = None) -> None:
        self._folder = folder.absolute()
        self._url = database
        self._artefacts = self._folder / "artifacts"
        self._mutex = threading.RLock()
        self._is_locked = False

    @property
    def uri(self) -> str:
        """URI of the MLflow store."""
        return f"sqlite:///{self._database}" if self._url is None else in_schema(self._url, MLFLOW)

    @property
    def _database(self) -> Path:
        return self._folder / "mlflow.db"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the registry against every other process and thread; may be nested."""
        with self._mutex:
            if self._is_locked:
                yield
                return
            with held(self._folder / "registry.lock"):
                self._is_locked = True
                try:
                    yield
                finally:
                    self._is_locked = False

    def create(
        self,
        files: Path,
        *,
        now: datetime,
        metrics: Mapping[str, float],
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        description: str,
    ) -> Version:
        """Register a new version whose files are copied from a folder.

        Args:
            files: Folder to copy; its sub-folder `model` is the model.
            now: The time, UTC.
            metrics: Shown with the version's run.
            parameters: Shown with the version's run.
            tags: Of the version; `fingerprint` and `as_of` (ISO date) must be among them.
            description: Markdown shown with the version.
        """
        from mlflow.entities import Metric, Param  # noqa: PLC0415 - see the module's first lines
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        client, at = self._client, int(now.timestamp() * 1000)
        run = client.create_run(
            self._experiment(), start_time=at, run_name=f"main brain as of {tags['as_of']}", tags=dict(tags)
        )
        client.log_batch(
            run.info.run_id,
            metrics=[Metric(name, value, at, 0) for name, value in metrics.items()],
            params=[Param(name, value) for name, value in parameters.items()],
        )
        client.log_artifacts(run.info.run_id, str(files))
        client.set_terminated(run.info.run_id, end_time=at)
        placed = Path(unquote(urlparse(run.info.artifact_uri).path))
        try:
            client.create_registered_model(MODEL_NAME)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        made = client.create_model_version(
            MODEL_NAME,
            source=f"{run.info.artifact_uri}/model",
            run_id=run.info.run_id,
            tags={
                **tags,
                "artefact": placed.relative_to(self._artefacts).as_posix(),
                "registered_at": now.astimezone(UTC).isoformat(),
            },
            description=description,
        )
        return self.version(int(made.version))

    def folder(self, version: Version) -> Path:
        """Where the files of a version lie."""
        return self._artefacts / version.tags["artefact"]

    def attach(self, version: Version, name: str, content: bytes) -> None:
        """Keep one more document with a version's files, whole or not at all."""
        target = self.folder(version) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.tmp")
        beside.write_bytes(content)
        beside.replace(target)

    def point(self, alias: str, number: int) -> None:
        """Move an alias to a version, in one transaction."""
        self._client.set_registered_model_alias(MODEL_NAME, alias, str(number))

    def tag(self, number: int, tags: Mapping[str, str]) -> None:
        """Set tags of a version."""
        for name, value in tags.items():
            self._client.set_model_version_tag(MODEL_NAME, str(number), name, value)

    def remove(self, version: Version) -> None:
        """Take a version away, then its files."""
        self._client.delete_model_version(MODEL_NAME, str(version.number))
        files = self.folder(version)
        shutil.rmtree(files if files.parent == self._artefacts else files.parent, ignore_errors=True)

    def contents(self) -> Contents:
        """Every version and note, of one moment."""
        return read(self._database) if self._url is None else read_database(self._url)

    def version(self, number: int) -> Version:
        """A version.

        Raises:
            ModelError: There is none of this number.
        """
        contents = self.contents()
        version = contents.find(number)
        if version is None:
            numbers = ", ".join(str(each.number) for each in contents.versions) or "none"
            raise ModelError(
                f"The registry has no version {number} of {MODEL_NAME}; there are: {numbers}",
                fix="Name one of them; `aivo registry list` shows them all.",
            )
        return version

    def note(self, content: str) -> None:
        """Append a note to the registered model."""
        name = f"{NOTE_PREFIX}{len(self.contents().notes) + 1:06d}"
        self._client.set_registered_model_tag(MODEL_NAME, name, content)

    def _experiment(self) -> str:
        """Experiment whose artefacts lie below this folder; a folder that was moved begins a new one."""
        location = self._artefacts.as_uri()
        for name in (MODEL_NAME, f"{MODEL_NAME} in {self._folder}"):
            experiment = self._client.get_experiment_by_name(name)
            if experiment is None:
                return str(self._client.create_experiment(name, artifact_location=location))
            if experiment.artifact_location == location:
                return str(experiment.experiment_id)
        raise ModelError(
            f"The experiment {MODEL_NAME} of {self.uri} stores its files outside of {self._artefacts}",
            fix="Move the folder back to where it was made, or begin a new AIVO_HOME.",
        )

    @cached_property
    def _client(self) -> Any:
        """MLflow's client; the first one in a folder makes the database, and only one process may do that."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("DO_NOT_TRACK", "true")
        from mlflow import MlflowClient  # noqa: PLC0415 - see the module's first lines

        for chatty in ("mlflow.store.db.utils", "alembic"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        with self.locked():
            if self._url is not None:
                make_schema(self._url, MLFLOW)
            return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
