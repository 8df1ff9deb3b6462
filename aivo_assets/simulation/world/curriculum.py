"""What is taught: subjects, skills, items. Belongs here: content and its true parameters; no learner.

A subject has four grades' worth of skills, four skills a grade. A skill needs the one before it in its grade and
the one in its place a grade below. Items carry a truth (difficulty, discrimination, guess) and what an author believes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.simulation.draws import Draws
from aivo_assets.simulation.parameters import Parameters

SKILLS_PER_GRADE = 4
GRADES = (5, 6, 7, 8)

SUBJECTS: dict[str, tuple[str, ...]] = {
    "mathematics": (
        *("place-value", "multiplication-facts", "long-division", "fractions-equivalence"),
        *("fractions-addition", "decimals", "percentages", "angles"),
        *("negative-numbers", "ratio", "area-and-volume", "linear-expressions"),
        *("linear-equations", "pythagoras", "probability", "functions-and-graphs"),
    ),
    "reading": (
        *("main-idea", "vocabulary-in-context", "sequence-of-events", "facts-and-opinions"),
        *("inference", "character-motives", "text-structure", "cause-and-effect"),
        *("figurative-language", "author-purpose", "comparing-texts", "summarising"),
        *("tone-and-mood", "argument-and-evidence", "irony-and-satire", "bias-in-sources"),
    ),
    "science": (
        *("states-of-matter", "food-chains", "forces", "the-solar-system"),
        *("mixtures-and-solutions", "plant-life", "electric-circuits", "rocks-and-soils"),
        *("particles", "cells", "energy-transfer", "weather-and-climate"),
        *("chemical-reactions", "genetics", "motion-and-speed", "ecosystems"),
    ),
}
SUBJECT_SECONDS = {"mathematics": 34.0, "reading": 48.0, "science": 28.0}  # median of an item of middling length


@dataclass(frozen=True)
class Curriculum:
    """Skills and items as arrays; S skills, Q items. Index order is fixed by the seed.

    Attributes:
        skill_ids: S names, `subject.skill`.
        skill_subject: Int32 [S], index into `SUBJECTS`.
        skill_grade: Int32 [S], 0 for the lowest grade.
        prerequisites: Int32 [S, 2], skill indices, −1 for none.
        skill_difficulty: Float64 [S], true mean difficulty of the skill's items.
        skill_rate: Float64 [S], how fast the skill is learnt, relative.
        item_ids: Q names.
        item_skills: Int32 [Q, 2], second −1 for an item of one skill.
        difficulty: Float64 [Q], true, higher = harder.
        discrimination: Float64 [Q], true.
        guess: Float64 [Q], true probability of success without any knowledge.
        intensity: Float64 [Q], log of the seconds that the item takes.
        hints: Int32 [Q], hints that the item offers.
        authored: Float64 [Q], what the author believes the difficulty to be; public.
        by_skill: Int32 [Q], items ordered by first skill, then by authored difficulty.
        skill_start: Int32 [S + 1], where each skill begins in `by_skill`.
    """

    skill_ids: tuple[str, ...]
    skill_subject: npt.NDArray[np.int32]
    skill_grade: npt.NDArray[np.int32]
    prerequisites: npt.NDArray[np.int32]
    skill_difficulty: npt.NDArray[np.float64]
    skill_rate: npt.NDArray[np.float64]
    item_ids: tuple[str, ...]
    item_skills: npt.NDArray[np.int32]
    difficulty: npt.NDArray[np.float64]
    discrimination: npt.NDArray[np.float64]
    guess: npt.NDArray[np.float64]
    intensity: npt.NDArray[np.float64]
    hints: npt.NDArray[np.int32]
    authored: npt.NDArray[np.float64]
    by_skill: npt.NDArray[np.int32]
    skill_start: npt.NDArray[np.int32]

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """Names of the subjects in index order."""
        return tuple(SUBJECTS)

    @cached_property
    def item_subject(self) -> npt.NDArray[np.int32]:
        """Int32 [Q], the subject of each item."""
        subject: npt.NDArray[np.int32] = self.skill_subject[self.item_skills[:, 0]]
        return subject

    @cached_property
    def items(self) -> pl.DataFrame:
        """What is public of each item: item_id, subject, skill_ids, authored_difficulty; in index order."""
        names = np.array(self.skill_ids, dtype=object)
        return pl.DataFrame(
            {
                "item_id": self.item_ids,
                "subject": np.array(self.subjects, dtype=object)[self.item_subject],
                "skill_ids": [[str(names[skill]) for skill in pair if skill >= 0] for pair in self.item_skills],
                "authored_difficulty": self.authored,
            },
            schema={
                "item_id": pl.String,
                "subject": pl.String,
                "skill_ids": pl.List(pl.String),
                "authored_difficulty": pl.Float64,
            },
        )

    @cached_property
    def skill_graph(self) -> pl.DataFrame:
        """The public skill graph, one row an edge: subject, skill_id, prerequisite."""
        edges = [
            (skill, int(before)) for skill, pair in enumerate(self.prerequisites) for before in pair if before >= 0
        ]
        return pl.DataFrame(
            {
                "subject": [self.subjects[self.skill_subject[skill]] for skill, _ in edges],
                "skill_id": [self.skill_ids[skill] for skill, _ in edges],
                "prerequisite": [self.skill_ids[before] for _, before in edges],
            }
        )


def build_curriculum(draws: Draws, items_per_skill: int, parameters: Parameters) -> Curriculum:
    """Write the skills and items of a school.

    Args:
        draws: The school's random numbers.
        items_per_skill: Items of each skill.
        parameters: Assumptions.
    """
    per_subject = SKILLS_PER_GRADE * len(GRADES)
    skills = np.arange(len(SUBJECTS) * per_subject, dtype=np.int64)
    grade = skills % per_subject // SKILLS_PER_GRADE
    before = np.where(skills % SKILLS_PER_GRADE > 0, skills - 1, -1)
    below = np.where(grade > 0, skills - SKILLS_PER_GRADE, -1)
    noise = draws.normals("skills", skills, 2)
    skill_difficulty = parameters.grade_step * grade + 0.25 * noise[:, 0]
    items = np.arange(skills.size * items_per_skill, dtype=np.int64)
    first = items // items_per_skill
    uniform = draws.uniforms("items", items, 4)
    normal = draws.normals("item parameters", items, 4)
    # One item in eight asks for the skill before it too.
    second = np.where(uniform[:, 0] < 0.125, before[first], -1)
    difficulty = skill_difficulty[first] + parameters.item_sd * normal[:, 0] + 0.2 * (second >= 0)
    choices = uniform[:, 1] < 0.6
    by_chance = 0.25 * np.clip(1 + parameters.guess_spread * normal[:, 3], 0.4, 1.4)
    seconds = np.array(list(SUBJECT_SECONDS.values()))[first // per_subject]
    intensity = np.log(seconds) + parameters.intensity_sd * normal[:, 2] + 0.06 * (difficulty - skill_difficulty[first])
    hints = np.where(uniform[:, 2] < parameters.hint_offer, 1 + (3 * uniform[:, 3]).astype(np.int32), 0)
    authored = difficulty + 0.45 * draws.normals("authors", items, 1)[:, 0]
    names = [f"{subject}.{skill}" for subject, named in SUBJECTS.items() for skill in named]
    return Curriculum(
        skill_ids=tuple(names),
        skill_subject=(skills // per_subject).astype(np.int32),
        skill_grade=grade.astype(np.int32),
        prerequisites=np.column_stack([before, below]).astype(np.int32),
        skill_difficulty=skill_difficulty,
        skill_rate=np.exp(parameters.skill_rate_sd * noise[:, 1]),
        item_ids=tuple(f"{names[skill]}.{number % items_per_skill + 1:03d}" for number, skill in enumerate(first)),
        item_skills=np.column_stack([first, second]).astype(np.int32),
        difficulty=difficulty,
        discrimination=np.exp(parameters.discrimination_sd * normal[:, 1]),
        guess=np.where(choices, by_chance, parameters.guess_open),
        intensity=intensity,
        hints=hints.astype(np.int32),
        authored=authored,
        by_skill=np.lexsort((authored, first)).astype(np.int32),
        skill_start=np.arange(0, items.size + 1, items_per_skill, dtype=np.int32),
    )
