"""Files that do not hold what they held: a truncated partition, a corrupt champion."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from aivo_assets.definitions import build_definitions
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.operations.alerts.outbox import build_outbox
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import SystemClock
from aivo_assets_tests.chaos.conftest import LENIENT, School
from aivo_assets_tests.chaos.school import Home, nothing_lost_or_doubled
from aivo_assets_tests.chaos.servers import database, fill

pytestmark = [pytest.mark.chaos, pytest.mark.postgres]


def late_events(home: Home, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """What the next tick of the sensor asks for."""
    definitions = build_definitions(home.settings)
    context = dg.build_sensor_context(
        instance=instance,
        repository_def=definitions.get_repository_def(),
        resources={
            "lake": home.lake,
            "clock": SystemClock(),
            "notifier": build_outbox(home.settings.alerts, home.path),
        },
    )
    return list(definitions.resolve_sensor_def("late_events").evaluate_tick(context).run_requests or [])


def test_a_truncated_partition_is_found_by_the_next_tick_and_its_run_makes_it_again(
    home: Home, school: School, tmp_path: Path
) -> None:
    day = school.known - timedelta(days=4)
    damaged = Path(home.lake.files(ANONYMISED_INTERACTIONS, days=[day])[0])
    content = damaged.read_bytes()
    damaged.write_bytes(content[: len(content) // 2])
    assert home.serving() == 1

    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        (asked,) = late_events(home, instance)
        first, last = (asked.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
        assert (first, last) == (str(day), str(day))
        healed = home.aivo("run", "--job", "late_events", "--from", first, "--to", last)
        assert healed.returncode == 0, healed.stdout
        assert damaged.read_bytes() == content
        assert late_events(home, instance) == []
    nothing_lost_or_doubled(home, school.source, school.first, school.known)


@pytest.mark.parametrize("table", [False, True], ids=["file", "table"])
def test_a_truncated_raw_file_is_found_by_the_next_tick_and_read_again_from_the_source(
    table: bool, copied: Callable[..., Home], school: School, server: Path, tmp_path: Path
) -> None:
    """A table is read from its start for this, and by its cursor again afterwards."""
    with database(server) if table else nullcontext("") as url:
        settings = {"AIVO_SOURCE_KIND": "postgres", "AIVO_SOURCE_URL": url.replace("+psycopg2", "")} if table else {}
        home = copied(**settings)
        if table:
            fill(url, school.source.filter(pl.col("occurred_at").dt.date() <= school.known))
            assert home.aivo("ingest").returncode == 0  # the cursor is at the end of the table
        day = school.known - timedelta(days=4)
        damaged = Path(home.lake.files(RAW_INTERACTIONS, days=[day])[0])
        content = damaged.read_bytes()
        damaged.write_bytes(content[: len(content) // 2])
        (tmp_path / "dagster").mkdir()
        with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
            (asked,) = late_events(home, instance)
            days = [asked.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end")]
            assert days == [str(day), str(day)]
            assert home.serving() == 1
            healed = home.aivo("run", "--job", "late_events", "--from", days[0], "--to", days[1])
            assert healed.returncode == 0, healed.stdout
            assert damaged.read_bytes() == content
            assert late_events(home, instance) == []
        assert home.serving() == 1
        events = home.events(school.first, school.known)
        hidden = home.lake.scan(ANONYMISED_INTERACTIONS).collect()
        assert events["event_id"].is_unique().all()
        assert events.height == hidden.height == school.home.events(school.first, school.known).height


def test_a_corrupt_champion_gives_way_to_the_one_before_and_the_next_training_puts_a_sound_one_in_its_place(
    copied: Callable[..., Home], school: School
) -> None:
    home = copied(**LENIENT)

    def train(first: int, last: int) -> None:
        days = [str(school.next + timedelta(days=number)) for number in (first, last)]
        done = home.aivo("run", "--job", "main_brain_training", "--from", days[0], "--to", days[1])
        assert done.returncode == 0, done.stdout

    train(0, 1)
    assert home.serving() == 2
    folder = home.path / "mlflow" / "artifacts" / home.registry.version(2).tags["artefact"] / "model"
    trees = folder / "trees_0.txt"
    trees.write_bytes(trees.read_bytes()[:-1] + b"x")
    serving = home.registry.champion()
    assert serving is not None
    assert serving.version.number == 1
    assert "Champion 2 cannot serve" in serving.problems[0]

    train(2, 2)
    sound = home.registry.champion()
    assert sound is not None
    assert (sound.version.number, sound.problems) == (3, ())
    nothing_lost_or_doubled(home, school.source, school.first, school.next + timedelta(days=2))
