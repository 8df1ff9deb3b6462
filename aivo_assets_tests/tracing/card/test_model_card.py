"""A card says what a head teacher asks, in Markdown and in one HTML file that needs nothing else, and names nobody."""

import base64
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from aivo_assets.documents import Bullets, Document, Paragraph, Picture, Section, Table
from aivo_assets.settings import PrivacySettings, PromotionSettings
from aivo_assets.tracing.card.measures import CardMeasures, Curve, measure
from aivo_assets.tracing.card.model_card import HTML, MARKDOWN, Facts, build_card, documents
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets_tests.tracing.synthetic_school import QUICK, School, school

SETTINGS = PromotionSettings(slice_minimum_events=100, slice_minimum_learners=10, bootstrap_samples=200)
FACTS = Facts(
    version=7,
    as_of=date(2026, 2, 3),
    made_at=datetime(2026, 2, 4, 2, tzinfo=UTC),
    verdict="Not promoted: its log loss is 0.0021 worse than that of the champion.",
    privacy=PrivacySettings(k_anonymity=11),
)
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def taught() -> tuple[School, MainBrain]:
    made = school(days=30)
    return made, made.fit()


def measured_of(made: School, brain: MainBrain, attributes: pl.DataFrame | None = None) -> CardMeasures:
    return measure(brain, made.table, made.split, SETTINGS, attributes=attributes, seed=1)


@pytest.fixture(scope="module")
def measured(taught: tuple[School, MainBrain]) -> CardMeasures:
    return measured_of(*taught)


@pytest.fixture(scope="module")
def card(taught: tuple[School, MainBrain], measured: CardMeasures) -> Document:
    return build_card(taught[1], measured, FACTS)


def section(markdown: str, title: str) -> str:
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", markdown, flags=re.MULTILINE | re.DOTALL)
    return str(found)


def test_it_answers_what_a_head_teacher_asks(card: Document, measured: CardMeasures) -> None:
    markdown = card.to_markdown()
    scores = measured.evaluation.scores
    assert markdown.startswith("# Main brain, version 7\n")
    short = section(markdown, "In short")
    assert f"{scores.events:,} answers of 120 learners" in short
    assert f"chance in {scores.auc * 100:.0f} of 100 cases" in short  # type: ignore[operator]
    assert FACTS.verdict in short
    assert "not for" in section(markdown, "What it is for, and what not")
    assert "marks, certificates" in markdown
    assert f"{scores.log_loss:.4f}" in section(markdown, "How well it predicts")
    assert "the exercise's difficulty alone" in section(markdown, "How well it predicts")
    assert "subject: algebra" in section(markdown, "For whom")
    assert "at least 11 learners" in section(markdown, "Data and privacy")
    assert "Only 120 learners tested it" in section(markdown, "Limits")


def test_every_picture_is_there_in_both_forms(card: Document) -> None:
    names = {"card_reliability.png", "card_roc.png", "card_groups.png", "card_importance.png", "card_training.png"}
    files = documents(card)
    assert set(files) == names | {MARKDOWN, HTML}
    assert all(files[name].startswith(PNG) for name in names)
    assert set(re.findall(r"\]\((.*?)\)", card.to_markdown())) == names
    embedded = re.findall(r'src="data:image/png;base64,(.*?)"', card.to_html())
    assert sorted(base64.b64decode(each) for each in embedded) == sorted(card.pictures.values())


def test_the_html_needs_nothing_beside_it_and_is_well_formed(card: Document) -> None:
    content = card.to_html()
    assert not re.search(r'(?:src|href)="(?!data:)', content)
    assert "<script" not in content
    assert "@import" not in content
    opened: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "img":
                assert dict(attrs)["alt"]
            if tag not in ("meta", "img"):
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Checker().feed(content)
    assert opened == []


def test_the_same_version_has_the_same_card_to_the_last_byte(taught: tuple[School, MainBrain], card: Document) -> None:
    again = build_card(taught[1], measured_of(*taught), FACTS)
    assert documents(again) == documents(card)


