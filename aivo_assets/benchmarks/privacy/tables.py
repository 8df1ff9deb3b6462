"""Published tables with the keys that can be joined to them. Belongs here: k, l, t by us, and by the peers."""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl
from pydantic import BaseModel, ConfigDict

from aivo_assets.benchmarks.privacy.school import PublishedSchool
from aivo_assets.errors import RunError, SettingsError
from aivo_assets.privacy.schema import ATTRIBUTES, SUPPRESSED

SENSITIVE: Final = "disability"
"""The attribute whose diversity is asked for: that which a learner would least like to have inferred."""
NEEDS: Final = 'pycanon anonymeter "numpy<2"'
_SCRIPT = Path(__file__).with_name("peer_tables.py")


class TableFigures(BaseModel):
    """One table as an attacker has it.

    Attributes:
        name: Which, and with what joined to it.
        rows: Learners.
        silent: Of them, those of whom nothing is published; they are left out of what follows.
        k: Smallest class of those alike in all that is known; None where nothing is published.
        distinct: l: fewest values of the secret in a class (1: everybody of some class has the same).
        closeness: t: largest distance of a class's distribution of the secret from that of all.
        peer_k, peer_l, peer_t: The same by pyCANON.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rows: int
    silent: int
    k: int | None
    distinct: int | None
    closeness: float | None
    peer_k: int | None = None
    peer_l: int | None = None
    peer_t: float | None = None


class Risk(BaseModel):
    """One attack of Anonymeter on learners of the release, less the same on others.

    Attributes:
        name: Which.
        risk: 0 … 1; None where the attack could not be made.
        low, high: 95 % interval.
        problem: Why it could not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    risk: float | None
    low: float | None = None
    high: float | None = None
    problem: str = ""


def published_tables(school: PublishedSchool) -> dict[str, pl.DataFrame]:
    """The learner table alone and with what answers add to it, rows that publish nothing left out."""
    telling = ~pl.all_horizontal(pl.col(name).eq_missing(pl.lit(SUPPRESSED)) for name in ATTRIBUTES)
    learners = school.learners.filter(telling).with_columns(pl.col(ATTRIBUTES).fill_null("unknown"))
    schools = school.interactions.group_by("learner").agg(school=pl.col("school").unique().sort().str.join(","))
    return {
        "learner table": learners.select("learner", *ATTRIBUTES),
        "with the school": learners.join(schools, on="learner").select("learner", *ATTRIBUTES, "school"),
        "with school, classes and teachers": learners.join(school.place, on="learner").select(
            "learner", *ATTRIBUTES, "place"
        ),
    }


def own_figures(name: str, table: pl.DataFrame, all_rows: int) -> TableFigures:
    """k, l and t of a table.

    Args:
        name: What the report calls it.
        table: learner and what is published of them, `SENSITIVE` among it.
        all_rows: Learners, those who are silent included.
    """
    everything = [column for column in table.columns if column != "learner"]
    known = [column for column in everything if column != SENSITIVE]
    silent = all_rows - table.height
    if table.is_empty():
        return TableFigures(name=name, rows=all_rows, silent=silent, k=None, distinct=None, closeness=None)
    overall = table.select(SENSITIVE).group_by(SENSITIVE).agg(share=pl.len() / table.height)
    within = (
        table.group_by([*known, SENSITIVE])
        .agg(count=pl.len())
        .with_columns(total=pl.col("count").sum().over(known), kinds=pl.len().over(known))
        .join(overall, on=SENSITIVE)
        # Half the sum of absolute differences; values that a class lacks add their whole share.
        .with_columns(gap=(pl.col("count") / pl.col("total") - pl.col("share")).abs())
        .group_by(known)
        .agg(t=(pl.col("gap").sum() + 1 - pl.col("share").sum()) / 2, kinds=pl.col("kinds").first())
    )
    return TableFigures(
        name=name,
        rows=all_rows,
        silent=silent,
        k=int(table.group_by(everything).len()["len"].min()),  # type: ignore[arg-type]
        distinct=int(within["kinds"].min()),  # type: ignore[arg-type]
        closeness=float(within["t"].max()),  # type: ignore[arg-type]
    )


def peer_figures(
    python: str, school: PublishedSchool, others: pl.DataFrame, tables: dict[str, pl.DataFrame], *, attacks: int
) -> tuple[dict[str, dict[str, float | None]], tuple[Risk, ...]]:
    """The same by pyCANON, and Anonymeter's risks, in an interpreter that has them.

    Args:
        python: The interpreter.
        school: As it is published.
        others: The truth of learners of another school, who are not in the release.
        tables: As `published_tables` gives them.
        attacks: Guesses of each attack at most.

    Raises:
        SettingsError: The interpreter lacks one of the two.
        RunError: They failed.
    """
    with TemporaryDirectory() as folder:
        place = Path(folder)
        asked = {"tables": _written(tables, place), "attack": _attack(school, others, place, attacks)}
        (place / "asked.json").write_text(json.dumps(asked))
        _run(python, str(_SCRIPT), str(place / "asked.json"), str(place / "answer.json"))
        answer = json.loads((place / "answer.json").read_text())
    return {each["name"]: each for each in answer["tables"]}, tuple(Risk(**each) for each in answer["risks"])


def _written(tables: dict[str, pl.DataFrame], place: Path) -> list[dict[str, object]]:
    written: list[dict[str, object]] = []
    for number, (name, table) in enumerate(tables.items()):
        if table.is_empty():
            continue
        everything = [column for column in table.columns if column != "learner"]
        table.select(everything).write_csv(place / f"{number}.csv")
        file = str(place / f"{number}.csv")
        written.append({"name": f"{name}: k", "file": file, "known": everything, "secret": []})
        known = [column for column in everything if column != SENSITIVE]
        written.append({"name": name, "file": file, "known": known, "secret": [SENSITIVE]})
    return written


def _attack(school: PublishedSchool, others: pl.DataFrame, place: Path, attacks: int) -> dict[str, object]:
    released = school.learners.select(pl.col(ATTRIBUTES).fill_null("unknown"))
    frames = {"inside": school.truth.select(ATTRIBUTES), "released": released, "outside": others.select(ATTRIBUTES)}
    for name, frame in frames.items():
        frame.write_csv(place / f"{name}.csv")
    fewest = min(frame.height for frame in frames.values())
    return {**{name: str(place / f"{name}.csv") for name in frames}, "attacks": min(attacks, fewest)}


def _run(python: str, *arguments: str) -> None:
    try:
        known = subprocess.run(  # noqa: S603 - what the caller named
            [python, "-c", "import pycanon.anonymity, anonymeter.evaluators"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise SettingsError(f"--peer-python {python} cannot be started: {error}", fix="Name a Python.") from error
    if known.returncode != 0:
        raise SettingsError(
            f"pyCANON and Anonymeter cannot be used by {python}: {known.stderr.strip().splitlines()[-1]}",
            fix=f"Make an environment of its own (python -m venv, then pip install {NEEDS}) and name its python with "
            "--peer-python, or leave it out.",
        )
    done = subprocess.run([python, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise RunError(f"The peers failed: {done.stderr.strip()[-400:]}", fix="Leave --peer-python out.")
