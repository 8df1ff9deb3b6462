"""A validity report as text. Belongs here: tables; no measuring."""

from collections.abc import Sequence

from aivo_assets.benchmarks.matching import MatchedDifference
from aivo_assets.benchmarks.validity.fairness import GroupRow
from aivo_assets.benchmarks.validity.validity import Comparison, KindRow, ProofRow, Reliability, ValidityReport


def text(report: ValidityReport) -> str:
    """The whole report, one table after another; intervals are 95 %, drawn over learners."""
    parts = [
        "\n".join(f"{name}: {value}" for name, value in report.asked.items()),
        _kinds(report.kinds),
        _comparisons(report.comparisons),
        _reliability(report.reliability),
        *(
            _table(
                f"Bins of the {row.name} confidence",
                ["said", "held", "outcomes"],
                [[f"{predicted:.3f}", f"{held:.3f}", f"{count:,}"] for predicted, held, count in row.bins],
            )
            for row in report.reliability
        ),
    ]
    if report.proofs:
        parts.append(_proofs(report.proofs))
    if report.groups:
        parts.append(_groups(report.groups))
    return "\n\n".join(part for part in parts if part)


def _kinds(rows: Sequence[KindRow]) -> str:
    return _table(
        "What each kind was followed by (success 0 to 1)",
        ["kind", "rank 1", "all", "rows", "learners", "next 10", "next day", "harder items", "expectation held"],
        [
            [
                row.kind,
                f"{row.share:.1%}",
                f"{row.share_all:.1%}",
                f"{row.rows:,}",
                f"{row.learners:,}",
                *(_share(value) for value in (row.next_success, row.next_day, row.harder, row.held)),
            ]
            for row in rows
        ],
    )


def _comparisons(rows: Sequence[Comparison]) -> str:
    return _table(
        "Against matched learners told to carry on (breaks: against matched sessions)",
        ["kind", "outcome", "matched on", "wanted", "difference", "rows", "learners", "controls", "verdict"],
        [
            [
                row.kind,
                row.outcome,
                row.matched_on,
                {1: "more", -1: "less", 0: ""}[row.wanted],
                str(row.gap),
                f"{row.gap.rows:,}",
                f"{row.gap.learners:,}",
                f"{row.gap.controls:,}",
                row.verdict,
            ]
            for row in rows
        ],
    )


def _reliability(rows: Sequence[Reliability]) -> str:
    return _table(
        "Reliability of the confidence",
        ["confidence", "outcomes", "learners", "mean", "held", "ECE", "Brier", "log loss"],
        [
            [
                row.name,
                f"{row.outcomes:,}",
                f"{row.learners:,}",
                *(f"{value:.3f}" for value in (row.mean, row.held, row.ece, row.brier, row.log_loss)),
            ]
            for row in rows
        ],
    )


def _proofs(rows: Sequence[ProofRow]) -> str:
    return _table(
        "Counterfactuals tested: carried out, and decided again by the code itself",
        ["way", "the kind that it names", "another kind than before", "tried", "learners"],
        [
            [row.way, _share(row.true), _share(row.other), f"{row.true.rows:,}", f"{row.true.learners:,}"]
            for row in rows
        ],
    )


def _groups(rows: Sequence[GroupRow]) -> str:
    kinds = sorted({kind for row in rows for kind in row.rates})
    return _table(
        "By group: share of each kind, error of the expectation (said less held)",
        ["attribute", "group", "learners", *kinds, "held", "error"],
        [
            [
                row.attribute,
                row.group,
                f"{row.learners:,}",
                *(_share(row.rates[kind]) for kind in kinds),
                _share(row.held),
                str(row.error),
            ]
            for row in rows
        ],
    )


def _share(value: MatchedDifference) -> str:
    return f"{value.value:.3f} [{value.lower:.3f}, {value.upper:.3f}]" if value.rows else "–"


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    widths = [max(len(line[place]) for line in (head, *rows)) for place in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in (head, *rows)]
    return "\n".join([title, *(line.rstrip() for line in (lines[0], "-" * len(lines[0]), *lines[1:]))])
