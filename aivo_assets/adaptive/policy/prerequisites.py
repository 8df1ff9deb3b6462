"""Prerequisites of skills. Belongs here: the skill graph, its checks, and a learner's weakest prerequisite.

The graph is given, never guessed. What is wrong with it (a cycle, a skill that no item practises) is left out and
reported edge by edge, so that one typing mistake does not stop the recommendations of a school.
"""

from collections import deque
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import polars as pl

from aivo_assets.errors import SettingsError
from aivo_assets.settings import PolicySettings

COLUMNS: Final = ("skill", "prerequisite")
_CLOSURE: Final = {"skill_id": pl.String, "prerequisite": pl.String, "depth": pl.Int32}


@dataclass(frozen=True)
class SkillGraph:
    """A checked skill graph.

    Attributes:
        closure: skill_id, prerequisite, depth (Int32; 1: direct): every prerequisite, however far back, once.
        problems: A sentence on each edge that was left out.
    """

    closure: pl.DataFrame
    problems: tuple[str, ...] = ()

    @classmethod
    def none(cls) -> "SkillGraph":
        """The graph of a school that gave none."""
        return cls(pl.DataFrame(schema=_CLOSURE))


def read_prerequisites(path: Path) -> pl.DataFrame:
    """Read a skill graph: columns skill and prerequisite (String), one row an edge.

    Raises:
        SettingsError: The file is absent or a column is missing.
    """
    fix = "Correct AIVO_POLICY_PREREQUISITES: a CSV or Parquet file with columns skill and prerequisite."
    if not path.is_file():
        raise SettingsError(f"There is no skill graph {path}", fix=fix)
    table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise SettingsError(f"The skill graph {path} has no column {', '.join(missing)}", fix=fix)
    return table.select(pl.col(name).cast(pl.String).str.strip_chars() for name in COLUMNS)


def skill_graph(edges: pl.DataFrame, known: pl.Series) -> SkillGraph:
    """Check a skill graph and close it.

    Args:
        edges: skill, prerequisite.
        known: Skills that the item bank practises.

    Returns:
        The graph without edges of unknown skills and without those that close a cycle: of a cycle the edge that comes
        last in the file is left out.
    """
    skills, problems = set(known.to_list()), []
    direct: dict[str, list[str]] = {}
    for row, (skill, prerequisite) in enumerate(edges.unique(maintain_order=True).iter_rows(), start=1):
        unknown = [name for name in (skill, prerequisite) if name not in skills]
        if unknown:
            problems.append(f"edge {row}, {skill} ← {prerequisite}: no item practises {', '.join(map(repr, unknown))}")
            continue
        try:
            TopologicalSorter({**direct, skill: [*direct.get(skill, []), prerequisite]}).prepare()
        except CycleError as cycle:
            problems.append(f"edge {row}, {skill} ← {prerequisite}: closes the cycle {' ← '.join(cycle.args[1][::-1])}")
            continue
        direct.setdefault(skill, []).append(prerequisite)
    rows = [(skill, *ancestor) for skill in direct for ancestor in _ancestors(skill, direct)]
    return SkillGraph(pl.DataFrame(rows, schema=_CLOSURE, orient="row").sort(list(_CLOSURE)), tuple(problems))


def _ancestors(skill: str, direct: dict[str, list[str]]) -> list[tuple[str, int]]:
    """All that a skill builds on, with the least number of steps to it."""
    depth, queue = {skill: 0}, deque([skill])
    while queue:
        at = queue.popleft()
        for before in direct.get(at, []):
            if before not in depth:
                depth[before] = depth[at] + 1
                queue.append(before)
    return [(name, steps) for name, steps in depth.items() if steps]


def add_prerequisite(
    decided: pl.DataFrame, graph: SkillGraph, mastery: pl.DataFrame | None, *, kind: str, settings: PolicySettings
) -> pl.DataFrame:
    """Point each decision of a kind to the learner's weakest prerequisite.

    The weakest: of all prerequisites that they practised and master less than the success zone asks for, the one that
    they master least. If they practised none: a direct one, by name, for what was never seen is no mastery either.
    If they master all that they practised and there is no other, the skill itself.

    Args:
        decided: learner, subject, skill_id, kind, recommended_level, recent_items and whatever else.
        graph: The skill graph.
        mastery: `SKILL_MASTERY` of the learners; None: nothing is known of any prerequisite.
        kind: The kind that goes back to the basics.
        settings: The success zone.

    Returns:
        The same rows in the same order with content_skill, content_wanted (Int8: the level of it that fits),
        content_recent (List[String]: recent items of it) and prerequisite_mastery (null: none chosen, or unknown).
    """
    rows = decided.with_row_index("_row")
    chosen = _weakest(rows.filter(pl.col("kind") == kind), graph, mastery, settings)
    recent = rows.select("learner", "subject", content_skill="skill_id", content_recent="recent_items")
    return (
        rows.join(chosen, on="_row", how="left", maintain_order="left")
        .with_columns(
            content_skill=pl.coalesce("_prerequisite", "skill_id"),
            content_wanted=pl.coalesce("_level", "recommended_level"),
        )
        .join(recent, on=["learner", "subject", "content_skill"], how="left", maintain_order="left")
        .with_columns(pl.col("content_recent").fill_null([]))
        .drop("_row", "_prerequisite", "_level")
    )


def _weakest(
    rows: pl.DataFrame, graph: SkillGraph, mastery: pl.DataFrame | None, settings: PolicySettings
) -> pl.DataFrame:
    """Chosen prerequisite of each row: _row, _prerequisite, _level (null where not practised), prerequisite_mastery."""
    zone_middle = sum(settings.success_zone) / 2
    distance = pl.col("level_probabilities").list.eval((pl.element() - zone_middle).abs())
    schema = {"learner": pl.String, "subject": pl.String, "prerequisite": pl.String, "prerequisite_mastery": pl.Float64}
    known = (
        pl.DataFrame(schema={**schema, "_level": pl.Int8})
        if mastery is None
        else mastery.filter(pl.col("opportunities") > 0).select(
            "learner",
            "subject",
            prerequisite="skill_id",
            prerequisite_mastery="mastery",
            _level=(distance.list.arg_min() + 1).cast(pl.Int8),
        )
    )
    weakest = (
        rows.select("_row", "learner", "subject", "skill_id")
        .join(graph.closure, on="skill_id")
        .join(known, on=["learner", "subject", "prerequisite"], how="left")
    )
    weak = weakest.filter(pl.col("prerequisite_mastery") < settings.success_zone[0])
    unseen = weakest.filter(pl.col("prerequisite_mastery").is_null() & (pl.col("depth") == 1))
    order = ["_row", "prerequisite_mastery", "depth", "prerequisite"]
    ranked = pl.concat([weak.sort(order), unseen.sort(order)])
    return ranked.unique("_row", keep="first", maintain_order=True).select(
        "_row", "_level", "prerequisite_mastery", _prerequisite="prerequisite"
    )
