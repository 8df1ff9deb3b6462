"""A challenger becomes champion on evidence, and on nothing else."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from aivo_assets.arrays import Floats
from aivo_assets.errors import ModelError
from aivo_assets.settings import PromotionSettings
from aivo_assets.tracing.judging.evaluation import Holdout, hold_out
from aivo_assets.tracing.judging.promotion import Contender, Finding, Verdict, decide
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets_tests.tracing.synthetic_school import QUICK, School, school

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
DAY = date(2026, 2, 28)
SETTINGS = PromotionSettings(minimum_events=500, slice_minimum_events=200, slice_minimum_learners=10)


@pytest.fixture(scope="module")
def judged() -> tuple[School, MainBrain, Holdout]:
    made = school()
    brain = made.fit()
    return made, brain, hold_out(made.table.keys, made.split, brain.statistics, SETTINGS)


def contender(holdout: Holdout, probability: Floats, name: str, *, as_of: date = DAY) -> Contender:
    return Contender(name, as_of, holdout.span[0], probability)


def of_brain(made: School, brain: MainBrain, *, as_of: date = DAY) -> Contender:
    said = brain.predict(made.table.take(made.split.evaluate))
    return Contender(brain.fingerprint, as_of, brain.summary.unseen_from, said)


def finding(verdict: Verdict, check: str, about: str = "") -> Finding:
    (found,) = (each for each in verdict.findings if each.check == check and each.about == about)
    return found


def blurred(holdout: Holdout, truth: Floats, noise: float, *, seed: int = 0) -> Floats:
    """The true probability with noise on its logit."""
    logit = np.log(truth / (1 - truth)) + np.random.default_rng(seed).normal(0, noise, truth.size)
    return 1 / (1 + np.exp(-logit))


def test_a_first_model_that_beats_item_difficulty_is_promoted(judged: tuple[School, MainBrain, Holdout]) -> None:
    made, brain, holdout = judged
    verdict = decide(holdout, of_brain(made, brain), None, SETTINGS, now=NOW)
    assert verdict.promote
    assert verdict.reason.startswith("Promoted: its log loss is 0.")
    assert "better than that of item difficulty alone" in verdict.reason
    assert "better with 95% confidence." in verdict.reason
    assert verdict.difference is not None
    assert verdict.difference.upper < 0
    assert verdict.events == made.split.evaluate.size
    assert verdict.champion is None
    assert verdict.decided_at == NOW


def test_a_first_model_that_only_knows_item_difficulty_is_refused(judged: tuple[School, MainBrain, Holdout]) -> None:
    _, _, holdout = judged
    nearly = blurred(holdout, holdout.baselines["item_difficulty"], 0.05)
    verdict = decide(holdout, contender(holdout, nearly, "m"), None, SETTINGS, now=NOW)
    assert not verdict.promote
    assert "not better with 95% confidence" in verdict.reason


@pytest.mark.parametrize("everything", [True, False])
def test_a_model_trained_on_flipped_answers_is_refused(
    judged: tuple[School, MainBrain, Holdout], everything: bool
) -> None:
    """Flipped in all it learns from, or in what fits the trees only, so that calibration sees the truth."""
    made, _, holdout = judged
    flipped = made.table.keys["correct"].to_numpy().copy()
    rows = np.concatenate([made.split.fit, made.split.calibrate]) if everything else made.split.fit
    flipped[rows] = 1 - flipped[rows]
    brain = made.with_answers(flipped).fit()
    verdict = decide(holdout, of_brain(made, brain), None, SETTINGS, now=NOW)
    assert not verdict.promote
    assert "worse than that of item difficulty alone" in verdict.reason


def test_a_better_challenger_replaces_the_champion(judged: tuple[School, MainBrain, Holdout]) -> None:
    made, brain, holdout = judged
    weak = made.fit(QUICK.model_copy(update={"max_iterations": 2, "learning_rate": 0.05}))
    verdict = decide(holdout, of_brain(made, brain), of_brain(made, weak), SETTINGS, now=NOW)
    assert verdict.promote
    assert finding(verdict, "calibration").passed
    assert "better than that of the champion" in verdict.reason
    assert not decide(holdout, of_brain(made, weak), of_brain(made, brain), SETTINGS, now=NOW).promote


def test_a_challenger_that_is_merely_as_good_is_refused(judged: tuple[School, MainBrain, Holdout]) -> None:
    made, _, holdout = judged
    truth = made.truth[made.split.evaluate]
    ours, theirs = (contender(holdout, blurred(holdout, truth, 0.2, seed=seed), f"m{seed}") for seed in (1, 2))
    verdict = decide(holdout, ours, theirs, SETTINGS, now=NOW)
    assert not verdict.promote
    assert "not better with 95% confidence" in verdict.reason


def test_the_champion_itself_is_no_challenger(judged: tuple[School, MainBrain, Holdout]) -> None:
    made, brain, holdout = judged
    verdict = decide(holdout, of_brain(made, brain), of_brain(made, brain), SETTINGS, now=NOW)
    assert not verdict.promote
    assert "the challenger is the champion itself" in verdict.reason
    assert verdict.difference is not None
    assert (verdict.difference.lower, verdict.difference.upper) == (0.0, 0.0)


def test_a_model_of_an_earlier_day_never_replaces_the_champion(judged: tuple[School, MainBrain, Holdout]) -> None:
    made, _, holdout = judged
    truth = made.truth[made.split.evaluate]
    best = contender(holdout, truth, "best", as_of=DAY - timedelta(days=1))
    worst = contender(holdout, np.full(truth.size, 0.5), "worst")
    verdict = decide(holdout, best, worst, SETTINGS, now=NOW)
    assert finding(verdict, "log loss").passed
    assert not verdict.promote
    assert "as of 2026-02-27, is older than the champion, as of 2026-02-28" in verdict.reason
    assert decide(holdout, replace(best, as_of=DAY), worst, SETTINGS, now=NOW).promote


def test_a_stale_champion_gives_way_to_an_equal(judged: tuple[School, MainBrain, Holdout]) -> None:
    made, _, holdout = judged
    said = made.truth[made.split.evaluate]
    settings = SETTINGS.model_copy(update={"stale_days": 30, "stale_margin": 0.001})

    def verdict(days: int, shift: float, **changed: float) -> Verdict:
        ours = contender(holdout, np.clip(said + shift, 0, 1), "new")
        theirs = contender(holdout, said, "old", as_of=DAY - timedelta(days=days))
        return decide(holdout, ours, theirs, settings.model_copy(update=changed), now=NOW)

    assert verdict(31, 0.0).promote
    assert "the champion is 31 days older" in verdict(31, 0.0).reason
    assert not verdict(30, 0.0).promote
    assert not verdict(31, 0.0, stale_days=0).promote
    assert not verdict(31, 0.15).promote
    assert "may be worse than the margin of 0.001" in verdict(31, 0.15).reason


def test_a_champion_that_remembers_the_forgotten_gives_way_to_an_equal_of_any_day(
    judged: tuple[School, MainBrain, Holdout],
) -> None:
    made, _, holdout = judged
    said = made.truth[made.split.evaluate]
    settings = SETTINGS.model_copy(update={"stale_days": 0, "stale_margin": 0.001})

    def verdict(owes: str, shift: float = 0.0) -> Verdict:
        ours = contender(holdout, np.clip(said + shift, 0, 1), "new")
        theirs = replace(contender(holdout, said, "old"), owes=owes)
        return decide(holdout, ours, theirs, settings, now=NOW)

    why = "the champion remembers 2 learners who were forgotten"
    assert not verdict("").promote
    assert verdict(why).promote
    assert why in verdict(why).reason
    assert not verdict(why, 0.15).promote


def test_better_on_the_whole_but_miscalibrated_is_refused(judged: tuple[School, MainBrain, Holdout]) -> None:
    made, _, holdout = judged
    truth = made.truth[made.split.evaluate]
    boastful = contender(holdout, np.clip(truth + 0.08, 0, 1), "boastful")
    constant = contender(holdout, np.full(truth.size, holdout.correct.mean()), "constant")
    verdict = decide(holdout, boastful, constant, SETTINGS, now=NOW)
    assert finding(verdict, "log loss").passed
    assert not finding(verdict, "calibration").passed
    assert not verdict.promote
    assert "its calibration error is" in verdict.reason


def test_better_on_the_whole_but_worse_for_one_subject_is_refused(judged: tuple[School, MainBrain, Holdout]) -> None:
    made, _, holdout = judged
    truth = made.truth[made.split.evaluate]
    algebra = (holdout.keys["subject"] == "algebra").to_numpy()
    theirs = blurred(holdout, truth, 1.5)
    theirs[algebra] = truth[algebra]
    ours = truth.copy()
    ours[algebra] = blurred(holdout, truth, 0.6)[algebra]
    settings = SETTINGS.model_copy(update={"calibration_limit": 1.0})
    verdict = decide(holdout, contender(holdout, ours, "a"), contender(holdout, theirs, "b"), settings, now=NOW)
    assert finding(verdict, "log loss").passed
    assert finding(verdict, "slice", "subject = geometry").passed
    assert not finding(verdict, "slice", "subject = algebra").passed
    assert verdict.reason.startswith("Not promoted: for subject = algebra (")


def test_events_that_a_contender_has_seen_do_not_count(judged: tuple[School, MainBrain, Holdout]) -> None:
    made, _, holdout = judged
    truth = made.truth[made.split.evaluate]
    later = holdout.span[0] + timedelta(days=1)
    knowing = replace(contender(holdout, np.full(truth.size, 0.5), "old"), unseen_from=later)
    verdict = decide(holdout, contender(holdout, truth, "new"), knowing, SETTINGS, now=NOW)
    assert verdict.since is not None
    assert verdict.since >= later
    assert verdict.events == int((holdout.keys["occurred_at"] >= later).sum()) < holdout.correct.size
    everything = replace(knowing, unseen_from=holdout.span[1] + timedelta(days=1))
    verdict = decide(holdout, contender(holdout, truth, "new"), everything, SETTINGS, now=NOW)
    assert not verdict.promote
    assert "0 events later than anything the models have seen, at least 500 are needed" in verdict.reason


def test_few_events_or_few_learners_promote_nothing(judged: tuple[School, MainBrain, Holdout]) -> None:
    made, brain, holdout = judged
    for name in ("minimum_events", "minimum_learners"):
        verdict = decide(holdout, of_brain(made, brain), None, SETTINGS.model_copy(update={name: 5000}), now=NOW)
        assert not verdict.promote
        assert "at least 5,000 are needed" in verdict.reason


def test_probabilities_of_other_events_are_refused(judged: tuple[School, MainBrain, Holdout]) -> None:
    _, _, holdout = judged
    with pytest.raises(ModelError, match="The probabilities of model m"):
        decide(holdout, contender(holdout, np.full(3, 0.5), "m"), None, SETTINGS, now=NOW)


def test_a_verdict_is_the_same_after_being_written_down(judged: tuple[School, MainBrain, Holdout]) -> None:
    made, brain, holdout = judged
    verdict = decide(holdout, of_brain(made, brain), None, SETTINGS, now=NOW)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    assert decide(holdout, of_brain(made, brain), None, SETTINGS, now=NOW) == verdict
