"""Pages as tables for a spreadsheet. Belongs here: CSV that a spreadsheet opens without running anything in it."""

import csv
import io
from typing import Final

from fastapi.responses import Response

from aivo_assets.pages.reading.class_view import ClassView
from aivo_assets.pages.reading.rewording import in_language
from aivo_assets.pages.saying.names import Names
from aivo_assets.pages.texts import Texts
from aivo_assets.settings import PolicySettings

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def class_table(view: ClassView, names: Names, texts: Texts, settings: PolicySettings) -> Response:
    """Who needs help, and every skill of every learner: a row a learner and skill."""
    advice = {row["learner"]: row for row in in_language(view.needs, texts.code, settings)}
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if texts.code == "de" else ",")
    head = (
        "class.learner",
        "class.subject",
        "pupil.skill",
        "pupil.standing",
        "pupil.mastery",
        "pupil.band",
        "pupil.advice",
    )
    writer.writerow([texts(key) for key in head])
    for learner in view.learners:
        row = advice.get(learner)
        for (subject, skill), cell in sorted(view.cells.get(learner, {}).items()):
            told = row["headline"] if row and (row["subject"], row["skill_id"]) == (subject, skill) else ""
            band = f"{round(cell.lower * 100)}–{round(cell.upper * 100)} %"
            line = (names.learner(learner), names.subject(subject), names.skill(skill, subject),
                    texts(f"standing.{cell.standing}"), texts.percent(cell.mastery), band, told or "")  # fmt: skip
            writer.writerow([_harmless(each) for each in line])
    # The mark tells a spreadsheet that this is UTF-8.
    headers = {"Content-Disposition": 'attachment; filename="class.csv"', "Cache-Control": "no-store"}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _harmless(cell: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
