"""All attacks on one simulated school. Belongs here: in which order they are made; each has its own module."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aivo_assets.benchmarks.privacy.membership import MembershipAttack, attack_main_brain
from aivo_assets.benchmarks.privacy.report import PrivacyFigures
from aivo_assets.benchmarks.privacy.school import PublishedSchool, publish
from aivo_assets.benchmarks.privacy.tables import Risk, TableFigures, own_figures, peer_figures, published_tables
from aivo_assets.benchmarks.privacy.trajectories import uniqueness
from aivo_assets.settings import Settings


@dataclass(frozen=True)
class Plan:
    """What is attacked.

    Attributes:
        learners: Of the school.
        days: It has lived for.
        seed: Of everything.
        peer_python: Interpreter with pyCANON and Anonymeter; None: without them.
        attacks: Guesses of each of Anonymeter's attacks at most.
        points: Numbers of answers that single somebody out.
        trajectories: Learners attacked by theirs.
        shadows: Models of the attack on the main brain; 0: without it.
        shadow_learners: Learners of a smaller school that these are trained on.
        leaves: Further smallest leaves to train with, for the curve of what protection costs.
    """

    learners: int = 1500
    days: int = 14
    seed: int = 0
    peer_python: str | None = None
    attacks: int = 300
    points: tuple[int, ...] = (1, 2, 3, 5)
    trajectories: int = 500
    shadows: int = 32
    shadow_learners: int = 400
    leaves: Sequence[int] = ()


def measure_privacy(
    plan: Plan, settings: Settings, *, asked: dict[str, str], say: Callable[[str], None] = lambda _: None
) -> PrivacyFigures:
    """Publish a school as the settings say, and attack it.

    Args:
        plan: What is attacked.
        settings: How it is published and trained.
        asked: For the head of the report.
        say: Told of progress.
    """
    assert plan.shadows % 2 == 0, "shadows come in pairs"
    say("a school is simulated and published")
    school = publish(plan.learners, plan.days, plan.seed, settings.privacy)
    tables, risks = _tables(school, plan, settings, say)
    say("trajectories are attacked")
    trajectories = uniqueness(school.moments, points=plan.points, most_learners=plan.trajectories, seed=plan.seed)
    return PrivacyFigures(
        asked=asked,
        k=settings.privacy.k_anonymity,
        loss=school.report.loss,
        tables=tables,
        risks=risks,
        trajectories=trajectories,
        membership=_membership(plan, settings, say) if plan.shadows else (),
    )


def _tables(
    school: PublishedSchool, plan: Plan, settings: Settings, say: Callable[[str], None]
) -> tuple[tuple[TableFigures, ...], tuple[Risk, ...]]:
    tables = published_tables(school)
    own = [own_figures(name, table, school.learners.height) for name, table in tables.items()]
    if plan.peer_python is None:
        return tuple(own), ()
    say("pyCANON and Anonymeter measure")
    others = publish(plan.learners, min(plan.days, 2), plan.seed + 1, settings.privacy).truth
    peers, risks = peer_figures(plan.peer_python, school, others, tables, attacks=plan.attacks)
    beside = []
    for figures in own:
        whole, secret = peers.get(f"{figures.name}: k"), peers.get(figures.name)
        if whole is not None and secret is not None:
            found = {"peer_k": whole["k"], "peer_l": secret["l"], "peer_t": secret["t"]}
            figures = figures.model_copy(update=found)  # noqa: PLW2901 - the same row, filled in
        beside.append(figures)
    return tuple(beside), risks


def _membership(plan: Plan, settings: Settings, say: Callable[[str], None]) -> tuple[MembershipAttack, ...]:
    events = publish(plan.shadow_learners, plan.days, plan.seed + 2, settings.privacy).interactions
    ways = {"as set": settings.training}
    for leaf in plan.leaves:
        ways[f"smallest leaf {leaf} instead of {settings.training.min_samples_leaf}"] = settings.training.model_copy(
            update={"min_samples_leaf": leaf}
        )
    return tuple(
        attack_main_brain(events, settings, training, shadows=plan.shadows, seed=plan.seed, named=named, say=say)
        for named, training in ways.items()
    )
