"""A simulated school as it is published. Belongs here: raw rows and what the privacy stage makes of them; no attack.

The simulator's rows are complete: names, birth dates, schools, classes, teachers. What an attacker gets is made by the
platform's own functions, under a key that nobody keeps.
"""

import secrets
from dataclasses import dataclass

import polars as pl

from aivo_assets.benchmarks.simulated_school import FIRST_SCHOOL_DAY
from aivo_assets.privacy import (
    AnonymityReport,
    PseudonymKey,
    anonymise_interactions,
    anonymise_learners,
    generalised_attributes,
)
from aivo_assets.privacy.places import places
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.privacy.schema import ATTRIBUTES
from aivo_assets.settings import PrivacySettings, SimulatorSettings
from aivo_assets.simulation import School
from aivo_assets.simulation.records import Recorder
from aivo_assets.simulation.simulation import Simulation, teacher

SHARDS = 4


@dataclass(frozen=True)
class PublishedSchool:
    """What an attacker gets, and what is true.

    Attributes:
        moments: learner, school, day, occurred_at (exact), gap_s, item_id: what an onlooker may know of answers.
        interactions: ANONYMISED_INTERACTIONS.
        learners: ANONYMISED_LEARNERS.
        truth: learner and the attributes as they are, at their finest (String).
        place: learner, place: school, classes and teachers together (see `places`).
        report: Of the learner table.
    """

    moments: pl.DataFrame
    interactions: pl.DataFrame
    learners: pl.DataFrame
    truth: pl.DataFrame
    place: pl.DataFrame
    report: AnonymityReport


def publish(learners: int, days: int, seed: int, settings: PrivacySettings) -> PublishedSchool:
    """Let a school live under its usual teachers, and take the personal data out.

    Args:
        learners: Enrolled; who never answers is left out.
        days: From the first school day.
        seed: Of everything but the key.
        settings: How it is published.
    """
    school = School.build(SimulatorSettings(learners=learners, seed=seed, dirt=0.0), FIRST_SCHOOL_DAY)
    simulation, recorder = Simulation(school.world, teacher), Recorder(school.world)
    raw = pl.concat([recorder.frame(simulation.live_one_day()) for _ in range(days)])
    people = school.learners().join(raw.select("learner_id").unique(), on="learner_id", how="semi")
    key = PseudonymKey(secrets.token_hex(32))
    interactions = anonymise_interactions(raw, key, settings, SHARDS)
    beside = places(interactions.lazy(), settings.alike_within)
    made = anonymise_learners(people, key, settings, SHARDS, FIRST_SCHOOL_DAY, beside)
    finest = generalised_attributes(people, band_years=settings.age_band_years, as_of=FIRST_SCHOOL_DAY)
    truth = finest.select(
        pseudonyms(people["learner_id"], "learner", key).alias("learner"),
        *(pl.col(f"{name}@0").fill_null("unknown").alias(name) for name in ATTRIBUTES),
    )
    place = places(interactions.lazy(), "class")
    return PublishedSchool(_moments(raw, key), interactions, made.frame, truth, place, made.report)


def _moments(raw: pl.DataFrame, key: PseudonymKey) -> pl.DataFrame:
    gap = pl.col("occurred_at").diff().over("learner", "day").dt.total_seconds()
    return (
        raw.select(
            pseudonyms(raw["learner_id"], "learner", key).alias("learner"),
            pl.col("occurred_at").dt.date().alias("day"),
            "occurred_at",
            "item_id",
            school="school_id",
        )
        .sort("learner", "occurred_at", maintain_order=True)
        .with_columns(gap_s=gap)
    )
