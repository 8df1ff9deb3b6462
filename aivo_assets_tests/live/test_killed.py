"""Real processes: a service that is killed under load loses no answer that it had acknowledged."""

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from aivo_assets.benchmarks.live import measure_live
from aivo_assets.errors import ServiceError
from aivo_assets_tests.api.service import free_port, process
from aivo_assets_tests.live.school import LiveSchool, copied

pytestmark = pytest.mark.slow


def environment_of(here: LiveSchool, port: int) -> dict[str, str]:
    key = here.settings.pseudonym_key
    assert key is not None
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIVO_")},
        "AIVO_HOME": str(here.home), "AIVO_API_PORT": str(port), "AIVO_POSTGRES_URL": here.url,
        "AIVO_PSEUDONYM_KEY": key.get_secret_value(), "AIVO_LAKE_SHARDS": str(here.lake.shards),
    }  # fmt: skip


def test_the_benchmark_counts_what_was_answered(school: LiveSchool, tmp_path: Path) -> None:
    here, port = copied(school, tmp_path / "home"), free_port()
    here.serve()
    url, items = f"http://127.0.0.1:{port}", [{"item_id": "item-3", "skill_ids": ["skill-3"], "subject": "algebra"}]
    with process(["-m", "aivo_assets.api"], environment_of(here, port), tmp_path / "http.log", f"{url}/health"):
        found = measure_live(url, ["pupil-1", "pupil-2"], items, rate=5, seconds=4)
    assert (found.arrivals, found.failed) == (20, 0)
    assert all(0 < half <= most <= nearly for half, most, nearly in found.milliseconds.values())
    assert here.inbox.of_learner(here.pseudonym("pupil-1")).height > 0
    with pytest.raises(ServiceError, match="No service answers"):
        measure_live(url, ["pupil-1"], items, rate=5, seconds=1)


def test_a_service_that_is_killed_loses_no_acknowledged_answer(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    port = free_port()
    environment = environment_of(here, port)
    url = f"http://127.0.0.1:{port}"
    acknowledged: list[set[str]] = [set(), set(), set()]
    over = threading.Event()

    def app(number: int) -> None:
        with httpx.Client(timeout=10) as client:
            sent = 0
            while not over.is_set():
                sent += 1
                name = f"app{number}-{sent}"
                row = {"event_id": name, "learner_id": f"pupil-{number}", "item_id": "item-1", "correct": 1}
                try:
                    told = client.post(f"{url}/v1/answers", json={**row, "occurred_at": datetime.now(UTC).isoformat()})
                except httpx.TransportError:
                    time.sleep(0.05)
                    continue
                if told.is_success:
                    acknowledged[number].add(name)

    apps = [threading.Thread(target=app, args=(number,)) for number in range(3)]
    for once in range(2):
        with process(["-m", "aivo_assets.api"], environment, tmp_path / "http.log", f"{url}/health") as running:
            if not once:
                for each in apps:
                    each.start()
            before = sum(map(len, acknowledged))
            deadline = time.monotonic() + 60
            while sum(map(len, acknowledged)) < before + 60 and time.monotonic() < deadline:
                time.sleep(0.05)
            running.kill()
    over.set()
    for each in apps:
        each.join()
    with here.inbox.engine.connect() as connection:
        kept = set(connection.scalars(sa.text("SELECT event_id FROM aivo_inbox")))
    everything = set[str]().union(*acknowledged)
    assert len(everything) >= 120
    assert everything <= kept
    assert here.land_inbox(now=datetime.now(UTC)) == len(kept)
