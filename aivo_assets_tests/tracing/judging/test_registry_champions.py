"""Who was champion follows from the moves; where the alias disagrees, the alias is right."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.tracing.judging.champions import Move, MoveKind, line_of_champions


def moves(*steps: tuple[MoveKind, int]) -> list[Move]:
    made: list[Move] = []
    for kind, after in steps:
        before = made[-1].after if made else None
        made.append(
            Move(kind=kind, at=datetime(2026, 1, 1, tzinfo=UTC), by="test", reason="r", before=before, after=after)
        )
    return made


def test_promotions_build_the_line_and_rollbacks_take_it_down() -> None:
    three = moves(("promotion", 1), ("promotion", 2), ("forced", 3))
    assert line_of_champions(three, 3) == [3, 2, 1]
    back = [*three, *moves(("rollback", 2))]
    assert line_of_champions(back, 2) == [2, 1]
    again = [*back, *moves(("promotion", 4))]
    assert line_of_champions(again, 4) == [4, 2, 1]


def test_a_model_promoted_twice_is_rolled_back_from_to_what_was_between() -> None:
    line = moves(("promotion", 1), ("promotion", 2), ("promotion", 1))
    assert line_of_champions(line, 1) == [1, 2]


def test_a_move_cut_short_before_the_alias_moved_does_not_count() -> None:
    assert line_of_champions(moves(("promotion", 1), ("promotion", 2)), 1) == [1]


def test_an_alias_moved_by_hand_counts() -> None:
    assert line_of_champions(moves(("promotion", 1)), 7) == [7, 1]


def test_an_alias_that_is_gone_leaves_what_the_moves_say() -> None:
    assert line_of_champions(moves(("promotion", 1), ("promotion", 2)), None) == [2, 1]
    assert line_of_champions([], None) == []


@given(st.lists(st.integers(1, 6), max_size=12))
def test_the_line_has_each_champion_once_and_the_present_one_first(promoted: list[int]) -> None:
    line = line_of_champions(moves(*(("promotion", number) for number in promoted)), None)
    assert set(line) == set(promoted)
    assert len(line) == len(set(line))
    assert line[:1] == promoted[-1:]
