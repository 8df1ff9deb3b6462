"""Why a run failed: the cause behind Dagster's wrapping, in words; of raw rows nothing leaves the platform."""

import dagster as dg

from aivo_assets.automation.runs.failures import Failure, failures
from aivo_assets.errors import LakeError

AGAIN = dg.RetryPolicy(max_retries=1, delay=0)


def failed(*ops: dg.OpDefinition) -> list[Failure]:
    @dg.job(executor_def=dg.in_process_executor)
    def job() -> None:
        for each in ops:
            each()

    with dg.instance_for_test() as instance:
        run = job.execute_in_process(instance=instance, raise_on_error=False)
        return failures(instance, run.run_id)


def raises(name: str, error: Exception, retry: dg.RetryPolicy | None = None) -> dg.OpDefinition:
    @dg.op(name=name, retry_policy=retry)
    def op() -> None:
        try:
            raise KeyError("fold 7")
        except KeyError as cause:
            raise error from cause

    return op


def test_an_error_of_ours_is_what_it_said_also_after_its_retries() -> None:
    (once,) = failed(raises("student_models", LakeError("There is no scored_events of today", fix="Make it first.")))
    assert (once.step, once.kind) == ("student_models", "LakeError")
    assert once.told(to_all=True) == "student_models: LakeError: There is no scored_events of today → Make it first."
    (again,) = failed(raises("student_models", LakeError("There is no day", fix="Make it."), AGAIN))
    assert again.told(to_all=True) == "student_models: LakeError: There is no day → Make it."


def test_of_another_error_the_innermost_cause_is_told() -> None:
    (found,) = failed(raises("main_brain_candidate", ValueError("could not fit"), AGAIN))
    assert found.told(to_all=True) == "main_brain_candidate: KeyError: 'fold 7'."


def test_what_a_step_on_raw_rows_said_stays_on_the_platform() -> None:
    (found,) = failed(raises("ingest", LakeError("Row 7 names Ann Miller", fix="Mend it.")))
    assert "Ann Miller" in found.told(to_all=False)
    sent = found.told(to_all=True)
    assert "LakeError" in sent
    assert "Ann" not in sent


def test_every_step_that_failed_is_named() -> None:
    found = failed(raises("drift_report", ValueError("a")), raises("privacy_audit", ValueError("b")))
    assert {each.step for each in found} == {"drift_report", "privacy_audit"}


def test_a_run_that_failed_outside_its_steps_says_why() -> None:
    with dg.instance_for_test() as instance:
        run = instance.add_run(dg.DagsterRun(job_name="a_job"))
        instance.report_run_failed(run, "The process of this run ended without a word.")
        (found,) = failures(instance, run.run_id)
    assert found.told(to_all=True) == "The process of this run ended without a word."
