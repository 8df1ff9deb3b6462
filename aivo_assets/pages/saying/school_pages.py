"""The page of a head and of those who run the platform, in words. Belongs here: what their templates are given."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from aivo_assets.operations.alerts.folding import OutboxEntry
from aivo_assets.pages.reading.operations_view import Decision, OperationsView
from aivo_assets.pages.reading.school_view import FEWEST, SchoolView, Share
from aivo_assets.pages.saying.charts import Point, chart
from aivo_assets.pages.saying.class_page import stale
from aivo_assets.pages.saying.names import Names
from aivo_assets.pages.texts import Texts


def school_values(
    view: SchoolView, names: Names, texts: Texts, *, today: date, quality: tuple[float, int] | None
) -> dict[str, Any]:
    """What `school.html` speaks of.

    Args:
        view: The school.
        names: For the viewer.
        texts: In their language.
        today: The present day.
        quality: AUC of the model in use and the answers that it was measured on; None where none was.
    """
    groups = [
        _row(each, _group(name, each.name, texts), texts) for name, shares in view.groups.items() for each in shares
    ]
    said = ""
    if quality is not None:
        auc, events = quality
        said = texts(
            "school.model_quality", events=texts.number(events), auc=texts.percent(auc), half=texts.percent(0.5)
        )
    classes = [_row(each, names.class_(each.name), texts) | {"id": each.name} for each in view.classes]
    return {
        "view": view,
        "classes": sorted(classes, key=lambda row: str(row["name"]).casefold()),
        "groups": groups,
        "groups_say": texts("school.groups_say", count=FEWEST),
        "lead": texts(
            "school.lead", day=texts.date(view.day), classes=len(classes), learners=texts.number(view.learners)
        )
        if view.day
        else "",
        "stale": stale(view.newest_answer, today, texts),
        "quality": said,
    }


def operations_values(view: OperationsView, alerts: Sequence[OutboxEntry], texts: Texts) -> dict[str, Any]:
    """What `operations.html` speaks of."""
    last = view.checks[-1] if view.checks else None
    points = [Point(row["day"], row["auc"], row["auc"], row["auc"]) for row in view.checks if row["auc"] is not None]
    drawn = chart(points, texts)
    return {
        "checks": [_check(row, texts) for row in reversed(view.checks)],
        "lead": texts("operations.lead", day=texts.date(last["day"])) if last else "",
        "quality_says": texts(
            "operations.quality_says", half=texts.percent(0.5), limit=texts.percent(last["retrain_score"])
        )
        if last
        else "",
        "picture": drawn,
        "decisions": [_decision(each, texts) for each in view.decisions],
        "aside": [(reason, texts.number(rows)) for reason, rows in view.aside],
        "alerts": [_alert(each, texts) for each in alerts],
        "reports": [
            {"href": f"/documents/drift/day={day}.html", "says": texts("operations.report", day=texts.date(day))}
            for day in view.reports[:5]
        ],
    }


def _row(share: Share, name: str, texts: Texts) -> dict[str, Any]:
    if share.help is None or share.more is None:
        return {"name": name, "learners": share.learners, "help": texts("school.small"), "more": "–", "fine": "–",
                "change": "–"}  # fmt: skip
    helped, more = share.help / share.learners, share.more / share.learners
    change = "–"
    if share.before is not None:
        points = round(100 * (helped - share.before))
        change = texts(
            "school.change_points", count=abs(points), sign="+" if points > 0 else "−" if points < 0 else "±"
        )
    return {
        "name": name, "learners": share.learners, "help": texts.percent(helped), "more": texts.percent(more),
        "fine": texts.percent(1 - helped - more), "change": change,
    }  # fmt: skip


def _group(attribute: str, value: str, texts: Texts) -> str:
    return texts(f"school.{attribute}", value=value)


def _check(row: dict[str, Any], texts: Texts) -> dict[str, str]:
    def share(value: float | None) -> str:
        return "–" if value is None else texts.percent(value)

    return {
        "day": texts.date(row["day"]), "answers": texts.number(row["events"] or 0), "auc": share(row["auc"]),
        "promised": share(row["reference_auc"]), "score": share(row["score"]),
        "version": str(row["model_version"] or "–"),
        "verdict": texts(f"operations.verdicts_{row['verdict']}"),
        "tone": "decided" if row["verdict"] in ("retrain", "alert") else "",
    }  # fmt: skip


def _decision(decision: Decision, texts: Texts) -> dict[str, str]:
    key = "operations.refused" if decision.kind == "refused" else f"operations.move_{decision.kind}"
    at = decision.at
    when = texts.instant(at) if isinstance(at, datetime) else texts.date(at)
    return {"what": texts(key, after=decision.version), "when": when, "why": decision.reason}


def _alert(entry: OutboxEntry, texts: Texts) -> dict[str, str]:
    waiting = texts("operations.not_yet", problem=entry.problem or "–")
    return {
        "what": entry.alert.title,
        "when": texts.instant(entry.alert.occurred_at),
        "times": texts.number(entry.count),
        "delivered": texts("operations.yes") if entry.is_delivered else waiting,
    }
