"""Stage 5, the main brain: a challenger, its evaluation against the champion, and the promotion that obeys it."""

from datetime import date

import dagster as dg
import polars as pl

from aivo_assets.assets.brain.features import training_days
from aivo_assets.assets.brain.hyperparameters import training_settings
from aivo_assets.assets.champion import serving_champion, why_none
from aivo_assets.assets.describe import FRESH_HOURS, daily_asset, fresh_within, picture, step_log
from aivo_assets.assets.stored import (
    answers_of_training,
    ensure_training,
    published_attributes,
    stored_sampling,
    stored_training,
)
from aivo_assets.assets.upstream import read
from aivo_assets.automation.jobs import CAUSE_TAG
from aivo_assets.automation.partitions import as_of
from aivo_assets.drift.schema import DRIFT_REFERENCE
from aivo_assets.drift.scores.scored_events import scored_events
from aivo_assets.errors import ModelError, RunError
from aivo_assets.lake import Dataset, Lake
from aivo_assets.operations.jobs.names import TRAINED_AT, TRAINED_OF
from aivo_assets.privacy.erasure.remembering import remembered_by
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import Clock
from aivo_assets.settings import Settings
from aivo_assets.tracing.card.plots import days_png, reliability_png
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.judging.evaluation import evaluate, hold_out
from aivo_assets.tracing.judging.promotion import Contender, Verdict, decide
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.judging.verdicts import VERDICTS
from aivo_assets.tracing.model.main_brain import MadeBy, MainBrain, fingerprint, fit_main_brain
from aivo_assets.tracing.model.provenance import code_version
from aivo_assets.tracing.model.training import TRAINING_FEATURES, TrainingSet
from aivo_assets.tracing.model.trees.boosting import Progress

CANDIDATES = Dataset("main_brain/candidates", {"day": pl.Date, "version": pl.Int64}, unit="day")


