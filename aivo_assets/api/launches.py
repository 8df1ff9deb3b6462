"""Starts runs, each at most once. Belongs here: the guard, idempotency keys, and launches that were not confirmed.

The service keeps nothing in its memory: it may be killed at any line. What a call asks for is written down before
Dagster is asked, and taken away when the run's id is known. A launch whose fate is unknown is looked up by the tag that
carries its key; until it is found, or so much time has passed that Dagster cannot be working on it any more, no other
launch of its job is let through.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from aivo_assets.api.dagster_client import (
    UNFINISHED,
    DagsterClient,
    DagsterRun,
    DagsterUnreachableError,
    LaunchRefusedError,
    LaunchUncertainError,
)
from aivo_assets.errors import ServiceError
from aivo_assets.lake.atomic_file import write_whole
from aivo_assets.lake.file_lock import held
from aivo_assets.operations.jobs.causes import IDEMPOTENCY_TAG
from aivo_assets.operations.jobs.training_guard import Wait

FATE_KNOWN_AFTER: Final = timedelta(seconds=120)
"""Dagster's own calls between its processes end after 60 s; a launch asked for longer ago than this came to nothing."""

PAUSE_SECONDS: Final = 0.5
Guard = Callable[[], Wait | None]


class MustWaitError(ServiceError):
    """A guard holds the call back."""

    def __init__(self, wait: Wait) -> None:
        super().__init__(wait.reason, fix=f"Ask again in {wait.seconds} s.")
        self.wait = wait


class KeyReusedError(ServiceError):
    """The key of a call names a run of another job."""


class FateUnknownError(ServiceError):
    """A launch was asked for and its fate is unknown so far."""

    def __init__(self, key: str, seconds: int) -> None:
        super().__init__(
            "Dagster was asked for a run and did not say whether there is one now",
            fix=f"Ask again with the header Idempotency-Key: {key}; nothing is started twice.",
        )
        self.key = key
        self.seconds = seconds


@dataclass(frozen=True)
class Launch:
    """What to start.

    Attributes:
        job: Job of the run.
        tags: Tags of the run, without the key's.
        key: The caller's key; None makes one.
    """

    job: str
    tags: Mapping[str, str]
    key: str | None


@dataclass(frozen=True)
class Launched:
    """A run that there is now.

    Attributes:
        run: The run.
        key: The key that names it.
        repeated: Whether an earlier call had started it.
    """

    run: DagsterRun
    key: str
    repeated: bool


class Launcher:
    """Starts runs.

    Args:
        dagster: Through which runs are looked up and started.
        folder: Where intentions are kept, and the lock.
        settle_seconds: How long a launch that went wrong is looked for before the caller is told.
        now: Tells the time by the machine's clock, UTC: what is waited for is Dagster, whatever the platform's clock
            shows.
    """

    def __init__(
        self, dagster: DagsterClient, folder: Path, *, settle_seconds: float, now: Callable[[], datetime]
    ) -> None:
        self._dagster = dagster
        self._folder = folder
        self._settle = settle_seconds
        self._now = now

    def start(self, launch: Launch, guard: Guard) -> Launched:
        """Start a run, or find the one that the same key started before.

        Args:
            launch: What to start.
            guard: Why it must wait, if it must; asked only where nothing was started under the key.

        Raises:
            KeyReusedError: The key names a run of another job.
            MustWaitError: The guard says so.
            FateUnknownError: It, or a launch of the same job before it, is neither known to be nor not to be.
            LaunchRefusedError: Dagster makes no such run.
            DagsterUnreachableError: Dagster does not answer; nothing was started.
        """
        with held(self._folder / "launches.lock"):
            if launch.key is not None and (earlier := self._find(launch.key)) is not None:
                return self._as_repeated(earlier, launch)
            self._settle_earlier(launch.job)
            wait = guard()
            if wait is not None:
                raise MustWaitError(wait)
            return self._launch(launch, launch.key or uuid4().hex)

    def _launch(self, launch: Launch, key: str) -> Launched:
        intention = self._intend(launch.job, key)
        tags = {**launch.tags, IDEMPOTENCY_TAG: key}
        try:
            run = self._dagster.launch(launch.job, tags)
            intention.unlink(missing_ok=True)
        except (LaunchRefusedError, DagsterUnreachableError):
            intention.unlink(missing_ok=True)
            raise
        except LaunchUncertainError as error:
            launched = self._find_within(key, self._settle)
            if launched is None:
                raise FateUnknownError(key, self._seconds_left(self._now())) from error
            intention.unlink(missing_ok=True)
            return Launched(launched, key, repeated=False)
        return Launched(run, key, repeated=False)

    def _settle_earlier(self, job: str) -> None:
        """Find out what became of earlier launches of a job, or say that nobody knows yet."""
        for path, intention in self._intentions(job):
            asked_at = datetime.fromisoformat(intention["asked_at"])
            # A clock may have been set back since: what was asked for in the future is long over as well.
            if self._find(intention["key"]) is None and abs(self._now() - asked_at) < FATE_KNOWN_AFTER:
                raise FateUnknownError(intention["key"], self._seconds_left(asked_at))
            path.unlink(missing_ok=True)

    def _intend(self, job: str, key: str) -> Path:
        path = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
        write_whole(path, json.dumps({"job": job, "key": key, "asked_at": self._now().isoformat()}).encode())
        return path

    def _intentions(self, job: str) -> list[tuple[Path, dict[str, Any]]]:
        read = [(path, json.loads(path.read_text())) for path in sorted(self._folder.glob("*.json"))]
        return [(path, intention) for path, intention in read if intention["job"] == job]

    def _find(self, key: str) -> DagsterRun | None:
        runs = self._dagster.runs(tags={IDEMPOTENCY_TAG: key})
        return runs[-1] if runs else None  # a retry carries the tags of its first

    def _find_within(self, key: str, seconds: float) -> DagsterRun | None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                launched = self._find(key)
            except DagsterUnreachableError:
                launched = None
            if launched is not None or time.monotonic() >= deadline:
                return launched
            time.sleep(PAUSE_SECONDS)

    def _seconds_left(self, asked_at: datetime) -> int:
        return max(1, round((asked_at + FATE_KNOWN_AFTER - self._now()).total_seconds()))

    @staticmethod
    def _as_repeated(run: DagsterRun, launch: Launch) -> Launched:
        key = run.tags[IDEMPOTENCY_TAG]
        if run.job != launch.job:
            raise KeyReusedError(
                f"The key {key} names run {run.id} of {run.job}, not of {launch.job}", fix="Take another key."
            )
        return Launched(run, key, repeated=True)


def unfinished(dagster: DagsterClient, job: str | None = None) -> list[DagsterRun]:
    """Runs that wait or run, oldest first."""
    return dagster.runs(job=job, statuses=UNFINISHED, limit=500)[::-1]
