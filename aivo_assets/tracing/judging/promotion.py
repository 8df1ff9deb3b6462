"""Whether a challenger becomes the champion. Belongs here: the rule, its numbers and its sentence; nothing is moved.

Both are scored on the same later events, which neither has seen. The difference of their log losses is taken learner
by learner (`bootstrap`); a model that is better on the whole must not be worse in its calibration or for a group. Days
on which all answers came out the same are left out (`evidence`), and without both outcomes nothing is promoted.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from aivo_assets.arrays import Floats
from aivo_assets.settings import PromotionSettings
from aivo_assets.tracing.judging.bootstrap import Interval, calibration_bootstrap, paired_bootstrap
from aivo_assets.tracing.judging.evaluation import ITEM_DIFFICULTY, Holdout, refuse_unusable
from aivo_assets.tracing.judging.evidence import OneOutcome, days_of_one_outcome
from aivo_assets.tracing.model.scores import Scores, expected_calibration_error, losses

Check = Literal[
    "is another model", "as-of day", "enough events", "enough learners", "both outcomes", "days of one outcome",
    "log loss", "calibration", "slice",
]  # fmt: skip
ONE_OUTCOME: Final[tuple[Check, ...]] = ("both outcomes", "days of one outcome")
"""Findings that tell of answers which all came out the same."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Contender:
    """A model as it comes to the decision.

    Attributes:
        fingerprint: Of the model.
        as_of: The last day whose events it may know.
        unseen_from: From here on it has seen nothing, UTC (`Summary.unseen_from`).
        probability: float64 [n], what it says of the n events of the hold-out, each from features folded with its own
            statistics.
        owes: Why it has to go as soon as another is not worse, in a sentence; empty where it may stay. Of a champion
            that remembers somebody who was forgotten.
    """

    fingerprint: str
    as_of: date
    unseen_from: datetime
    probability: Floats
    owes: str = ""


class Identity(_Record):
    """Which model a verdict is about."""

    fingerprint: str
    as_of: date


class Finding(_Record):
    """One condition of the promotion.

    Attributes:
        check: Which condition.
        about: Of a slice: which, as `kind = value`; otherwise empty.
        passed: Whether it holds.
        value: What was measured; None where it is no number.
        limit: What it was held against.
        sentence: Both, for a person.
    """

    check: Check
    about: str = ""
    passed: bool
    value: float | None = None
    limit: float | None = None
    sentence: str


class Verdict(_Record):
    """A decision with its evidence.

    Attributes:
        promote: Whether the challenger should become the champion.
        reason: One sentence for a person.
        decided_at: When, UTC.
        challenger: The model that was judged.
        champion: The model that it was held against; None for a first model, held against item difficulty alone.
        since: Time of the earliest event of the comparison, UTC; None where none was left.
        events: Events that neither had seen.
        difference: Log loss of the challenger less that of the other; below zero it is better. None without events.
        challenger_scores: On those events.
        reference_scores: Of the champion, or of item difficulty alone, on the same events.
        findings: Every condition, whether it held or not.
    """

    promote: bool
    reason: str
    decided_at: datetime
    challenger: Identity
    champion: Identity | None
    since: datetime | None
    events: int
    difference: Interval | None
    challenger_scores: Scores | None
    reference_scores: Scores | None
    findings: tuple[Finding, ...]


