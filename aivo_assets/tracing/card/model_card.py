"""The model card: what a version is, how good, for whom and within what limits, for somebody who runs a school.

Belongs here: the words and their order (after Mitchell et al. 2019). What is measured is in `card_measures`, how it is
drawn in `plots`, how it becomes Markdown and HTML in `aivo_assets.documents`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from aivo_assets.documents import Bullets, Document, Paragraph, Picture, Section, Table
from aivo_assets.settings import PrivacySettings
from aivo_assets.tracing.card.measure_plots import curve_png, groups_png, importance_png, roc_png
from aivo_assets.tracing.card.measures import EVERYBODY, CardMeasures, GroupMeasure, MeanInterval
from aivo_assets.tracing.card.plots import reliability_png
from aivo_assets.tracing.fold.catalogue import FEATURES
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.model.scores import Scores

MARKDOWN, HTML = "model_card.md", "model_card.html"
FEATURES_SHOWN = 15
TRUSTED_POINTS = 2.0  # of calibration error, in 100, beyond what is chance
NOTICEABLE = 0.03  # of surprise: three answers in a hundred
NAMES = {"constant": "always the same chance", "item_difficulty": "the exercise's difficulty alone"}


@dataclass(frozen=True)
class Facts:
    """What a card says that is not measured.

    Attributes:
        version: Number in the registry.
        as_of: The last day whose events the model may know.
        made_at: When it was registered, UTC.
        verdict: The sentence of its promotion or refusal; empty where it was not judged.
        sampling: Which learners it was trained on, where not on all; otherwise empty.
        privacy: What left the raw zone, and how coarse.
    """

    version: int
    as_of: date
    made_at: datetime
    verdict: str
    privacy: PrivacySettings
    sampling: str = ""


def build_card(brain: MainBrain, measured: CardMeasures, facts: Facts) -> Document:
    """The card of a version; the same arguments give the same bytes in both of its forms.

    Args:
        brain: The model.
        measured: On answers later than any that it knows.
        facts: Everything else.
    """
    return Document(
        title=f"Main brain, version {facts.version}",
        subtitle=f"As of {facts.as_of}, made {facts.made_at:%Y-%m-%d %H:%M} UTC. What it is, how well it predicts, for "
        "whom, and where its limits are.",
        sections=(
            _in_short(measured, facts),
            _purpose(),
            _quality(measured),
            _by_group(measured),
            _looks_at(measured),
            _training(brain, measured, facts),
            _privacy(brain, facts),
            _limits(brain, measured),
            _words(),
            _origin(brain),
        ),
    )


def documents(card: Document) -> dict[str, bytes]:
    """Every file of a card by its name: Markdown, HTML, and the pictures of the Markdown."""
    return {MARKDOWN: card.to_markdown().encode(), HTML: card.to_html().encode(), **card.pictures}


def _in_short(measured: CardMeasures, facts: Facts) -> Section:
    ours, others = measured.evaluation.scores, measured.evaluation.baselines
    gap = ours.ece * 100
    sentences = [
        "For every exercise a learner could do next, the main brain says how likely a right answer is. It learnt that "
        "from answers given so far, and never sees a name.",
        f"It was tested on {ours.events:,} answers of {measured.evaluation.learners:,} learners, all of them later "
        f"than any answer it learnt from. {_ranking(ours, others['item_difficulty'])}",
        f"What it says is off by {gap:.1f} points in 100 on average, {_chance(measured):.1f} of which would be chance "
        "with so few answers even if it were perfect"
        + (": where it says 80 in 100, about 80 in 100 answers are right." if _is_trusted(measured) else "."),
    ]
    decided = [Paragraph(f"Decision. {facts.verdict}")] if facts.verdict else []
    return Section("In short", (*(Paragraph(sentence) for sentence in sentences), *decided))


def _ranking(ours: Scores, difficulty: Scores) -> str:
    if ours.auc is None or difficulty.auc is None:
        return "All of them had the same outcome, so that it cannot be said how well it tells right from wrong."
    return (
        f"Shown one answer that turned out right and one that turned out wrong, it had given the right one the higher "
        f"chance in {ours.auc * 100:.0f} of 100 cases; somebody who knows only how hard the exercise is would in "
        f"{difficulty.auc * 100:.0f}, a coin in 50."
    )


def _chance(measured: CardMeasures) -> float:
    """Calibration error, in 100, that perfect percentages would have: the mean distance of a binomial share."""
    parts = measured.evaluation.reliability
    off = sum(
        math.sqrt(2 / math.pi * part.events * part.mean_probability * (1 - part.mean_probability)) for part in parts
    )
    return 100 * off / measured.evaluation.scores.events


def _is_trusted(measured: CardMeasures) -> bool:
    return measured.evaluation.scores.ece * 100 <= TRUSTED_POINTS + _chance(measured)


def _purpose() -> Section:
    return Section(
        "What it is for, and what not",
        (
            Paragraph("It is for choosing the next exercise so that it is neither too easy nor too hard:"),
            Bullets(
                (
                    "estimating what a learner can do now, skill by skill, with an honest band around it;",
                    "recommending a level, a repetition, a break or another approach, with the evidence beside it;",
                    "noticing that exercises or learners have changed.",
                )
            ),
            Paragraph("It is not for, and was not tested for:"),
            Bullets(
                (
                    "marks, certificates, admission, or any other decision that follows a learner out of the exercise;",
                    "comparing teachers, classes or schools;",
                    "saying why somebody finds something hard, or what anybody is able to learn;",
                    "learners, subjects or exercises unlike those it was trained on.",
                )
            ),
            Paragraph("A recommendation is a suggestion; teachers, parents and learners may overrule it at any time."),
        ),
    )


def _quality(measured: CardMeasures) -> Section:
    evaluation = measured.evaluation
    rows = [_score_row("the main brain", evaluation.scores)]
    rows += [_score_row(NAMES.get(name, name), scores) for name, scores in sorted(evaluation.baselines.items())]
    return Section(
        "How well it predicts",
        (
            Paragraph(
                f"On answers from {evaluation.since:%Y-%m-%d} to {evaluation.until:%Y-%m-%d}, beside simple guesses:"
            ),
            Table(("", "AUC", "log loss", "Brier", "calibration error"), tuple(rows)),
            Picture("card_reliability.png", reliability_png(evaluation), _RELIABILITY),
            Picture("card_roc.png", roc_png(measured.roc), _ROC),
        ),
    )


def _score_row(name: str, scores: Scores) -> tuple[str, ...]:
    auc = "-" if scores.auc is None else f"{scores.auc:.3f}"
    return (name, auc, f"{scores.log_loss:.4f}", f"{scores.brier:.4f}", f"{scores.ece:.3f}")


def _by_group(measured: CardMeasures) -> Section:
    absent = ", ".join(kind.replace("_", " ") for kind in measured.kinds_without_group)
    noticed = [_noticed(group) for group in measured.groups if _is_noticeable(group)]
    judged = (
        Bullets(tuple(noticed))
        if noticed
        else Paragraph(
            f"In no group do the answers differ significantly from the predictions by {NOTICEABLE:.0%} or more."
        )
    )
    rows = tuple(
        (
            group.name, f"{group.events:,}", f"{group.learners:,}", "-" if group.auc is None else f"{group.auc:.3f}",
            _interval(group.log_loss), f"{group.expected:.1%}", f"{group.expected + group.surprise.mean:.1%}",
        )
        for group in measured.groups
    )  # fmt: skip
    blocks = [
        Paragraph(
            "A model that is good on average may be worse for some. Intervals hold with 95 %, learner by learner."
        ),
        judged,
        Table(("group", "answers", "learners", "AUC", "log loss", "predicted correct", "correct"), rows),
        Picture("card_groups.png", groups_png(measured.groups), "Log loss by group; the dashed line is everybody."),
    ]
    if absent:
        blocks.append(Paragraph(f"No group of these is large enough to be reported: {absent}."))
    return Section("For whom", tuple(blocks))


def _is_noticeable(group: GroupMeasure) -> bool:
    surprise = group.surprise
    certain = surprise.lower > 0 or surprise.upper < 0
    return certain and abs(surprise.mean) >= NOTICEABLE


def _noticed(group: GroupMeasure) -> str:
    relation = "better" if group.surprise.mean > 0 else "worse"
    return (
        f"{group.name}: {group.learners:,} learners did {relation} than predicted, by {abs(group.surprise.mean):.1%} "
        f"of answers (95 % interval {group.surprise.lower:+.1%} to {group.surprise.upper:+.1%})."
    )


def _interval(estimate: MeanInterval) -> str:
    return f"{estimate.mean:.3f} ({estimate.lower:.3f} to {estimate.upper:.3f})"


def _looks_at(measured: CardMeasures) -> Section:
    importance = measured.importance
    shown = dict(list(importance.increase.items())[:FEATURES_SHOWN])
    meaning = {feature.name: f"{feature.description} ({feature.about})" for feature in FEATURES}
    rows = tuple((f"{name}: {meaning[name]}" if name in meaning else name, f"{by:.4f}") for name, by in shown.items())
    left = f" For {len(importance.unmeasured)} more there was no time." if importance.unmeasured else ""
    return Section(
        "What it looks at",
        (
            Paragraph(
                f"How much worse it gets when it cannot see one thing, on {importance.rows:,} answers: the "
                f"{len(shown)} most important of {len(importance.increase)}.{left} Where two of them say the same, "
                "leaving one out costs nothing. None of them is a personal attribute: grade, gender, region and the "
                "like are used to check it, never to predict."
            ),
            Picture("card_importance.png", importance_png(shown), "Rise of log loss without each feature."),
            Table(("feature", "rise of log loss"), rows),
        ),
    )


def _training(brain: MainBrain, measured: CardMeasures, facts: Facts) -> Section:
    summary = brain.summary
    rows = (
        ("answers it learnt from", f"{summary.fit_events:,}"),
        ("learners who gave them", f"{summary.learners:,}"),
        ("first of them", f"{summary.first_event:%Y-%m-%d}"),
        ("later answers that calibrated its percentages", f"{summary.calibrate_events:,}"),
        ("still later answers that tested it", f"{summary.evaluate_events:,}"),
        ("it has seen nothing from", f"{summary.unseen_from:%Y-%m-%d %H:%M} UTC"),
        ("share of right answers", f"{summary.share_correct:.1%}"),
        ("boosted models", f"{len(summary.boosted)}"),
        ("rounds", ", ".join(str(boosted.rounds) for boosted in summary.boosted)),
    )
    curves = [curve for curve in measured.curves if curve.held_out.size]
    picture = (Picture("card_training.png", curve_png(curves), _CURVE),) if curves else ()
    sampled = (Paragraph(f"It was trained on a sample: {facts.sampling}."),) if facts.sampling else ()
    parameters = tuple((name.replace("_", " "), str(value)) for name, value in sorted(brain.parameters.items()))
    return Section(
        "How it was made",
        (*sampled, Table(("", ""), rows), *picture, Table(("parameter", "value"), parameters)),
    )


def _privacy(brain: MainBrain, facts: Facts) -> Section:
    privacy = facts.privacy
    return Section(
        "Data and privacy",
        (
            Bullets(
                (
                    "It learnt from answers only: which exercise, which skills, right or wrong, when, how long, hints.",
                    "No names, e-mail addresses or birth dates: they never leave the raw zone. Learners are keyed "
                    "pseudonyms that only the holder of the key can link.",
                    f"Times are floored to {privacy.time_resolution_seconds} seconds.",
                    f"Attributes that groups are checked by are shared by at least {privacy.k_anonymity} learners "
                    "alike in all of them; rarer ones are suppressed.",
                    "The model's files hold no learner: trees, and how hard "
                    f"{brain.statistics.items.height:,} exercises and {brain.statistics.skills.height:,} skills are.",
                    "This card holds counts and averages of groups only.",
                )
            ),
        ),
    )


def _limits(brain: MainBrain, measured: CardMeasures) -> Section:
    return Section("Limits", (Bullets(tuple(_found_limits(brain, measured))),))


def _found_limits(brain: MainBrain, measured: CardMeasures) -> Iterator[str]:
    evaluation, named = measured.evaluation, {group.value: group for group in measured.groups}
    everybody = named[EVERYBODY]
    days = (evaluation.until - evaluation.since).days + 1
    yield (
        f"It was tested on {days} days after its training; what comes later may differ. Drift is watched, and a model "
        "that no longer holds is trained again."
    )
    for group in measured.groups:
        if group.kind in ("experience", "items") and group.log_loss.lower > everybody.log_loss.upper:
            yield f"It is less sure for {group.name} than for everybody ({_interval(group.log_loss)})."
    if evaluation.learners < 200:
        yield f"Only {evaluation.learners:,} learners tested it: every figure here is rough."
    if not _is_trusted(measured):
        yield f"Its percentages are off by {evaluation.scores.ece * 100:.1f} points on average."
    most = brain.parameters.get("max_iterations")
    if any(boosted.rounds == most for boosted in brain.summary.boosted):
        yield f"Its training ended at the limit of {most} rounds and might have gained from more."
    if measured.kinds_without_group:
        yield "Whether it treats everybody alike could not be checked for every attribute; see For whom."
    yield "It learns from what learners were given: of exercises nobody like them was given, it knows little."


def _words() -> Section:
    return Section(
        "Words used",
        (
            Bullets(
                (
                    "AUC: of a right and a wrong answer, how often the right one had the higher chance; 0.5 is a coin.",
                    "Log loss: how surprised it was by what happened, on average; lower is better.",
                    "Brier: mean squared distance between prediction and answer; lower is better.",
                    "Calibration error: by how much predictions differ from the share of correct answers, on average.",
                    "95 % interval: where the figure would lie for 95 of 100 draws of as many learners like these.",
                )
            ),
        ),
    )


def _origin(brain: MainBrain) -> Section:
    rows = [("model", brain.fingerprint), ("code", brain.made_by.code_version), ("features", brain.schema.hash)]
    rows += [(f"data: {path}", version) for path, version in sorted(brain.made_by.data_versions.items())]
    return Section("For engineers", (Table(("made of", "version"), tuple(rows)),))


_RELIABILITY = "Predictions against the share of correct answers, in bins of equal size; the diagonal is perfect."
_ROC = "The further towards the top left, the better it tells right answers from wrong ones."
_CURVE = "Log loss as training went on; it ends where learners held out gain no more."
