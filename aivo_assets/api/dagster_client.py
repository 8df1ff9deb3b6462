"""A client of Dagster's GraphQL over HTTP. Belongs here: sending a query, reading its answer, and what went wrong.

A question that only reads may be asked again. A launch may not: after a timeout or an error of the server nobody knows
whether the run exists, so that is an error of its own, and the caller looks the run up by a tag.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from aivo_assets.api import questions
from aivo_assets.errors import ServiceError
from aivo_assets.operations.jobs.names import LOCATION, REPOSITORY

UNFINISHED: Final = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")
_SELECTOR: Final = {"repositoryName": REPOSITORY, "repositoryLocationName": LOCATION}
_FIX: Final = "Start the platform (aivo up), or set AIVO_API_DAGSTER_URL to where Dagster's web UI listens."


class DagsterUnreachableError(ServiceError):
    """Dagster's web UI does not answer, or not with what was asked for."""


class LaunchUncertainError(ServiceError):
    """A launch was asked for and not confirmed: the run may exist or not."""


class LaunchRefusedError(ServiceError):
    """Dagster read the launch and made no run of it."""


@dataclass(frozen=True)
class DagsterRun:
    """A run as Dagster tells of it.

    Attributes:
        id: Its id.
        job: Its job.
        status: Dagster's word, such as STARTED or SUCCESS.
        tags: All of its tags.
        assets: Names of the assets that it is narrowed to; None for all of its job.
        created, started, ended: Unix seconds; None where it has not come to that.
    """

    id: str
    job: str
    status: str
    tags: Mapping[str, str]
    assets: tuple[str, ...] | None
    created: float
    started: float | None
    ended: float | None


