"""pyCANON and Anonymeter on published tables, as a script for an interpreter that has them and need not have us.

Called as `python peer_tables.py ASKED.json ANSWER.json`. Both need a numpy older than ours. Anonymeter's measures
(Giomi et al., "A unified framework for quantifying privacy risk in synthetic data", 2023) compare an attack on learners
who are in the release with the same attack on learners who are not, so that what is true of everybody is no risk.
"""

import json
import sys
import warnings
from pathlib import Path

import pandas as pd


def main(asked: Path, answer: Path) -> None:
    """Read what is asked, measure, and write the figures."""
    warnings.simplefilter("ignore")
    question = json.loads(asked.read_text())
    answer.write_text(json.dumps({"tables": _tables(question["tables"]), "risks": _risks(question["attack"])}))


def _tables(tables: list[dict[str, object]]) -> list[dict[str, object]]:
    from pycanon import anonymity  # type: ignore[import-not-found]  # noqa: PLC0415 - no dependency of ours

    measured = []
    for table in tables:
        data = pd.read_csv(str(table["file"]), dtype=str, keep_default_na=False)
        known, secret = list(table["known"]), list(table["secret"])  # type: ignore[call-overload]
        measured.append(
            {
                "name": table["name"],
                "k": int(anonymity.k_anonymity(data, known)),
                "l": int(anonymity.l_diversity(data, known, secret)) if secret else None,
                "t": float(anonymity.t_closeness(data, known, secret)) if secret else None,
            }
        )
    return measured


def _risks(attack: dict[str, object]) -> list[dict[str, object]]:
    from anonymeter.evaluators import (  # type: ignore[import-not-found]  # noqa: PLC0415 - no dependency of ours
        InferenceEvaluator,
        LinkabilityEvaluator,
        SinglingOutEvaluator,
    )

    inside, released, outside = (
        pd.read_csv(str(attack[name]), dtype=str, keep_default_na=False) for name in ("inside", "released", "outside")
    )
    columns = list(inside.columns)
    count = int(attack["attacks"])  # type: ignore[call-overload]
    half = len(columns) // 2
    attempts: dict[str, tuple[type, dict[str, object], dict[str, str]]] = {
        f"singling out by {many} attributes": (
            SinglingOutEvaluator,
            {"n_cols": many, "max_attempts": 3000},
            {"mode": "multivariate"},
        )
        for many in range(2, len(columns) + 1)
    }
    attempts["singling out by 1 attribute"] = (SinglingOutEvaluator, {"max_attempts": 3000}, {"mode": "univariate"})
    attempts["linking two halves of the attributes"] = (
        LinkabilityEvaluator,
        {"aux_cols": (columns[:half], columns[half:]), "n_neighbors": 1},
        {},
    )
    for secret in columns:
        others = [name for name in columns if name != secret]
        attempts[f"inferring {secret}"] = (InferenceEvaluator, {"aux_cols": others, "secret": secret}, {})
    return [
        _risk(name, kind, (inside, released, outside), {**given, "n_attacks": count}, how)
        for name, (kind, given, how) in attempts.items()
    ]


def _risk(name: str, kind: type, frames: tuple, given: dict, how: dict) -> dict[str, object]:  # type: ignore[type-arg]
    inside, released, outside = frames
    given = dict(given)
    if "n_cols" in given and given["n_cols"] > len(inside.columns):
        return {"name": name, "risk": None, "problem": "too few attributes"}
    try:
        evaluator = kind(ori=inside, syn=released, control=outside, **given)
        evaluator.evaluate(**how)
        risk = evaluator.risk(confidence_level=0.95)
    except Exception as error:  # a peer's failure is a figure that is missing, with its reason
        return {"name": name, "risk": None, "problem": f"{type(error).__name__}: {error}"[:200]}
    return {"name": name, "risk": float(risk.value), "low": float(risk.ci[0]), "high": float(risk.ci[1])}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