def test_it_says_how_much_of_its_calibration_error_is_chance(taught: tuple[School, MainBrain]) -> None:
    """Outcomes drawn from the very probabilities that the model says: all of the error is chance."""
    made, brain = taught
    said = brain.predict(made.table)
    correct = (np.random.default_rng(0).random(said.size) < said).astype(np.int8)
    measured = measured_of(made.with_answers(correct), brain)
    markdown = build_card(brain, measured, FACTS).to_markdown()
    off, chance = (float(number) for number in re.findall(r"off by (\S+) points .*? (\S+) of which", markdown)[0])
    assert off == round(100 * measured.evaluation.scores.ece, 1)
    assert chance == pytest.approx(off, rel=0.35)
    assert "about 80 in 100 answers are right" in markdown
    assert "In no group do the answers differ" in section(markdown, "For whom")


def test_no_learner_is_in_it(taught: tuple[School, MainBrain], card: Document) -> None:
    for learner in taught[0].table.keys["learner"].unique():
        assert learner not in card.to_markdown()
        assert learner not in card.to_html()


def test_a_group_that_does_better_than_said_is_named_with_its_interval(taught: tuple[School, MainBrain]) -> None:
    """Half the learners answer everything rightly in the end, which the model cannot have known."""
    made, brain = taught
    learners = made.table.keys["learner"]
    lucky = (learners.str.slice(-1).cast(pl.Int32) % 2 == 0).to_numpy()
    correct = made.table.keys["correct"].to_numpy().copy()
    rows = made.split.evaluate[lucky[made.split.evaluate]]
    correct[rows] = 1
    attributes = (
        learners.unique()
        .sort()
        .to_frame()
        .with_columns(
            grade=pl.when(pl.col("learner").str.slice(-1).cast(pl.Int32) % 2 == 0)
            .then(pl.lit("7"))
            .otherwise(pl.lit("8"))
        )
    )
    measured = measured_of(made.with_answers(correct), brain, attributes)
    markdown = build_card(brain, measured, FACTS).to_markdown()
    assert re.search(r"- grade: 7: 60 learners did better than predicted, by \d+\.\d% of answers", markdown)
    assert "- grade: 8" not in markdown
    assert "percentages are off by" in section(markdown, "Limits")


def test_attributes_without_a_group_large_enough_are_said_to_be_unchecked(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    attributes = made.table.keys["learner"].unique().to_frame().with_columns(disability=pl.lit("*"))
    markdown = build_card(brain, measured_of(made, brain, attributes), FACTS).to_markdown()
    assert "large enough to be reported: disability." in section(markdown, "For whom")
    assert "could not be checked for every attribute" in section(markdown, "Limits")


def test_an_estimator_that_keeps_no_curve_has_a_card_without_one(
    taught: tuple[School, MainBrain], measured: CardMeasures
) -> None:
    silent = replace(measured, curves=(Curve(np.empty(0), np.empty(0)),))
    assert "card_training.png" not in build_card(taught[1], silent, FACTS).pictures


def test_training_on_a_sample_and_training_cut_short_are_said(taught: tuple[School, MainBrain]) -> None:
    made = taught[0]
    brain = made.fit(QUICK.model_copy(update={"max_iterations": 3}))
    facts = replace(FACTS, sampling="every answer of 10 learners, drawn from 40")
    markdown = build_card(brain, measured_of(made, brain), facts).to_markdown()
    assert "trained on a sample: every answer of 10 learners, drawn from 40." in markdown
    assert "ended at the limit of 3 rounds" in section(markdown, "Limits")


def test_a_document_escapes_what_would_be_markup() -> None:
    blocks = (
        Paragraph("a < b & c"),
        Bullets(("<script>",)),
        Table(("x|y", "n"), (("<i>", "1"),)),
        Picture("p.png", PNG, 'says "so"'),
    )
    made = Document("<T>", "s", (Section("A & B", blocks),))
    content = made.to_html()
    assert "<script>" not in content
    assert "<i>" not in content
    assert "a &lt; b &amp; c" in content
    assert 'alt="says &#34;so&#34;"' in content
    assert "| x/y | n |\n| --- | ---: |\n| <i> | 1 |" in made.to_markdown()
