"""Names, e-mails, birth dates and the like, to give privacy something to protect. Belongs here: the learner table.

The people are invented (Faker, seeded). Some combinations of attributes are rare on purpose: a k-anonymous table has to
suppress them.
"""

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
from faker import Faker

from aivo_assets.events.schema import Learner
from aivo_assets.simulation.draws import Draws
from aivo_assets.simulation.world.curriculum import GRADES
from aivo_assets.simulation.world.roster import Roster

# (value, share); None is what a school does not know.
GENDERS: tuple[tuple[str | None, float], ...] = (
    ("female", 0.485),
    ("male", 0.485),
    ("non-binary", 0.012),
    (None, 0.018),
)
REGIONS: tuple[tuple[str | None, float], ...] = (
    ("city centre", 0.34),
    ("northern suburbs", 0.26),
    ("southern suburbs", 0.22),
    ("market towns", 0.13),
    ("villages", 0.035),
    ("islands", 0.003),
    (None, 0.012),
)
DISABILITIES: tuple[tuple[str | None, float], ...] = (
    ("none", 0.872),
    ("dyslexia", 0.05),
    ("attention deficit", 0.035),
    ("dyscalculia", 0.012),
    ("impaired hearing", 0.006),
    ("impaired sight", 0.004),
    ("impaired mobility", 0.003),
    (None, 0.018),
)
NAME_POOL = 600
YOUNGEST_AGE = 10  # on the first of September, in the lowest grade


def learner_id(index: npt.NDArray[np.int64]) -> pl.Series:
    """Raw identifiers of learners: `learner-000042`."""
    return "learner-" + pl.Series("learner_id", index).cast(pl.String).str.zfill(6)


def learner_table(draws: Draws, roster: Roster, start: date) -> pl.DataFrame:
    """The learner table of a roster, columns of `Learner`, one row a learner in roster order.

    Args:
        draws: The school's random numbers.
        roster: Whose table.
        start: First day of the school; birth dates count from its school year.
    """
    uniform = draws.uniforms("people", roster.index, 10)
    first, last = _names(draws.seed)
    gender = _pick(GENDERS, uniform[:, 0])
    # A learner of neither gender has a name from either list.
    female = gender.eq_missing("female") | (~gender.eq_missing("male") & pl.Series(uniform[:, 1] < 0.5))
    place = (uniform[:, 2] * NAME_POOL).astype(np.int64) + NAME_POOL * (~female).to_numpy()
    frame = pl.DataFrame(
        {
            "learner_id": learner_id(roster.index),
            "first": first.gather(place),
            "last": last.gather((uniform[:, 3] * NAME_POOL).astype(np.int64)),
            "number": roster.index,
            "school": roster.school_index + 1,
            "grade": pl.Series([str(grade) for grade in GRADES]).gather(roster.grade),
            "gender": gender,
            "region": _pick(REGIONS, uniform[:, 4]),
            "disability": _pick(DISABILITIES, uniform[:, 5]),
            "birth_date": _birth_dates(roster.grade, start, uniform[:, 6:8]),
            "writes": uniform[:, 9] < 0.97,
        }
    )
    mailbox = (
        pl.concat_str("first", pl.lit("."), "last", "number").str.to_lowercase().str.replace_all(r"[^a-z0-9.]", "")
    )
    address = pl.concat_str(mailbox, pl.lit("@school-"), "school", pl.lit(".example"))
    return frame.select(
        "learner_id",
        pl.concat_str("first", pl.lit(" "), "last").alias("name"),
        pl.when("writes").then(address).alias("email"),
        "birth_date",
        "grade",
        "gender",
        "region",
        "disability",
    ).select(Learner.column_names())


def _names(seed: int) -> tuple[pl.Series, pl.Series]:
    """First names (a pool of female ones, then one of male ones) and last names."""
    faker = Faker("en_GB")
    faker.seed_instance(seed)
    female = [faker.first_name_female() for _ in range(NAME_POOL)]
    male = [faker.first_name_male() for _ in range(NAME_POOL)]
    return pl.Series(female + male), pl.Series([faker.last_name() for _ in range(NAME_POOL)])


def _pick(choices: tuple[tuple[str | None, float], ...], uniform: npt.NDArray[np.float64]) -> pl.Series:
    values = pl.Series([value for value, _ in choices], dtype=pl.String)
    edges = np.cumsum([share for _, share in choices])
    return values.gather(np.minimum(np.searchsorted(edges, uniform), len(choices) - 1))


def _birth_dates(
    grade: npt.NDArray[np.int64], start: date, uniform: npt.NDArray[np.float64]
) -> npt.NDArray[np.datetime64]:
    """Born in the year that fits the grade; one in thirty repeats a year, one in a hundred skipped one."""
    school_year = start.year if start.month >= 8 else start.year - 1
    other = np.where(uniform[:, 0] < 1 / 30, 1, np.where(uniform[:, 0] > 0.99, -1, 0))
    years = school_year - YOUNGEST_AGE - grade - other - 1
    september = (years - 1970).astype("datetime64[Y]").astype("datetime64[M]") + 8
    return september.astype("datetime64[D]") + (365 * uniform[:, 1]).astype(np.int64)
