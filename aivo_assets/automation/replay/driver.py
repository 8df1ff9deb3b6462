"""Drives the real definitions tick by tick, with the replay's clock. Belongs here: which tick or run comes next.

What a tick answers is the schedule's or sensor's own business, what a run does is the job's. A run takes no time on the
replay's clock: it is over before anything else looks. Between two ticks of schedules nothing changes but the clock, so
sensors look at each tick and after each run, until none of them asks for anything more; and once more whenever a guard
of so many hours ends.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import dagster as dg

from aivo_assets.automation._dagster import schedule_execution_time_iterator
from aivo_assets.automation.guards import last_training
from aivo_assets.automation.replay.execution import Done, days_named, execute, silent_logger
from aivo_assets.automation.schedules import ABOUT_PEOPLE
from aivo_assets.lake import open_lake
from aivo_assets.operations.alerts.alert import Alert, Delivery
from aivo_assets.operations.alerts.outbox import Outbox
from aivo_assets.operations.jobs.causes import CAUSE_TAG
from aivo_assets.operations.jobs.names import PARTITION_TAG
from aivo_assets.replay.clock import ReplayClock
from aivo_assets.replay.feed import Feed
from aivo_assets.replay.outcomes import Outcomes
from aivo_assets.replay.record import Alerted, RunCost, RunMade, Ticks
from aivo_assets.replay.ticks import Tick, UpToDate, in_order
from aivo_assets.resources.clock import Clock
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.judging.verdicts import refused_in_a_row

DOCUMENTS = ("drift_report", "main_brain_card", "policy_evaluation")
"""Assets for people to read, which nothing else reads; what is replayed changes nothing in the last."""
MOST_LOOKS = 20
"""Rounds of sensors at one instant, each after a run that another sensor asked for. More would be a loop."""


class BuildDefinitions(Protocol):
    """What builds the definitions that are replayed; `aivo_assets.definitions.build_definitions` is one."""

    def __call__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        resources: Mapping[str, dg.ResourceDefinition],
        loggers: Mapping[str, dg.LoggerDefinition],
    ) -> dg.Definitions:
        """Build them around a clock, with these resources and loggers in place of their own."""


class Driver:
    """Plays the daemon.

    Args:
        build: Builds the definitions.
        settings: Of the replayed platform; its home is the replay's own.
        feed: What arrives.
        instance: Where runs are recorded.
        every_tick: Also make runs that could change nothing.
        documents: Also make the reports for people.
    """

    def __init__(
        self,
        build: BuildDefinitions,
        settings: Settings,
        feed: Feed,
        instance: dg.DagsterInstance,
        *,
        every_tick: bool,
        documents: bool,
    ) -> None:
        self._settings, self._feed, self._instance = settings, feed, instance
        self._every_tick, self._left_out = every_tick, () if documents else DOCUMENTS
        self.clock = ReplayClock(feed.first_at)
        self._told = _Told(self.clock)
        outbox = Outbox(
            settings.home / "alerts",
            [self._told],
            remind=timedelta(hours=settings.alerts.remind_hours),
            keep=timedelta(days=settings.alerts.keep_days),
        )
        self._definitions = build(
            settings,
            clock=self.clock,
            resources={name: dg.ResourceDefinition.hardcoded_resource(outbox) for name in ("notifier", "outbox")},
            loggers={"console": silent_logger()},
        )
        self._repository = self._definitions.get_repository_def()
        sensors = self._repository.sensor_defs
        self._of_failures = [each for each in sensors if isinstance(each, dg.RunStatusSensorDefinition)]
        self._sensors = [each for each in sensors if not isinstance(each, dg.RunStatusSensorDefinition)]
        self.outcomes = Outcomes(open_lake(settings), Registry(settings.home, settings.models_database))
        self.runs: list[RunMade] = []
        self.costs: list[RunCost] = []
        self.ticks: dict[str, Ticks] = {}
        self._standing = UpToDate()
        self._cursors: dict[str, str | None] = {}
        self._keys: set[tuple[str, str]] = set()
        self._ids: dict[str, str] = {}

    @property
    def alerts(self) -> list[Alerted]:
        """Alerts so far; a run's id is replaced by its number, which is the same in every replay."""
        return [each.model_copy(update={"body": self._numbered(each.body)}) for each in self._told.alerts]

    def play(self, first: datetime, until: datetime, say: Callable[[Tick], None]) -> None:
        """Let the time pass from one instant up to another, without it.

        Args:
            first: The earliest tick; a tick before the first event is left out, for there is nothing to read.
            until: The first instant that is not replayed any more.
            say: Told of each tick before it is made.
        """
        start = max(first, self._feed.first_at)
        schedules = {each.name: each for each in self._repository.schedule_defs if each.name not in ABOUT_PEOPLE}
        times = {
            name: (
                at.astimezone(UTC)
                for at in schedule_execution_time_iterator(
                    start.timestamp(), schedule.cron_schedule, schedule.execution_timezone
                )
            )
            for name, schedule in schedules.items()
        }
        for tick in in_order(times, until=until):
            for instant in self._ends_of_guards(tick.at):
                self._at(instant)
                self._look()
            say(tick)
            self._at(tick.at)
            self._evaluate(schedules[tick.schedule])
            self._look()

    def _at(self, instant: datetime) -> None:
        self.clock.advance(instant)
        self._feed.show(instant)

    def _ends_of_guards(self, before: datetime) -> list[datetime]:
        """When, from now up to a tick, a guard of so many hours ends and a sensor that waits for it would ask."""
        if self.clock.now() >= before:  # another tick of the same instant
            return []
        trained, refused = last_training(self._instance), refused_in_a_row(self.outcomes.lake)
        ends = [] if trained is None else [trained + timedelta(hours=self._settings.training.minimum_hours_between)]
        if refused:
            cooling = timedelta(hours=self._settings.schedule.refusal_cooldown_hours)
            ends.append(refused[0].decided_at + cooling)
        return sorted(end for end in ends if self.clock.now() < end < before)

    def _evaluate(self, schedule: dg.ScheduleDefinition) -> None:
        context = _ScheduleContext(self._instance, self.clock.now(), self._repository)
        try:
            answer = schedule.evaluate_tick(context)
        except dg.DagsterError as error:  # the daemon writes it down and goes on
            self._failed_tick(schedule.name, error)
            return
        if not answer.run_requests:
            self._count(schedule.name, skipped=1)
        self._make(schedule.name, schedule.job_name, answer.run_requests or ())

    def _look(self) -> None:
        """Let every sensor look, again and again while one of them asks for a run."""
        for _ in range(MOST_LOOKS):
            made = [self._looks(sensor) for sensor in self._sensors]  # each of them looks, whatever the others ask for
            if not any(made):
                return
        self._count("rounds of sensors cut short", skipped=1)

    def _looks(self, sensor: dg.SensorDefinition) -> bool:
        """One look of one sensor; whether it made a run."""
        context = dg.build_sensor_context(
            instance=self._instance,
            cursor=self._cursors.get(sensor.name),
            repository_def=self._repository,
            sensor_name=sensor.name,
            resources=self._given(sensor),
        )
        try:
            with context:
                answer = sensor.evaluate_tick(context)
        except dg.DagsterError as error:
            self._failed_tick(sensor.name, error)
            return False
        if not answer.run_requests:
            self._count(sensor.name, skipped=1)
        job = sensor.job_name if len(sensor.targets) == 1 else None
        made = self._make(sensor.name, job, answer.run_requests or ())
        for event in answer.asset_events or ():
            self._instance.report_runless_asset_event(event)
        self._cursors[sensor.name] = answer.cursor
        return made

    def _make(self, by: str, job: str | None, requests: Sequence[dg.RunRequest]) -> bool:
        """Make the runs that were asked for and are not made yet; whether there was one."""
        made = False
        for request in requests:
            if request.run_key is not None and (by, request.run_key) in self._keys:
                continue
            if request.run_key is not None:
                self._keys.add((by, request.run_key))
            name = request.job_name or job
            assert name is not None, f"{by} asks for a run and names no job"
            made |= self._run(by, name, request)
        return made

    def _run(self, by: str, job: str, request: dg.RunRequest) -> bool:
        tags = dict(request.tags)
        if request.partition_key is not None:
            tags[PARTITION_TAG] = request.partition_key
        days, arrived = days_named(tags), self._feed.arrived
        named = "" if days is None else str(days[0]) if days[0] == days[1] else f"{days[0]} to {days[1]}"
        whole = request.asset_selection is None
        if whole and not self._every_tick and self._standing.would_change_nothing(job, named, arrived):
            self._count(by, asked=1, same=1)
            return False
        self._count(by, asked=1)
        done = execute(
            self._definitions.resolve_job_def(job), self._instance,
            tags=tags, assets=request.asset_selection, leave_out=self._left_out,
        )  # fmt: skip
        self._ids[done.run.run_id] = f"number {len(self.runs) + 1}"
        self._write_down(by, job, named, tags.get(CAUSE_TAG, ""), done)
        if done.failure is None and whole:
            self._standing.ran(job, named, arrived)
        else:
            self._standing.upset()
        if done.failure is not None:
            self._tell_of_failure(done)
        if days is not None:
            cause = self._numbered(tags.get(CAUSE_TAG, by))
            self.outcomes.note(done.made, day=days[1], at=self.clock.now(), cause=cause)
        return True

    def _write_down(self, by: str, job: str, days: str, cause: str, done: Done) -> None:
        at = self.clock.now()
        self.runs.append(
            RunMade(
                at=at, job=job, asked_by=by, cause=self._numbered(cause), days=days,
                success=done.failure is None, failure=self._numbered(done.problem),
            )
        )  # fmt: skip
        self.costs.append(RunCost(at=at, job=job, wall=done.wall, cpu=done.cpu, steps=dict(done.steps)))

    def _failed_tick(self, name: str, error: Exception) -> None:
        problem = self._numbered(f"the tick itself: {type(error).__name__}: {error.__cause__ or error}")
        self.runs.append(
            RunMade(
                at=self.clock.now(), job="none", asked_by=name, cause="", days="", success=False, failure=problem[:300]
            )
        )

    def _tell_of_failure(self, done: Done) -> None:
        """Let the sensors of failed runs see it."""
        assert done.failure is not None
        for sensor in self._of_failures:
            context = dg.build_run_status_sensor_context(
                sensor_name=sensor.name,
                dagster_event=done.failure,
                dagster_instance=self._instance,
                dagster_run=done.run,
                resources=self._given(sensor),
                repository_def=self._repository,
            )
            sensor(context.for_run_failure())

    def _given(self, sensor: dg.SensorDefinition) -> dict[str, object]:
        everything = self._repository.get_top_level_resources()
        return {name: everything[name] for name in sensor.required_resource_keys}

    def _count(self, name: str, **more: int) -> None:
        counted = self.ticks.get(name, Ticks())
        self.ticks[name] = counted.model_copy(
            update={field: getattr(counted, field) + number for field, number in more.items()}
        )

    def _numbered(self, text: str) -> str:
        for run_id, number in self._ids.items():
            text = text.replace(run_id, number)
        return text


class _ScheduleContext(dg.ScheduleEvaluationContext):
    """What a schedule is given; Dagster's own builder takes no instance that lies in memory."""

    def __init__(self, instance: dg.DagsterInstance, at: datetime, repository: dg.RepositoryDefinition) -> None:
        super().__init__(
            instance_ref=None, scheduled_execution_time=at, repository_name=None, schedule_name=None,
            repository_def=repository,
        )  # fmt: skip
        self._given = instance

    @property
    def instance(self) -> dg.DagsterInstance:
        """The replay's instance."""
        return self._given


class _Told:
    """A way for alerts that leads nowhere but here: a replay must wake nobody."""

    name = "replay"

    def __init__(self, clock: ReplayClock) -> None:
        self._clock = clock
        self.alerts: list[Alerted] = []

    def send(self, alert: Alert) -> Delivery:
        """Keep one alert."""
        alerted = Alerted(at=self._clock.now(), severity=alert.severity, title=alert.title, body=alert.body)
        self.alerts.append(alerted)
        return Delivery(delivered=True)