def decide(
    holdout: Holdout, challenger: Contender, champion: Contender | None, settings: PromotionSettings, *, now: datetime
) -> Verdict:
    """Decide whether the challenger becomes the champion.

    A first model must beat item difficulty alone with confidence. Later ones must beat the champion with confidence, or
    replace a champion that is stale, or remembers somebody who was forgotten, without being worse by more than a
    margin; calibration must not fall significantly, nor any slice at all, by more than its limit; a model of an earlier
    day than the champion's never replaces it.

    Args:
        holdout: Later events; those that a contender has seen are left out here.
        challenger: Who wants to become champion.
        champion: Who is champion, if anybody.
        settings: Limits, margins, confidence.
        now: The time of the decision, UTC.

    Raises:
        ModelError: A contender's probabilities are not one number in [0, 1] for each event of the hold-out.
    """
    contenders = [challenger] if champion is None else [challenger, champion]
    for contender in contenders:
        refuse_unusable(holdout, contender.probability, contender.fingerprint)
    later = holdout.at_or_after(max(contender.unseen_from for contender in contenders))
    one_outcome = days_of_one_outcome(holdout.keys.filter(later))
    later = later & one_outcome.without(holdout.keys["occurred_at"])
    unseen = holdout.only(later)
    predicted = challenger.probability[later]
    reference = unseen.baselines[ITEM_DIFFICULTY] if champion is None else champion.probability[later]

    findings = [
        *_admission(challenger, champion),
        *_enough(unseen, settings),
        *_outcomes(unseen, one_outcome, settings),
    ]
    difference = _difference(unseen, predicted, reference, settings)
    if difference is not None:
        findings.append(_log_loss(difference, challenger, champion, settings))
    if champion is not None and difference is not None:
        findings += [
            _calibration(unseen, predicted, reference, settings),
            *_slices(unseen, predicted, reference, settings),
        ]
    return Verdict(
        promote=all(finding.passed for finding in findings),
        reason=_reason(findings),
        decided_at=now,
        challenger=Identity(fingerprint=challenger.fingerprint, as_of=challenger.as_of),
        champion=None if champion is None else Identity(fingerprint=champion.fingerprint, as_of=champion.as_of),
        since=unseen.span[0] if predicted.size else None,
        events=unseen.correct.size,
        difference=difference,
        challenger_scores=Scores.of(unseen.correct, predicted) if predicted.size else None,
        reference_scores=Scores.of(unseen.correct, reference) if predicted.size else None,
        findings=tuple(findings),
    )


def _admission(challenger: Contender, champion: Contender | None) -> list[Finding]:
    if champion is None:
        return []
    another = challenger.fingerprint != champion.fingerprint
    later = challenger.as_of >= champion.as_of
    relation = "is not older than" if later else "is older than"
    return [
        Finding(
            check="is another model",
            passed=another,
            sentence="the challenger is another model than the champion"
            if another
            else "the challenger is the champion itself",
        ),
        Finding(
            check="as-of day",
            passed=later,
            sentence=f"the challenger, as of {challenger.as_of}, {relation} the champion, as of {champion.as_of}",
        ),
    ]


def _enough(holdout: Holdout, settings: PromotionSettings) -> list[Finding]:
    learners = len(set(holdout.learners.tolist()))
    counted: list[tuple[Check, str, int, int]] = [
        ("enough events", "events", holdout.correct.size, settings.minimum_events),
        ("enough learners", "learners", learners, settings.minimum_learners),
    ]
    return [
        Finding(
            check=check,
            passed=number >= needed,
            value=number,
            limit=needed,
            sentence=f"{number:,} {what} later than anything the models have seen, at least {needed:,} are needed",
        )
        for check, what, number, needed in counted
    ]


def _outcomes(holdout: Holdout, left_out: OneOutcome, settings: PromotionSettings) -> list[Finding]:
    right = int(holdout.correct.sum())
    wrong, needed = holdout.correct.size - right, settings.minimum_of_each_outcome
    why = f" ({left_out.sentence})" if left_out.answers else ""
    both = Finding(
        check="both outcomes",
        passed=min(right, wrong) >= needed,
        value=min(right, wrong),
        limit=needed,
        sentence=f"{right:,} right and {wrong:,} wrong answers can be compared{why}, at least {needed:,} of each are "
        "needed",
    )
    if not left_out.answers:
        return [both]
    left = Finding(check="days of one outcome", passed=True, value=left_out.total, sentence=left_out.sentence)
    return [both, left]


