"""The benchmark's file reader, and that its numbers are about the events it was given."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from aivo_assets.benchmarks.accuracy.features import measure_features
from aivo_assets.benchmarks.interactions import read_interactions
from aivo_assets.errors import SourceError
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import FeatureSettings
from aivo_assets_tests.tracing.histories import school


def written(folder: Path, **columns: object) -> Path:
    path = folder / "answers.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return path


def test_times_become_what_privacy_leaves_of_them(tmp_path):
    at = [  # naive, as the public files have them
        datetime(2013, 5, 1, 9, 0, 40),  # noqa: DTZ001
        datetime(2013, 5, 1, 9, 0, 10),  # noqa: DTZ001
        datetime(2013, 5, 2),  # noqa: DTZ001
        datetime(2013, 5, 1, 9, 2),  # noqa: DTZ001
    ]
    path = written(tmp_path, user_id=[7] * 4, item_id=[1, 2, 3, 4], skill_id=[5, 5, 6, 6], correct=[1, 0, 1, 0], ts=at)
    events = read_interactions(path)
    assert dict(events.schema) == dict(ANONYMISED_INTERACTIONS.schema)
    first, second = datetime(2013, 5, 1, 9, 0, tzinfo=UTC), datetime(2013, 5, 1, 9, 2, tzinfo=UTC)
    assert events.select("item_id", "occurred_at", "day", "sequence", "gap_s", "skill_ids", "correct").rows() == [
        ("2", first, date(2013, 5, 1), 0, None, ["5"], 0),
        ("1", first, date(2013, 5, 1), 1, 30, ["5"], 1),
        ("4", second, date(2013, 5, 1), 2, 80, ["6"], 0),
        ("3", datetime(2013, 5, 2, tzinfo=UTC), date(2013, 5, 2), 0, None, ["6"], 1),
    ]


def test_without_a_time_the_order_of_rows_counts_and_a_q_matrix_names_the_skills(tmp_path):
    path = written(tmp_path, user_id=[1, 2, 1], item_id=[0, 1, 2], correct=[1, 1, 0])
    matrix = tmp_path / "q.npz"
    sparse.save_npz(matrix, sparse.csr_matrix(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0]])))
    events = read_interactions(path, q_matrix=matrix)
    assert events.select("learner", "item_id", "sequence", "skill_ids").rows() == [
        ("1", "0", 0, ["0", "2"]),
        ("1", "2", 1, ["item 2"]),  # an item without skills is its own skill
        ("2", "1", 0, ["1"]),
    ]


def test_a_csv_with_learner_id_and_text_times_reads_the_same(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text(
        "learner_id,item_id,correct,occurred_at,extra\na,x,1,2013-05-01T09:00:40,9\na,y,0,2013-05-01T09:01:00,9\n"
    )
    events = read_interactions(path)
    assert events.select("learner", "item_id", "gap_s", "skill_ids").rows() == [
        ("a", "x", None, ["item x"]),
        ("a", "y", 20, ["item y"]),
    ]


@pytest.mark.parametrize("zone", ["+00:00", "Z", "+02:00"])
def test_text_times_with_a_zone_become_utc(tmp_path, zone):
    path = tmp_path / "answers.csv"
    path.write_text(f"learner_id,item_id,correct,timestamp\na,x,1,2013-05-01T09:00:40{zone}\n")
    hour = 7 if zone == "+02:00" else 9
    assert read_interactions(path)["occurred_at"][0] == datetime(2013, 5, 1, hour, 0, tzinfo=UTC)


def test_a_missing_column_or_file_is_named(tmp_path):
    with pytest.raises(SourceError, match="no column for learner_id, correct"):
        read_interactions(written(tmp_path, item_id=[1]))
    with pytest.raises(SourceError, match="no file"):
        read_interactions(tmp_path / "absent.csv")


def test_the_numbers_are_about_the_events(tmp_path):
    speed = measure_features(school(20, 30, 1), FeatureSettings(), rows=900, repeat=1)
    assert (speed.rows, speed.learners, speed.features) == (900, 30, 74)
    assert speed.rows_per_second == 900 / speed.fold_seconds
    assert speed.matrix_bytes == 900 * 74 * 4
    assert "900 events of 30 learners to 74 features" in speed.report()


@pytest.mark.real_data
@pytest.mark.slow
def test_two_million_real_events_fold_within_the_memory_that_the_docs_name(real_data):
    events = read_interactions(real_data / "assistments2012" / "interactions.parquet")
    speed = measure_features(events, FeatureSettings(), repeat=1)
    assert speed.rows == 1_968_737
    assert speed.peak_bytes < 6 * 2**30
    assert speed.rows_per_second > 100_000  # far below the target: other things run beside tests
