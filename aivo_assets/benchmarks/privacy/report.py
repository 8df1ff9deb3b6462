"""The figures of `aivo benchmark privacy` beside their targets, as text. Nothing is measured here."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from aivo_assets.benchmarks.privacy.membership import MembershipAttack
from aivo_assets.benchmarks.privacy.tables import Risk, TableFigures
from aivo_assets.benchmarks.privacy.trajectories import Uniqueness

MOST_AUC, MOST_TRUE_POSITIVES, MOST_SINGLED_OUT = 0.52, 0.02, 0.05


class PrivacyFigures(BaseModel):
    """Everything that was measured.

    Attributes:
        asked: School, sizes, machine and versions.
        k: What the settings ask for.
        loss: Detail of the attributes that this cost, 0 … 1.
        tables: Published tables.
        risks: Anonymeter's; empty without its interpreter.
        trajectories: How few answers single out a learner.
        membership: Attacks on the main brain, one a way of training; the first is that of the settings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: dict[str, str]
    k: int
    loss: float
    tables: tuple[TableFigures, ...]
    risks: tuple[Risk, ...] = ()
    trajectories: tuple[Uniqueness, ...] = ()
    membership: tuple[MembershipAttack, ...] = ()


def text(figures: PrivacyFigures) -> str:
    """All figures as plain text, targets that are missed marked."""
    return "\n".join(_lines(figures))


def _lines(figures: PrivacyFigures) -> Iterator[str]:
    yield from (f"{name}: {value}" for name, value in figures.asked.items())
    yield f"\nPublished tables (target: k of {figures.k}); {figures.loss:.1%} of the detail is not published"
    yield f"  {'table':<36}{'learners':>9}{'silent':>8}{'k':>5}{'l':>4}{'t':>7}   pyCANON k, l, t"
    yield from map(_table, figures.tables)
    if figures.risks:
        yield f"\nAnonymeter: attack on learners less that on others (target: singling out at most {MOST_SINGLED_OUT})"
        yield from map(_risk, figures.risks)
    if figures.trajectories:
        yield "\nShare of a school's learners whom so many known answers single out"
        yield from _trajectories(figures.trajectories)
    if figures.membership:
        yield (
            f"\nWho was trained on (targets: AUC at most {MOST_AUC}, at 1 % false alarms at most "
            f"{MOST_TRUE_POSITIVES:.0%} found)"
        )
        yield from _membership(figures.membership)


def _table(table: TableFigures) -> str:
    peers = "–" if table.peer_k is None else f"{table.peer_k:g}, {table.peer_l:g}, {table.peer_t:.2f}"
    own = f"{_number(table.k):>5}{_number(table.distinct):>4}{_share(table.closeness):>7}"
    return f"  {table.name:<36}{table.rows:>9,}{table.silent:>8,}{own}   {peers}"


def _risk(risk: Risk) -> str:
    if risk.risk is None:
        return f"  {risk.name:<44}not measured: {risk.problem}"
    missed = "  MISSED" if risk.name.startswith("singling") and risk.risk > MOST_SINGLED_OUT else ""
    return f"  {risk.name:<44}{risk.risk:.3f} ({risk.low:.3f} to {risk.high:.3f}){missed}"


def _trajectories(rows: tuple[Uniqueness, ...]) -> Iterator[str]:
    points = sorted({row.points for row in rows})
    yield f"  {'known of each answer':<44}" + "".join(f"{count:>8}" for count in points)
    for known in dict.fromkeys(row.known for row in rows):
        shares = {row.points: row.singled_out for row in rows if row.known == known}
        yield f"  {known:<44}" + "".join(f"{shares[count]:>8.0%}" for count in points)


def _membership(attacks: tuple[MembershipAttack, ...]) -> Iterator[str]:
    for attack in attacks:
        yield f"  {attack.training}: AUC {attack.accuracy:.4f}, log loss {attack.log_loss:.4f} on later answers"
        for figure in attack.figures:
            missed = figure.auc > MOST_AUC or figure.true_positives > MOST_TRUE_POSITIVES
            yield (
                f"    {figure.sees:<32}AUC {figure.auc:.3f} ({figure.auc_low:.3f} to {figure.auc_high:.3f}), "
                f"found at 1 %: {figure.true_positives:.1%}, {figure.shadows} shadows, {figure.learners} learners"
                + ("  MISSED" if missed else "")
            )


def _number(value: int | None) -> str:
    return "–" if value is None else str(value)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
