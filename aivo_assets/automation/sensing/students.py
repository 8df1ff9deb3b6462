"""Student models that changed recommendations ask for."""

import dagster as dg

from aivo_assets.adaptive.advice.plans import outdated
from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.automation.guards import under_way
from aivo_assets.automation.runs.attempts import next_attempt
from aivo_assets.automation.runs.evidence import run_that_made
from aivo_assets.automation.sensing.tick import MACHINE, Tick, request, skip
from aivo_assets.lake import Lake
from aivo_assets.operations.jobs.causes import Cause
from aivo_assets.resources.clock import Clock


def update_students(context: dg.SensorEvaluationContext, lake: Lake, *, machine: Clock = MACHINE) -> Tick:
    """Ask for the models whose level or plan differs from the newest recommendations.

    The run finds the learners itself, by the recommendations of its day: they may be more than a tag holds.
    """
    days = lake.days(RECOMMENDATIONS)
    if not days:
        return dg.SkipReason("There are no recommendations yet.")
    day, version = days[-1], lake.version(RECOMMENDATIONS, days=days[-1:])
    attempt = next_attempt(context.instance, f"recommendations:{day}:{version}", machine.now())
    if attempt is None or (version == context.cursor and attempt.failed is None):
        return skip(f"The recommendations of {day} were dealt with.", version)
    running = under_way(context.instance, ("student_model_update",))
    if running is not None:
        return dg.SkipReason(f"Run {running} of student_model_update is still under way.")
    learners = outdated(lake, day=day).height
    if not learners:
        return skip(f"The recommendations of {day} changed no level and no plan of a student model.", version)
    cause = Cause(
        kind="recommendations",
        by="student_model_update",
        sentence=f"the recommendations of {day} changed a level or a plan of "
        f"{learners} {'learner' if learners == 1 else 'learners'}{attempt.sentence}",
        evidence=f"{day}@{version}",
        run=run_that_made(context.instance, "recommendations", day.isoformat()),
    )
    return dg.SensorResult(run_requests=[request(attempt, day, cause, "student_models")], cursor=version)