def _difference(holdout: Holdout, predicted: Floats, reference: Floats, settings: PromotionSettings) -> Interval | None:
    if not predicted.size:
        return None
    return paired_bootstrap(
        losses(holdout.correct, predicted) - losses(holdout.correct, reference),
        holdout.learners,
        samples=settings.bootstrap_samples,
        confidence=settings.confidence,
        seed=settings.bootstrap_seed,
    )


def _log_loss(
    difference: Interval, challenger: Contender, champion: Contender | None, settings: PromotionSettings
) -> Finding:
    other = "item difficulty alone" if champion is None else "the champion"
    days = 0 if champion is None else (challenger.as_of - champion.as_of).days
    owes = "" if champion is None else champion.owes
    why = owes or f"the champion is {days} days older"
    stale = bool(owes) or 0 < settings.stale_days < days
    limit = settings.stale_margin if stale else 0.0
    better = difference.upper < 0
    relation = "better" if difference.mean < 0 else "worse"
    if better:
        conclusion = f"better with {difference.confidence:.0%} confidence"
    elif stale and difference.upper < limit:
        conclusion = f"not worse than the margin of {limit:g}, and {why}"
    elif stale:
        conclusion = f"and may be worse than the margin of {limit:g} that is allowed because {why}"
    else:
        conclusion = f"which is not better with {difference.confidence:.0%} confidence"
    return Finding(
        check="log loss",
        passed=difference.upper < limit,
        value=difference.upper,
        limit=limit,
        sentence=f"its log loss is {abs(difference.mean):.4f} {relation} than that of {other} "
        f"({difference.in_words()} over {difference.learners:,} learners), {conclusion}",
    )


def _calibration(holdout: Holdout, predicted: Floats, reference: Floats, settings: PromotionSettings) -> Finding:
    """Worse by more than the limit, and significantly worse at all.

    Chance alone gives a perfect model an error of about 0.04 on 1,000 events: the mean of |normal| of variance
    p(1 - p) x 15 bins / 1,000, with p(1 - p) about 0.2.
    """
    ours, theirs = (expected_calibration_error(holdout.correct, each) for each in (predicted, reference))
    difference = calibration_bootstrap(
        holdout.correct, predicted, reference, holdout.learners,
        samples=settings.bootstrap_samples, confidence=settings.confidence, seed=settings.bootstrap_seed,
    )  # fmt: skip
    beyond, sure = difference.mean > settings.calibration_limit, difference.lower > 0
    chance = (
        f", which may be chance ({difference.lower:+.4f} to {difference.upper:+.4f})" if beyond and not sure else ""
    )
    return Finding(
        check="calibration",
        passed=not (beyond and sure),
        value=difference.mean,
        limit=settings.calibration_limit,
        sentence=f"its calibration error is {ours:.4f} against the champion's {theirs:.4f}, "
        f"at most {settings.calibration_limit:g} more is allowed{chance}",
    )


def _slices(holdout: Holdout, predicted: Floats, reference: Floats, settings: PromotionSettings) -> list[Finding]:
    difference = losses(holdout.correct, predicted) - losses(holdout.correct, reference)
    findings = []
    for part in holdout.slices:
        events = int(part.rows.sum())
        if events < settings.slice_minimum_events or part.learners < settings.slice_minimum_learners:
            continue
        mean = float(difference[part.rows].mean())
        findings.append(
            Finding(
                check="slice",
                about=f"{part.kind} = {part.value}",
                passed=mean <= settings.slice_limit,
                value=mean,
                limit=settings.slice_limit,
                sentence=f"for {part.kind} = {part.value} ({events:,} events of {part.learners:,} learners) its log "
                f"loss is {mean:+.4f} from the champion's, at most {settings.slice_limit:+g} is allowed",
            )
        )
    return findings


def _reason(findings: list[Finding]) -> str:
    failed = [finding.sentence for finding in findings if not finding.passed]
    if failed:
        return f"Not promoted: {'; '.join(failed)}."
    telling = [finding.sentence for finding in findings if finding.check == "log loss"]
    return f"Promoted: {'; '.join(telling)}."
