"""The account of a landing in words, and when nothing kept is an error."""

from datetime import UTC, date, datetime

import pytest

from aivo_assets.errors import SourceError
from aivo_assets.events.landing.account import reasons, refuse_nothing_kept
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.sources.base import Window

DAY = Window(date(2025, 3, 3), date(2025, 3, 3))


def receipt(by_reason: dict[str, int], source: str = "csv", *, kept: int = 0) -> Receipt:
    aside = sum(by_reason.values())
    return Receipt(
        run="run", source=source, batch_id="b", landed_at=datetime(2025, 3, 4, tzinfo=UTC), rows_read=aside + kept,
        rows_in=aside + kept, kept=kept, duplicates=0, set_aside=aside, by_reason=by_reason,
        examples=dict.fromkeys(by_reason, "answers.csv, row 7"),
    )  # fmt: skip


def test_reasons_come_by_their_number_with_a_place_each() -> None:
    told = reasons(receipt({"item_id is missing": 2, "occurred_at is in the future": 1_500}))
    assert [line.split()[0] for line in told] == ["1,500", "2"]
    assert all("(answers.csv, row 7)" in line for line in told)


def test_nothing_kept_is_an_error_with_all_reasons_and_what_to_set_for_the_first() -> None:
    with pytest.raises(SourceError) as caught:
        refuse_nothing_kept(receipt({"learner_id is missing": 3, "occurred_at is before 1990": 40}), None)
    assert "none of 43 rows" in caught.value.what
    assert caught.value.what.index("before 1990") < caught.value.what.index("learner_id")
    assert "--time-unit" in caught.value.fix
    refuse_nothing_kept(receipt({"learner_id is missing": 3}, kept=1), None)


def test_a_window_without_a_sound_row_is_an_error_where_the_file_was_read_whole() -> None:
    """A Parquet file is read for the window alone: other days may well be sound."""
    with pytest.raises(SourceError, match="none of 9 rows"):
        refuse_nothing_kept(receipt({"occurred_at is in the future": 9}), DAY)
    refuse_nothing_kept(receipt({"occurred_at is in the future": 9}, source="parquet"), DAY)
