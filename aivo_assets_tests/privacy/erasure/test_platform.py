"""A learner forgotten on a real platform: history, a champion, drift reports, an alert, and a process that is killed.

What is compared with is a lake that never knew them: the same raw answers without theirs, through the same stages.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr

from aivo_assets.assets.brain.features import make_training
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import Lake
from aivo_assets.privacy.anonymise import AnonymiseTask, stage_days
from aivo_assets.privacy.erasure.wanted import collect
from aivo_assets.privacy.keys import load_key
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.schema import STUDENT_MODELS
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.model.training import (
    ITEM_STATISTICS,
    SKILL_SETS,
    SKILL_STATISTICS,
    TOTALS,
    TRAINING_FEATURES,
)
from aivo_assets.tracing.students.state_store import StateStore
from aivo_assets.tracing.students.state_update import Folder, commit, stage_rebuild

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

KEY = "9e" * 32
SCHOOL = {
    "AIVO_PSEUDONYM_KEY": KEY,
    "AIVO_SIMULATOR_LEARNERS": "120",
    "AIVO_SIMULATOR_START": "2026-02-02",
    "AIVO_SIMULATOR_DAYS": "12",
}
LAST = date(2026, 2, 12)
SHARDS = 4


def start(home: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIVO_", "AWS_"))}
    return subprocess.Popen(
        [sys.executable, "-u", "-c", "from aivo_assets.cli import main; main()", *arguments],
        env=clean | SCHOOL | {"AIVO_HOME": str(home)} | variables,
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(home: Path, *arguments: str, **variables: str) -> str:
    process = start(home, *arguments, **variables)
    said, _ = process.communicate(timeout=900)
    assert process.returncode == 0, said[-3000:]
    return said


def everything(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every byte that is kept, the server's own files among them; Parquet files decoded."""
    for file in sorted(home.rglob("*")):
        if file.is_file():
            yield str(file), file.read_bytes()
            if file.suffix == ".parquet":
                yield str(file), json.dumps(pl.read_parquet(file).to_dicts(), default=str).encode()


def never_knew(lake: Lake, learner: str, folder: Path, settings: Settings) -> Lake:
    """The same answers, without theirs, taken through the privacy line."""
    other = Lake(folder, shards=SHARDS)
    for day in lake.days(RAW_INTERACTIONS):
        rows = lake.scan(RAW_INTERACTIONS, days=[day]).filter(pl.col("learner_id") != learner).collect()
        other.write(RAW_INTERACTIONS, rows, day=day)
    key = load_key(settings, create=False)
    staged, _ = stage_days(AnonymiseTask(other, key, settings.privacy), other.days(RAW_INTERACTIONS))
    other.commit(staged)
    return other


def test_a_learner_is_forgotten_on_a_platform_that_was_killed_half_way(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(home, "run", "--from", "2026-02-02", "--to", str(LAST))
    settings = Settings(home=home, pseudonym_key=SecretStr(KEY))
    lake, key = Lake(home / "lake", shards=SHARDS), load_key(settings, create=False)
    counted = lake.scan(RAW_INTERACTIONS).group_by("learner_id").len().sort("len", "learner_id").collect()
    learner = str(counted["learner_id"][-2])
    wanted = collect(lake, [learner], key)
    pseudonym = wanted.of("learner pseudonym")[0]
    (home / "alerts").mkdir(exist_ok=True)
    (home / "alerts" / "events.jsonl").write_text(json.dumps({"text": f"- {pseudonym} (maths): struggles"}) + "\n")
    lake.write_bytes("drift/reports/day=2026-02-11.html", f"<p>worst: {pseudonym}</p>".encode())
    never = never_knew(lake, learner, tmp_path / "never", settings)

    killed = start(home, "forget", learner, "--reason", "asked", "--at-once")
    assert killed.stdout is not None
    for line in killed.stdout:
        if "raw/interactions:" in line:
            killed.send_signal(signal.SIGKILL)
            break
    killed.stdout.close()
    killed.wait(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    said = run(home, "forget", "--at-once")
    assert "nothing found" in said
    assert "still remembers them" in said

    sought = [value.encode() for value in wanted.texts]
    assert len(sought) > 20
    assert [name for name, content in everything(home) if any(value in content for value in sought)] == []
    assert lake.version(RAW_INTERACTIONS) == never.version(RAW_INTERACTIONS)
    assert lake.version(ANONYMISED_INTERACTIONS) == never.version(ANONYMISED_INTERACTIONS)

    champion = Registry(home).champion()
    assert champion is not None
    folder = Folder(champion.brain.statistics, settings.features, str(champion.version.number), 1_000_000)
    parts = lake.parts(ANONYMISED_INTERACTIONS, until=LAST)
    store, other = StateStore(lake), StateStore(never)
    assert parts == never.parts(ANONYMISED_INTERACTIONS, until=LAST)
    for shard in range(SHARDS):
        folded = store.folded(shard)
        assert folded is not None
        assert dict(folded.parts) == parts[shard]  # nobody has to be folded again
        commit(other, stage_rebuild(never, other, shard, parts[shard], folder, reason="from nothing"))
        ours, theirs = store.read(shard), other.read(shard)
        for name in ("learners", "subjects", "skills", "items"):
            assert getattr(ours, name).equals(getattr(theirs, name)), (shard, name)
    for each in (lake, never):
        make_training(each, LAST, settings, lambda _: None)
    for dataset in (ITEM_STATISTICS, SKILL_STATISTICS, SKILL_SETS, TOTALS, TRAINING_FEATURES):
        assert lake.version(dataset) == never.version(dataset), dataset.path

    shutil.rmtree(tmp_path / "never")
    run(home, "run", "--from", str(LAST), "--to", str(LAST))
    assert learner not in set(lake.scan(RAW_LEARNERS).collect()["learner_id"])
    assert pseudonym not in set(lake.scan(STUDENT_MODELS).collect()["learner"])
    assert lake.version(RAW_INTERACTIONS, days=[LAST])
    assert not [name for name, content in everything(home) if any(value in content for value in sought)]
