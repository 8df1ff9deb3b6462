"""Speed and memory from a frame of events to the feature matrix: `python -m benchmarks.features FILE`."""

import argparse
from pathlib import Path

from aivo_assets.benchmarks.accuracy.features import measure_features
from aivo_assets.benchmarks.interactions import read_interactions
from aivo_assets.settings import load_settings


def main() -> None:
    """Read the file, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="Parquet or CSV with user_id, item_id, skill_id, correct and a time")
    parser.add_argument("--q-matrix", type=Path, help="sparse item x skill matrix (.npz)")
    parser.add_argument("--rows", type=int, default=None, help="so many events, learners copied or left out")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions, of which the median counts")
    arguments = parser.parse_args()
    events = read_interactions(arguments.file, q_matrix=arguments.q_matrix)
    settings = load_settings().features
    print(measure_features(events, settings, rows=arguments.rows, repeat=arguments.repeat).report())


if __name__ == "__main__":
    main()
