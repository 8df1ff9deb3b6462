"""pyBKT on two files, as a script for an interpreter that has pyBKT and need not have us. No scores are made here.

Called as `python peer_pybkt.py TRAIN.csv TEST.csv OUT.csv`: columns order_id, user_id, skill_name, correct in, order_id
and probability out. Bayesian knowledge tracing, a model a skill (Corbett and Anderson 1995; Badrinath et al. 2021).
"""

import sys

import pandas as pd

COLUMNS = ("order_id", "user_id", "skill_name", "correct")


def main(train: str, test: str, out: str) -> None:
    """Fit on one file, predict the other row by row from the rows before."""
    from pyBKT.models import Model  # type: ignore[import-not-found]  # noqa: PLC0415 - no dependency of ours

    text = {"user_id": str, "skill_name": str}
    model = Model(seed=0, num_fits=1)
    model.fit(data=pd.read_csv(train, dtype=text), defaults={name: name for name in COLUMNS})
    predicted = model.predict(data=pd.read_csv(test, dtype=text))
    predicted[["order_id", "correct_predictions"]].to_csv(out, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:4])
