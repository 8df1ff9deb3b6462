"""Several skills in one value of text. Belongs here: where one ends; which column holds them is the sources' business.

The separator is what AIVO_SOURCE_SKILL_SEPARATOR says and nothing else: `[SkillRule: A; x+a=b, positive]` is one skill
where `~~` stands between skills. The only other form that is read is a list as JSON and Python print it, and only where
every member is quoted or is a number: `["a", "b"]`, `['a', 'b']`, `[3, 14]`.
"""

import polars as pl

_QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_NUMBER = r"-?\d+(?:\.\d+)?"
_PRINTED = rf"^\[\s*(?:{_QUOTED}(?:\s*,\s*{_QUOTED})*|{_NUMBER}(?:\s*,\s*{_NUMBER})*)?\s*\]$"


def split_skills(frame: pl.DataFrame, separator: str) -> pl.DataFrame:
    """Turn a text column `skill_ids` into lists; a column of lists, or none, stays as it is.

    Args:
        frame: Rows as a source gave them.
        separator: What stands between two skills.
    """
    if frame.schema.get("skill_ids") != pl.String:
        return frame
    text = pl.col("skill_ids").str.strip_chars()
    parted = text.str.split(separator)
    if frame["skill_ids"].str.strip_chars().str.contains(_PRINTED).any():
        members = text.str.extract_all(rf"{_QUOTED}|{_NUMBER}").list.eval(_unquoted(pl.element()))
        parted = pl.when(text.str.contains(_PRINTED)).then(members).otherwise(parted)
    return frame.with_columns(skill_ids=parted)


def _unquoted(member: pl.Expr) -> pl.Expr:
    quoted = member.str.contains(f"^{_QUOTED}$")
    return pl.when(quoted).then(member.str.slice(1, member.str.len_chars() - 2)).otherwise(member)