@daily_asset(
    "main_brain",
    deps=["training_features", "population_statistics", "anonymised_learners", "main_brain_hyperparameters"],
    description="A newly trained main brain, calibrated on later events than it was fitted on, kept in the registry as "
    "challenger. The same data, settings and code make the same model, which is then not fitted again.",
    kinds={"lightgbm", "mlflow"},
    freshness_policy=fresh_within(hours=2 * FRESH_HOURS, warn=FRESH_HOURS),
    pool="main_brain",
)
def main_brain_candidate(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Fit a challenger as of the last day of this run."""
    day = as_of(context)
    settings = settings.model_copy(update={"training": training_settings(lake, day, settings)})
    ensure_training(lake, day, settings)
    # Before the features are read: what is written meanwhile is not what this was made of.
    made_by = MadeBy(
        data_versions={TRAINING_FEATURES.path: lake.version(TRAINING_FEATURES, days=[day])}, code_version=code_version()
    )
    trained_of, trained_on = answers_of_training(lake, day), stored_sampling(lake, day)
    training = stored_training(lake, day, settings)
    version = registry.kept(fingerprint(training.table.schema, training.statistics, settings.training, made_by))
    if version is None:
        brain = _fit(context, training, settings, made_by)
        evaluation = evaluate(
            brain, training.table, training.split, settings.promotion, attributes=published_attributes(lake)
        )
        version = registry.register(
            brain, evaluation, as_of=day, now=clock.now(), pictures={"reliability.png": reliability_png(evaluation)}
        )
    else:
        context.log.info(
            f"Version {version.number} was made of the same data, settings and code; it is not fitted again."
        )
    lake.write(CANDIDATES, pl.DataFrame([(day, version.number)], schema=dict(CANDIDATES.schema), orient="row"), day=day)
    evaluation = registry.evaluation(version.number)
    return dg.MaterializeResult(
        metadata={
            "rows_in": training.split.fit.size + training.split.calibrate.size,
            "rows_out": 1,
            "trained on": trained_on or "all answers of the training window",
            "version": version.number,
            TRAINED_AT: clock.now().isoformat(),
            TRAINED_OF: trained_of,
            **{name: round(value, 4) for name, value in evaluation.metrics().items()},
            "calibration": picture(reliability_png(evaluation)),
            "log loss by day": picture(days_png(evaluation)),
        },
        data_version=dg.DataVersion(version.fingerprint),
    )


@daily_asset(
    "main_brain",
    deps=["main_brain_candidate", "champion_shadow", "anonymised_interactions"],
    description="Challenger and champion on the same later events, which neither has seen: the difference learner by "
    "learner, calibration and every group, and the verdict in a sentence.",
    kinds={"scikitlearn"},
)
def main_brain_evaluation(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Judge the challenger that was made as of the last day of this run."""
    day = as_of(context)
    training = stored_training(lake, day, settings)
    version = registry.version(candidate(lake, day))
    brain = registry.load(version.number)
    attributes = published_attributes(lake)
    holdout = hold_out(
        training.table.keys, training.split, training.statistics, settings.promotion, attributes=attributes
    )
    challenger = Contender(
        version.fingerprint, version.as_of, brain.summary.unseen_from,
        brain.predict(training.table.take(training.split.evaluate)),
    )  # fmt: skip
    champion = _champion_on_the_same(lake, registry, training, day, settings)
    verdict = decide(holdout, challenger, champion, settings.promotion, now=clock.now())
    context.log.info(verdict.reason)
    row = {
        "day": day,
        "promote": verdict.promote,
        "reason": verdict.reason,
        "challenger_version": version.number,
        "verdict": verdict.model_dump_json(),
    }
    lake.write(VERDICTS, pl.DataFrame([row], schema=dict(VERDICTS.schema)), day=day)
    return dg.MaterializeResult(
        metadata={
            "rows_in": holdout.correct.size,
            "rows_out": 1,
            "promote": verdict.promote,
            "reason": verdict.reason,
            "findings": dg.MetadataValue.table(
                [
                    dg.TableRecord(
                        {
                            "check": f"{finding.check} {finding.about}".strip(),
                            "passed": finding.passed,
                            "finding": finding.sentence,
                        }
                    )
                    for finding in verdict.findings
                ]
            ),
        }
    )


@daily_asset(
    "main_brain",
    deps=["main_brain_evaluation"],
    description="Who is champion. The verdict is read again here: what it does not allow is not promoted. A model of "
    "an earlier day never replaces a later one.",
    kinds={"mlflow"},
    pool="main_brain",
)
def main_brain_promotion(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Move the champion where the verdict of this day says so, and keep what it promised as the drift reference."""
    day = as_of(context)
    row = read(lake, VERDICTS, day, asset="main_brain_evaluation").row(0, named=True)
    verdict = Verdict.model_validate_json(row["verdict"])
    if verdict.promote:
        _refuse_ended(context)
        registry.promote(
            row["challenger_version"], verdict, asked_by=context.run.tags.get(CAUSE_TAG, "a person"), now=clock.now()
        )
        _keep_reference(lake, registry, row["challenger_version"], stored_training(lake, day, settings))
    serving = serving_champion(registry, settings)
    return dg.MaterializeResult(
        metadata={
            "promoted": verdict.promote,
            "reason": verdict.reason,
            "champion": why_none(registry, settings, day)
            if serving is None
            else f"version {serving.version.number}, as of {serving.version.as_of}",
            "problems": "; ".join(serving.problems) if serving else "",
        }
    )


def candidate(lake: Lake, day: date) -> int:
    """Version of the challenger that was made as of a day.

    Raises:
        LakeError: None was.
    """
    return int(read(lake, CANDIDATES, day, asset="main_brain_candidate")["version"].item())


def _fit(context: dg.AssetExecutionContext, training: TrainingSet, settings: Settings, made_by: MadeBy) -> MainBrain:
    say = step_log(context)
    say(f"fitting on {training.split.fit.size:,} events, {len(training.table.names)} features")
    reported = 0

    def report(progress: Progress) -> None:
        nonlocal reported
        if progress.rounds >= reported + 50:
            reported = progress.rounds
            say(f"boosting round {progress.rounds} of at most {settings.training.max_iterations}")

    return fit_main_brain(
        training.table, training.split, settings.training,
        statistics=training.statistics, made_by=made_by, report=report,
    )  # fmt: skip


def _champion_on_the_same(
    lake: Lake, registry: Registry, training: TrainingSet, day: date, settings: Settings
) -> Contender | None:
    """The champion's answers on the evaluation rows, from features folded with its own statistics."""
    serving = serving_champion(registry, settings)
    if serving is None:
        return None
    asked = training.table.keys[training.split.evaluate].select("event", "learner")
    # Learners without a question need no fold, and those left out of a sample have none.
    events = lake.scan(ANONYMISED_INTERACTIONS, days=training_days(lake, day, settings))
    answers = events.join(asked.select("learner").unique().lazy(), on="learner", how="semi").collect(engine="streaming")
    table = fold(answers, serving.brain.statistics, None, settings.features).features
    shared = table.take(table.keys["event"].is_in(asked["event"].implode()).to_numpy())
    if not shared.keys["event"].equals(asked["event"]):
        raise ModelError(
            f"{asked.height:,} answers of the training as of {day} evaluate, {shared.keys.height:,} of them are in the "
            "lake in the same order: the events changed since the features were made",
            fix="Materialise training_features of this day again, and what follows from it.",
        )
    return Contender(
        serving.version.fingerprint, serving.version.as_of, serving.brain.summary.unseen_from,
        serving.brain.predict(shared), _owes(lake, serving.version.number),
    )  # fmt: skip


def _owes(lake: Lake, version: int) -> str:
    """Why a champion has to go as soon as another is not worse: learners were forgotten that it was fitted with."""
    learners = sum(len(each["learners"]) for each in remembered_by(lake, version))
    who = "1 learner who was" if learners == 1 else f"{learners} learners who were"
    return f"the champion remembers {who} forgotten" if learners else ""


def _refuse_ended(context: dg.AssetExecutionContext) -> None:
    """Promote nothing for a run that somebody has ended, by force as well: its process may not know yet."""
    run = context.instance.get_run_by_id(context.run.run_id)
    if run is not None and (run.is_finished or run.status == dg.DagsterRunStatus.CANCELING):
        raise RunError(
            f"Run {run.run_id} was ended before it promoted anything: {run.status.value.lower()}",
            fix="Nothing was promoted; train again where the promotion is wanted.",
        )


def _keep_reference(lake: Lake, registry: Registry, number: int, training: TrainingSet) -> None:
    evaluated = training.table.take(training.split.evaluate)
    probability = registry.load(number).predict(evaluated)
    lake.write(DRIFT_REFERENCE, scored_events(evaluated, probability, model_version=str(number)))
