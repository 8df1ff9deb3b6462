"""A recommendation as a page says it. Belongs here: its sentences, its evidence in words, its exercises with titles."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from aivo_assets.pages.saying.decisions import effect
from aivo_assets.pages.saying.names import Names
from aivo_assets.pages.texts import Texts

Row = dict[str, Any]


def told(row: Row, names: Names, texts: Texts, *, day: date, words: Sequence[Mapping[str, Any]] = ()) -> Row:
    """A worded row of `RECOMMENDATIONS` with what a page shows beside its sentences.

    Args:
        row: With the signals of the day, as `in_language` gives it.
        names: For the viewer.
        texts: In their language.
        day: The newest day.
        words: What teachers said of this learner, the newest first.
    """
    items = [names.item(item) for item in row["content"] or ()]
    mine = [word for word in words if (word["subject"], word["skill_id"]) == (row["subject"], row["skill_id"])]
    return {
        **row,
        "name": names.learner(row["learner"]),
        "href": f"/pupils/{row['learner']}",
        "anchor": anchor(row["learner"], row["subject"], row["skill_id"]),
        "skill": names.skill(row["skill_id"], row["subject"]),
        "label": texts(f"kinds.{row['kind']}"),
        "since": since(row["decided_on"], day, texts),
        "content": items,
        "actions": [each for each in row["suggested_actions"] or () if not any(item.id in each for item in items)],
        "proof": proof(row, names, texts),
        "sure": "" if row["confidence"] is None else texts("pupil.sure", share=texts.percent(row["confidence"])),
        "word": effect(mine[0], texts) if mine else "",
    }


def anchor(learner: str, subject: str, skill: str) -> str:
    """Where on a page a learner's skill stands."""
    plain = "".join(each if each.isascii() and each.isalnum() else "-" for each in f"{subject}-{skill}")
    return f"l{learner[:12]}-{plain[:80]}"


def since(decided: date, day: date, texts: Texts) -> str:
    """For how long an advice has stood."""
    days = (day - decided).days
    return texts("since.days", count=days) if days > 0 else texts("since.today")


def proof(row: Row, names: Names, texts: Texts) -> list[str]:
    """What a recommendation rests on, a phrase a fact that decided."""
    named = {each["signal"] for each in row["evidence"] or ()}
    said = []
    if row.get("recent_attempts"):
        said.append(texts("proof.right", count=row["recent_attempts"], right=row["recent_successes"]))
    if row.get("p_level") is not None:
        chances = (min(max(row[name], 0.01), 0.99) for name in ("p_level", "p_level_lower", "p_level_upper"))
        share, low, high = (texts.percent(each) for each in chances)
        said.append(texts("proof.expected_here", level=row["current_level"], share=share, low=low, high=high))
    for signal, key in (("attempts_at_level", "proof.at_level"), ("practice_days_at_level", "proof.days"),
                        ("session_events", "proof.session")):  # fmt: skip
        if signal in named and row.get(signal) is not None:
            said.append(texts(key, count=row[signal]))
    for signal, key in (("hint_rate", "proof.hints"), ("focus", "proof.focus")):
        if signal in named and row.get(signal) is not None:
            said.append(texts(key, share=texts.percent(row[signal])))
    if row["prerequisite_mastery"] is not None:
        skill = names.skill(row["content_skill"], row["subject"])
        said.append(texts("proof.prerequisite", skill=skill, share=texts.percent(row["prerequisite_mastery"])))
    return said
