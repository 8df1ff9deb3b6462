"""Made-up practice in which ability, difficulty and the item before matter. Belongs here: making events."""

import numpy as np
import polars as pl

from aivo_assets.settings import TrainingSettings
from aivo_assets_tests.tracing.histories import events

QUICK = TrainingSettings(
    max_iterations=20, learning_rate=0.2, max_leaves=6, min_samples_leaf=20, patience=5, feature_share=1.0
)


def practice(learners: int = 60, each: int = 40, seed: int = 1, first: int = 0) -> pl.DataFrame:
    """Learners answer an item a minute, of one or two skills; item i5 is as good as told by i4."""
    random = np.random.default_rng(seed)
    difficulty = np.random.default_rng(9).normal(0, 1, 20)
    rows, number = [], 0
    for learner in range(first, first + learners):
        ability, item = random.normal(0, 1), 0
        for place in range(each):
            told = item == 4
            item = 5 if told else int(random.integers(0, 20))
            chance = 1 / (1 + np.exp(difficulty[item] - ability - 3.0 * (told and item == 5)))
            skills = [f"s{item % 4}", *(["s9"] if item % 5 == 0 else [])]
            rows.append(
                {
                    "learner": f"l{learner:03d}",
                    "at": 60 * place + 90_000 * (place // 20),
                    "item": f"i{item}",
                    "skills": skills,
                    "correct": int(random.random() < chance),
                }
            )
            number += 1
    return events(rows).with_columns(event=pl.lit(f"{first}-") + pl.col("event"))