class DagsterClient:
    """A door to Dagster's web UI.

    Args:
        url: Where the web UI listens.
        timeout_seconds: Longest wait for one answer.
    """

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._url = f"{url.rstrip('/')}/graphql"
        self._timeout = timeout_seconds

    def run(self, run_id: str) -> DagsterRun | None:
        """One run; None where there is none of this id."""
        answer = self._ask(questions.RUN, {"id": run_id})["runOrError"]
        if answer["__typename"] == "RunNotFoundError":
            return None
        return _run(self._of_type(answer, "Run"))

    def runs(
        self,
        *,
        job: str | None = None,
        statuses: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        limit: int = 25,
    ) -> list[DagsterRun]:
        """Runs that match all that is given, the newest first."""
        wanted: dict[str, Any] = {"tags": [{"key": key, "value": value} for key, value in (tags or {}).items()]}
        if job is not None:
            wanted["pipelineName"] = job
        if statuses:
            wanted["statuses"] = list(statuses)
        answer = self._ask(questions.RUNS, {"filter": wanted, "limit": limit})["runsOrError"]
        return [_run(each) for each in self._of_type(answer, "Runs")["results"]]

    def schedules(self) -> list[dict[str, Any]]:
        """Schedules: `name`, `pipelineName`, `cronSchedule`, `executionTimezone`, `status`, `next` (Unix seconds)."""
        answer = self._ask(questions.SCHEDULES, {"selector": _SELECTOR})["schedulesOrError"]
        return [
            {
                **{name: each[name] for name in ("name", "pipelineName", "cronSchedule", "executionTimezone")},
                "status": each["scheduleState"]["status"],
                "next": next((tick["timestamp"] for tick in each["futureTicks"]["results"]), None),
            }
            for each in self._of_type(answer, "Schedules")["results"]
        ]

    def load_error(self) -> str | None:
        """Why Dagster could not load the definitions; None where it has, or is at it."""
        answer = self._of_type(self._ask(questions.LOCATIONS, {})["workspaceOrError"], "Workspace")
        for entry in answer["locationEntries"]:
            outcome = entry["locationOrLoadError"] or {}
            if outcome.get("__typename") == "PythonError":
                chain = [each["error"]["message"] for each in outcome["errorChain"]]
                return str((chain or [outcome["message"]])[-1]).strip()
        return None

    def end_code_server(self) -> None:
        """Ask the code server to end once its runs have ended; until then it takes no new ones.

        Raises:
            DagsterUnreachableError: The web UI does not answer, or does not pass it on.
        """
        answer = self._ask(questions.END_CODE_SERVER, {"location": LOCATION})["shutdownRepositoryLocation"]
        self._of_type(answer, "ShutdownRepositoryLocationSuccess")

    def unhealthy_daemons(self) -> list[str]:
        """Names of the daemons that are needed and give no sign of life."""
        statuses = self._ask(questions.DAEMONS, {})["instance"]["daemonHealth"]["allDaemonStatuses"]
        return [each["daemonType"] for each in statuses if each["required"] and not each["healthy"]]

    def latest_metadata(self, asset: str) -> dict[str, str]:
        """Texts in the metadata of an asset's latest materialisation; empty where there is none."""
        answer = self._ask(questions.LATEST, {"key": {"path": [asset]}})["assetOrError"]
        events = answer.get("assetMaterializations") or []
        return {
            entry["label"]: entry["text"] for event in events for entry in event["metadataEntries"] if "text" in entry
        }

    def launch(self, job: str, tags: Mapping[str, str]) -> DagsterRun:
        """Start a run of a job.

        Raises:
            DagsterUnreachableError: Nobody listens, so nothing was started.
            LaunchRefusedError: Dagster read it and said no.
            LaunchUncertainError: No word on whether the run exists.
        """
        parameters = {
            "selector": {"jobName": job, **_SELECTOR},
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        try:
            answer = self._ask(questions.LAUNCH, {"parameters": parameters})["launchRun"]
        except httpx.ConnectError as error:
            raise DagsterUnreachableError(f"Dagster does not answer at {self._url}: {error}", fix=_FIX) from error
        except (httpx.HTTPError, DagsterUnreachableError) as error:
            raise LaunchUncertainError(
                f"The launch of {job} was not confirmed: {type(error).__name__}", fix="Look the run up by its tag."
            ) from error
        if answer["__typename"] == "LaunchRunSuccess":
            return _run(answer["run"])
        problem = answer.get("message") or answer["__typename"]
        if answer["__typename"] == "PythonError":  # it may have come after the run was made
            raise LaunchUncertainError(
                f"The launch of {job} ended in an error: {problem}", fix="Look it up by its tag."
            )
        raise LaunchRefusedError(f"Dagster does not launch {job}: {problem}", fix="See the log of Dagster's web UI.")

    def _ask(self, question: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        launching = question is questions.LAUNCH
        try:
            response = httpx.post(
                self._url, json={"query": question, "variables": dict(variables)}, timeout=self._timeout
            )
            response.raise_for_status()
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            if launching and isinstance(error, httpx.HTTPError):
                raise
            raise DagsterUnreachableError(f"Dagster does not answer at {self._url}: {error}", fix=_FIX) from error
        if answer.get("errors") or not isinstance(answer.get("data"), dict):
            raise DagsterUnreachableError(f"Dagster could not answer: {answer.get('errors')}", fix=_FIX)
        data: dict[str, Any] = answer["data"]
        return data

    @staticmethod
    def _of_type(answer: dict[str, Any], expected: str) -> dict[str, Any]:
        if answer["__typename"] != expected:
            problem = answer.get("message") or answer["__typename"]
            raise DagsterUnreachableError(f"Dagster answers, but not with {expected}: {problem}", fix=_FIX)
        return answer


def _run(fields: Mapping[str, Any]) -> DagsterRun:
    return DagsterRun(
        id=fields["runId"],
        job=fields["jobName"],
        status=fields["status"],
        tags={tag["key"]: tag["value"] for tag in fields["tags"]},
        assets=None if not fields["assetSelection"] else tuple(key["path"][-1] for key in fields["assetSelection"]),
        created=fields["creationTime"],
        started=fields["startTime"],
        ended=fields["endTime"],
    )
