"""When people are told. Belongs here: pure rules, from what was found to an alert or None; nothing is read or sent.

Each rule says in its key which matter it is about, so that repeats fold together, and in its occurrence which time.
No alert carries a raw identifier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from aivo_assets.operations.alerts.alert import Alert
from aivo_assets.operations.jobs.causes import CAUSE_TAG
from aivo_assets.operations.jobs.names import TRAINING_JOBS, TRAINING_STEPS
from aivo_assets.tracing.judging.promotion import ONE_OUTCOME, Verdict
from aivo_assets.tracing.judging.verdicts import was_worse


@dataclass(frozen=True)
class Intake:
    """What arrived in some time.

    Attributes:
        rows: Rows that were judged.
        set_aside: Rows of them with a problem.
    """

    rows: int
    set_aside: int


def drift_alert(row: Mapping[str, Any], now: datetime) -> Alert:
    """A model drifted so far that it is retrained at once.

    Args:
        row: Row of DRIFT_VERDICTS whose verdict is `alert`.
        now: The present instant, UTC.
    """
    return Alert(
        title=f"{row['model_id']} drifted",
        body=row["reason"],
        severity="critical",
        key=f"drift:{row['model_id']}",
        context={"day": str(row["day"]), "score": f"{row['score']:.3f}", "version": row["model_version"]},
        occurred_at=now,
        occurrence=f"{row['day']} {row['model_version']}",
    )


MOST_CAUSES: Final = 3
"""Of a run in which more steps failed; `aivo why` tells all of them."""


def failed_run_alert(
    run_id: str,
    job: str,
    tags: Mapping[str, str],
    steps: Sequence[str],
    now: datetime,
    *,
    causes: Sequence[str] = (),
) -> Alert:
    """A run failed, after every retry; a failed training is the graver one.

    A run that trains among other things failed as a training only where a step of the training failed, or its process
    died.

    Args:
        run_id: Its id.
        job: Its job.
        tags: Its tags.
        steps: Steps that failed; none where the process died.
        now: The present instant, UTC.
        causes: Why, a sentence each, without anything of raw rows.
    """
    why = "".join(f" {cause}" for cause in causes[:MOST_CAUSES])
    training = job in TRAINING_JOBS and (not steps or not TRAINING_STEPS.isdisjoint(steps))
    where = ", ".join(steps) or "no step"
    return Alert(
        title=f"{'Training' if training else 'Run'} of {job} failed",
        body=f"Run {run_id} failed in {where}; it was started by {tags.get(CAUSE_TAG, 'hand')}.{why} "
        f"See: aivo why {run_id}",
        severity="critical" if training else "error",
        key=f"run_failure:{job}:{where}",
        context={"run_id": run_id, "job": job},
        occurred_at=now,
        occurrence=run_id,
    )


def refused_twice(refused: Sequence[Verdict], now: datetime) -> Alert | None:
    """Two challengers in a row were refused.

    A challenger that is not surely better is the ordinary case between two changes of the school, so that is a warning,
    and one for the whole row; one that is surely worse, in all or for a group, is an error, and told each time.

    Args:
        refused: Refusals since the last promotion, the newest first.
        now: The present instant, UTC.
    """
    if len(refused) < 2:
        return None
    worse = any(was_worse(verdict) for verdict in refused[:2])
    return Alert(
        title=f"{len(refused)} challengers in a row were refused",
        body=f"The champion stays. The last one: {refused[0].reason}",
        severity="error" if worse else "warning",
        key="refused:main_brain",
        context={"refused": len(refused), "since": f"{refused[-1].decided_at:%Y-%m-%d}"},
        occurred_at=now,
        occurrence=refused[0 if worse else -1].challenger.fingerprint,
    )


def one_outcome(verdict: Verdict | None, now: datetime) -> Alert | None:
    """A challenger was to be judged on answers that all came out the same.

    Args:
        verdict: The one that was given last, if any was.
        now: The present instant, UTC.
    """
    findings = [] if verdict is None else [each for each in verdict.findings if each.check in ONE_OUTCOME]
    concerned = [each for each in findings if not each.passed or each.check == "days of one outcome"]
    if verdict is None or not concerned:
        return None
    outcome = "was promoted on the others" if verdict.promote else "was not promoted"
    return Alert(
        title="Answers all came out the same",
        body=f"{concerned[0].sentence[0].upper()}{concerned[0].sentence[1:]}. The challenger as of "
        f"{verdict.challenger.as_of} {outcome}. Does a client record every answer as right, or every one as wrong? "
        "Correct it there, land these days again, and train again.",
        severity="error",
        key="one_outcome",
        context={"as of": str(verdict.challenger.as_of)},
        occurred_at=now,
        occurrence=verdict.challenger.fingerprint,
    )


def too_much_set_aside(intake: Intake, limit: float, minimum_rows: int, now: datetime) -> Alert | None:
    """More of a day's rows were set aside than usual.

    Args:
        intake: What arrived in the last 24 hours.
        limit: Share of its rows that alerts.
        minimum_rows: Fewer rows say nothing.
        now: The present instant, UTC.
    """
    if intake.rows < minimum_rows or intake.set_aside <= limit * intake.rows:
        return None
    share = intake.set_aside / intake.rows
    return Alert(
        title=f"{share:.1%} of the rows were set aside",
        body=f"{intake.set_aside:,} of {intake.rows:,} rows of the last 24 hours could not be kept; "
        f"more than {limit:.0%}. The asset quarantine counts the reasons.",
        severity="error",
        key="quarantine",
        context={"rows": intake.rows, "set_aside": intake.set_aside},
        occurred_at=now,
        occurrence=f"{now:%Y-%m-%d}",
    )


def no_data(last: datetime | None, now: datetime, hours: float) -> Alert | None:
    """No new answer arrived for too long.

    Args:
        last: When the last new answer landed, UTC; None where none ever did, which is a platform not yet in use.
        now: The present instant, UTC.
        hours: How long may be too long.
    """
    if last is None or now - last <= timedelta(hours=hours):
        return None
    return Alert(
        title="No data is arriving",
        body=f"The last new answer landed on {last:%Y-%m-%d %H:%M} UTC, {(now - last).days} days ago. "
        "Is it a holiday, or is the source silent?",
        severity="error",
        key="no_data",
        context={"last": last.isoformat()},
        occurred_at=now,
        occurrence=f"{now:%Y-%m-%d}",
    )


def damaged_raw(damaged: Sequence[str], now: datetime) -> Alert | None:
    """Files of the raw zone were cut short or are gone; it is the only copy of what arrived.

    Args:
        damaged: What `lake.damage.damaged_files` says of each.
        now: The present instant, UTC.
    """
    if not damaged:
        return None
    return Alert(
        title=f"{len(damaged)} files of raw answers are damaged",
        body="The source is read again for their days, once, and a day that it still gives whole is mended by itself. "
        "A day that stays damaged needs its file back from a backup, at the same place; until then what was made of "
        f"it is used on, and new answers of that day wait. {'; '.join(damaged[:5])}{' …' if damaged[5:] else ''}",
        severity="critical",
        key="damaged_raw",
        context={"files": len(damaged)},
        occurred_at=now,
        occurrence=f"{now:%Y-%m-%d}",
    )


def no_champion_can_serve(problems: Sequence[str], now: datetime) -> Alert | None:
    """There were champions, and none of them can serve.

    Args:
        problems: What is wrong with each, the latest first; none where one serves, or there never was one.
        now: The present instant, UTC.
    """
    if not problems:
        return None
    return Alert(
        title="No champion can serve",
        body=f"{'; '.join(problems[:3])}{' …' if problems[3:] else ''}. Student models and recommendations stay as "
        "they were last made, and age. Where a setting was changed, set it back; otherwise train a main brain: "
        "aivo train main-brain.",
        severity="critical",
        key="no_champion_can_serve",
        context={"champions": len(problems)},
        occurred_at=now,
        occurrence=f"{now:%Y-%m-%d}",
    )


def stale_champion(version: int, as_of: date, now: datetime, days: int) -> Alert | None:
    """The champion is older than a challenger ever has to be good to replace it.

    Args:
        version: Its version.
        as_of: The last day that it knows.
        now: The present instant, UTC.
        days: Age that alerts.
    """
    age = (now.date() - as_of).days
    if age <= days:
        return None
    return Alert(
        title="The champion is stale",
        body=f"Version {version} of the main brain knows nothing after {as_of}, {age} days ago. "
        "Its challengers are refused or not trained: aivo registry history, aivo alerts list.",
        severity="warning",
        key="stale_champion",
        context={"version": version, "age": age},
        occurred_at=now,
        occurrence=f"{now:%Y-%m-%d}",
    )


def backlog(queued: Sequence[datetime], now: datetime, minutes: float) -> Alert | None:
    """Runs wait in the queue for too long.

    Args:
        queued: Since when each run in the queue waits, UTC.
        now: The present instant, UTC.
        minutes: How long may be too long.
    """
    late = [since for since in queued if now - since > timedelta(minutes=minutes)]
    if not late:
        return None
    longest = (now - min(late)).total_seconds() / 60
    return Alert(
        title=f"{len(late)} runs are waiting",
        body=f"{len(late)} of {len(queued)} queued runs wait for longer than {minutes:g} minutes, "
        f"one for {longest:.0f}. A run may hang, or the machine is too small.",
        severity="error",
        key="backlog",
        context={"queued": len(queued), "late": len(late)},
        occurred_at=now,
        occurrence=f"{now:%Y-%m-%dT%H}",
    )
