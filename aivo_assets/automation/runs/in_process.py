"""Runs a job in this process and shows its progress. What is printed afterwards is up to the caller."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.text import Text

from aivo_assets.automation._dagster import DagsterUserCodeProcessError
from aivo_assets.automation.runs.abandoned_runs import HELD_TAG, end_abandoned_runs, held_by_this_process
from aivo_assets.errors import AivoError, RunError, StoppedError
from aivo_assets.operations.jobs.causes import by_hand
from aivo_assets.operations.jobs.names import RANGE_END_TAG, RANGE_START_TAG

STOPPED = "What was finished is kept and nothing was promoted after that; give the command again to go on."


@dataclass(frozen=True)
class StepResult:
    """What one step did.

    Attributes:
        name: Name of the step.
        seconds: Wall-clock seconds.
        figures: Metadata of its materialisations, later ones last.
    """

    name: str
    seconds: float
    figures: Mapping[str, dg.MetadataValue]


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Attributes:
        run_id: Its id, as the UI shows it.
        steps: The steps in the order in which they ended.
        failed_checks: `asset: check (what it says)` for each asset check that did not pass.
    """

    run_id: str
    steps: list[StepResult]
    failed_checks: list[str]


def run_in_process(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    log: Path,
    days: tuple[date, date],
    cause: str,
    assets: Sequence[str] | None = None,
) -> Outcome:
    """Run a job over a range of days, in this process.

    Args:
        job: The job, with a logger `console`.
        instance: Where the run is recorded.
        log: File that takes what libraries print meanwhile.
        days: First and last day, inclusive.
        cause: Who or what asked for the run; kept as a tag.
        assets: Of the job, only these. Default: all.

    Returns:
        What was done.

    Raises:
        AivoError: A step failed; with the step's own error where it is one of ours.
    """
    tags = {RANGE_START_TAG: str(days[0]), RANGE_END_TAG: str(days[1]), **by_hand(cause).tags()}
    end_abandoned_runs(instance)
    held: dict[str, str] = {}
    try:
        with _chatter_kept(log), held_by_this_process(instance) as held:
            result = job.execute_in_process(
                instance=instance,
                run_config={"loggers": {"console": {}}},
                tags=tags | held,
                asset_selection=None if assets is None else [dg.AssetKey(name) for name in assets],
            )
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as error:
        raise StoppedError(_ended(instance, tags | held), fix=STOPPED) from error
    except (dg.DagsterError, dg.Failure) as error:
        raise _as_ours(error, job.name) from error
    return Outcome(
        run_id=result.run_id,
        steps=_steps(result.all_events),
        failed_checks=[
            f"{check.asset_key.to_user_string()}: {check.check_name}"
            + (f" ({description})" if (description := check.description) else "")
            for check in result.get_asset_check_evaluations()
            if not check.passed
        ],
    )


def progress_logger(console: Console) -> dg.LoggerDefinition:
    """A Dagster logger that prints a line as a step begins, what it says meanwhile, and one as it ends."""

    def progress(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("aivo.progress", level=logging.DEBUG)  # Dagster logs a step's begin as detail
        logger.addHandler(_ProgressHandler(console))
        return logger

    return dg.LoggerDefinition(progress, description="Progress for a person at a terminal.")


def _ended(instance: dg.DagsterInstance, tags: Mapping[str, str]) -> str:
    """What became of a run of this process that was told to end; it is recorded as cancelled, never as failed."""
    mine = (
        instance.get_runs(filters=dg.RunsFilter(tags={HELD_TAG: tags[HELD_TAG]}), limit=1) if HELD_TAG in tags else []
    )
    for run in mine:
        if run.status != dg.DagsterRunStatus.CANCELED:
            instance.report_run_canceled(run, "It was told to end.")
        return f"Stopped as asked: run {run.run_id} of {run.job_name} is recorded as cancelled"
    return "Stopped as asked, before a run was recorded"


@contextmanager
def _chatter_kept(log: Path) -> Iterator[None]:
    """What libraries print goes to a file; the terminal is for progress."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file, redirect_stdout(file):
        yield


def _as_ours(error: BaseException, job: str) -> AivoError:
    """The error of ours behind what Dagster raised, or one that tells where to look."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AivoError):
            return cause
        cause = cause.__cause__
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, DagsterUserCodeProcessError) and error.user_code_process_error_infos:
        info = error.user_code_process_error_infos[0]  # "Exceeded max_retries" hides what it was
        while info.cause is not None:
            info = info.cause
        message = info.message.strip()
    return RunError(f"Job {job} failed: {message}", fix="The run's page in `aivo up` shows the failed step.")


def _steps(events: Sequence[dg.DagsterEvent]) -> list[StepResult]:
    figures: dict[str, dict[str, dg.MetadataValue]] = {}
    ended = []
    for event in events:
        if event.step_key is None:
            continue
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            figures.setdefault(event.step_key, {}).update(event.step_materialization_data.materialization.metadata)
        if event.event_type == dg.DagsterEventType.STEP_SUCCESS:
            ended.append((event.step_key, event.step_success_data.duration_ms / 1000))
    return [StepResult(name, seconds, figures.get(name, {})) for name, seconds in ended]


class _ProgressHandler(logging.Handler):
    """Prints Dagster's events as progress."""

    def __init__(self, console: Console) -> None:
        super().__init__(level=logging.DEBUG)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record, if it is news to a person."""
        event: dg.DagsterEvent | None = getattr(record, "dagster_event", None)
        if event is None:
            if record.levelno < logging.INFO:
                return
            meta = getattr(record, "dagster_meta", {})
            self._print(("           " + str(meta.get("orig_message", record.getMessage())), "dim"))
        elif event.event_type == dg.DagsterEventType.STEP_START:
            at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")  # noqa: DTZ006 - the reader's own clock
            self._print((at, "dim"), f"   {event.step_key} …")
        elif event.event_type == dg.DagsterEventType.STEP_SUCCESS:
            seconds = event.step_success_data.duration_ms / 1000
            self._print("           ", ("✓", "green"), f" {event.step_key} ", (f"{seconds:.1f} s", "dim"))
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE:
            self._print("           ", ("✗", "red"), f" {event.step_key}")

    def _print(self, *parts: str | tuple[str, str]) -> None:
        """Print words, some with a style; nothing in them is markup."""
        self._console.print(Text.assemble(*parts), highlight=False)
