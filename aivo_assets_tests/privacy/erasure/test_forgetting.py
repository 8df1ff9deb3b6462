"""Forgetting on a small lake: what goes, what stays to the last bit, what is killed half-way, and who comes back."""

import gzip
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import SecretStr

from aivo_assets.errors import PrivacyError, SourceError
from aivo_assets.events.landing.events import land
from aivo_assets.events.landing.learners import land_learners
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import Lake
from aivo_assets.privacy.anonymise import AnonymiseTask, anonymise_learners, stage_days
from aivo_assets.privacy.erasure import forgetting
from aivo_assets.privacy.erasure.certificate import is_genuine
from aivo_assets.privacy.erasure.forgetting import Ground, Standing
from aivo_assets.privacy.erasure.requests import ask, certificates, open_requests
from aivo_assets.privacy.erasure.table import ask_for_rows
from aivo_assets.privacy.erasure.tombstones import exhume, without_forgotten
from aivo_assets.privacy.erasure.wanted import resolve
from aivo_assets.privacy.keys import load_key
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS
from aivo_assets.settings import Settings
from aivo_assets_tests.events.memory_source import MemorySource, answer, extract

NOW = datetime(2026, 5, 20, 8, tzinfo=UTC)
DAYS = [date(2026, 5, 4) + timedelta(days=number) for number in range(6)]
SCHOOL = [f"pupil-{number:03d}" for number in range(12)]
GONE = "pupil-007"
NAME, MAIL = "Ottilie Grünwald", "ottilie.gruenwald@kepler.example"


def rows(learners: list[str]) -> list[dict[str, Any]]:
    """Answers in the order in which a school's file holds them."""
    return [
        answer(
            event_id=f"{learner}/{day:%m%d}/{number}",
            learner_id=learner,
            item_id=f"sum-{number}",
            occurred_at=datetime(day.year, day.month, day.day, 9, number, tzinfo=UTC) + timedelta(seconds=place),
            session_id=f"visit-{learner}-{day}",
        )
        for day in DAYS
        for place, learner in enumerate(SCHOOL)
        if learner in learners
        for number in range(3)
        if (place + day.day + number) % 4
    ]


def school(learners: list[str]) -> MemorySource:
    table = pl.DataFrame(
        {
            "learner_id": learners,
            "name": [NAME if learner == GONE else f"Name of {learner}" for learner in learners],
            "email": [MAIL if learner == GONE else f"{learner}@kepler.example" for learner in learners],
            "grade": ["7"] * len(learners),
            "_location": ["pupils"] * len(learners),
            "_row": list(range(len(learners))),
        }
    )
    return MemorySource([extract(rows(learners))], learner_table=table)


def made(home: Path, learners: list[str]) -> tuple[Settings, Lake]:
    """A lake with these learners, up to the anonymised answers."""
    settings = Settings(home=home, pseudonym_key=SecretStr("5c" * 32), forget={"readers_seconds": 600})  # type: ignore[arg-type]
    lake = Lake(home / "lake", shards=3)
    source = school(learners)
    land(lake, source, window=None, now=NOW, run="first")
    land_learners(lake, source, now=NOW, run="first")
    derive(settings, lake)
    return settings, lake


def derive(settings: Settings, lake: Lake) -> None:
    key = load_key(settings, create=False)
    staged, _ = stage_days(AnonymiseTask(lake, key, settings.privacy), lake.days(RAW_INTERACTIONS))
    lake.commit(staged)
    raw = lake.scan(RAW_LEARNERS).collect()
    lake.write(ANONYMISED_LEARNERS, anonymise_learners(raw, key, settings.privacy, lake.shards, NOW.date()).frame)


def ground(settings: Settings, lake: Lake, busy: Callable[[datetime], str | None] = lambda _: None) -> Ground:
    def remembers(before: datetime) -> dict[str, Any]:
        return {"what": "the champion", "version": 4, "as_of": "2026-05-09", "registered_at": before.isoformat()}

    return Ground(lake, load_key(settings, create=False), settings, (), remembers, busy, lambda _: None)


def ask_for(settings: Settings, lake: Lake, *learners: str) -> None:
    key = load_key(settings, create=False)
    ask(lake, resolve(lake, list(learners), key), f"the parents of {NAME} asked", asked_by="a test", now=NOW)


def forget(settings: Settings, lake: Lake, *learners: str) -> Standing:
    ask_for(settings, lake, *learners)
    where = ground(settings, lake)
    forgetting.bury_learners(where, NOW)
    forgetting.remove_from_lake(where, NOW)
    return forgetting.close_requests(where, NOW + timedelta(hours=1))


def everything(home: Path) -> Iterator[bytes]:
    """Every byte below a folder, Parquet files decoded, in a way of its own."""
    for file in sorted(home.rglob("*")):
        if file.is_file():
            yield file.name.encode()
            yield file.read_bytes()
            if file.suffix == ".parquet":
                yield json.dumps(pl.read_parquet(file).to_dicts(), default=str, ensure_ascii=False).encode()


def identifiers(settings: Settings) -> list[str]:
    key = load_key(settings, create=False)
    theirs = [row for row in rows(SCHOOL) if row["learner_id"] == GONE]
    events = pl.Series([row["event_id"] for row in theirs])
    sessions = pl.Series([row["session_id"] for row in theirs])
    hashed = [pseudonyms(pl.Series([GONE]), "learner", key), pseudonyms(events, "event", key)]
    return [GONE, NAME, MAIL, *events, *sessions, *(value for each in hashed for value in each)]


def test_no_byte_of_a_forgotten_learner_is_left_and_all_else_is_as_in_a_lake_that_never_knew_them(
    tmp_path: Path,
) -> None:
    settings, lake = made(tmp_path / "knew", SCHOOL)
    _, never = made(tmp_path / "never", [learner for learner in SCHOOL if learner != GONE])
    (settings.home / "logs").mkdir()
    log = settings.home / "logs" / "run.log"
    log.write_text(f"learner_id={GONE}, {json.dumps(NAME)} and {MAIL.upper()}\nwell\n")
    lake.write_bytes("drift/reports/day=2026-05-08.html", f"<p>{NAME.replace('ü', '&uuml;')}</p>".encode())
    standing = forget(settings, lake, GONE)
    assert [each["found"] for each in standing.closed] == [0]
    kept = list(everything(settings.home))
    assert [value for value in identifiers(settings) if any(value.encode() in content for content in kept)] == []
    assert log.read_text().endswith("well\n")
    for dataset in (RAW_INTERACTIONS, ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS, RAW_LEARNERS):
        assert lake.version(dataset) == never.version(dataset), dataset.path
        assert lake.scan(dataset).collect().equals(never.scan(dataset).collect()), dataset.path


def test_the_certificate_says_what_went_and_what_remembers_and_cannot_be_changed(tmp_path: Path) -> None:
    settings, lake = made(tmp_path, SCHOOL)
    answers = lake.scan(RAW_INTERACTIONS).filter(pl.col("learner_id") == GONE).collect().height
    (signed,) = forget(settings, lake, GONE).closed
    assert signed["removed"]["raw/interactions"] == signed["removed"]["anonymised/interactions"] == answers > 0
    assert signed["still_remembers"]["version"] == 4
    assert "raw/interactions" in signed["backups"]["drop_or_do_not_restore"]
    assert NAME not in signed["reason"]
    key = load_key(settings, create=False)
    assert is_genuine(signed, key)
    assert not is_genuine({**signed, "found": 3}, key)
    assert certificates(lake) == [json.loads(json.dumps(signed))]


@pytest.mark.parametrize(
    "killed_after", [2, 7, *(pytest.param(step, marks=pytest.mark.slow) for step in (1, 3, 4, 5, 6, 8, 9, 10, 11))]
)
def test_killed_anywhere_it_goes_on_to_its_end(
    killed_after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, lake = made(tmp_path / "knew", SCHOOL)
    _, never = made(tmp_path / "never", [learner for learner in SCHOOL if learner != GONE])
    ask_for(settings, lake, GONE)
    steps, swaps = ground(settings, lake), iter(range(1000))
    swap = lake.storage.swap

    def dying(*arguments: Any) -> bool:
        if next(swaps) >= killed_after:
            raise KeyboardInterrupt
        return swap(*arguments)

    monkeypatch.setattr(lake.storage, "swap", dying)

    def first_steps() -> None:
        forgetting.bury_learners(steps, NOW)
        forgetting.remove_from_lake(steps, NOW)

    with pytest.raises(KeyboardInterrupt):
        first_steps()
    reopened = Lake(tmp_path / "knew" / "lake", shards=3)
    again = ground(settings, reopened)
    forgetting.bury_learners(again, NOW)
    forgetting.remove_from_lake(again, NOW)
    standing = forgetting.close_requests(again, NOW + timedelta(hours=1))
    assert len(standing.closed) == 1
    for dataset in (RAW_INTERACTIONS, ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS):
        assert reopened.version(dataset) == never.version(dataset), dataset.path
    assert not any(GONE.encode() in content for content in everything(tmp_path / "knew"))


def test_readers_and_runs_that_had_begun_are_waited_for(tmp_path: Path) -> None:
    settings, lake = made(tmp_path, SCHOOL)
    ask_for(settings, lake, GONE)
    where = ground(settings, lake, busy=lambda before: "run 9 goes on" if before == NOW else None)
    forgetting.bury_learners(where, NOW)
    forgetting.remove_from_lake(where, NOW)
    early = forgetting.close_requests(where, NOW + timedelta(seconds=599))
    assert not early.closed
    assert "readers" in early.waits
    assert forgetting.close_requests(where, NOW + timedelta(seconds=601)).waits == "run 9 goes on"
    assert len(open_requests(lake)) == 1
    assert forgetting.close_requests(ground(settings, lake), NOW + timedelta(seconds=601)).closed


def test_the_next_extract_does_not_bring_them_back_and_every_row_is_accounted_for(tmp_path: Path) -> None:
    settings, lake = made(tmp_path, SCHOOL)
    theirs = lake.scan(RAW_INTERACTIONS).filter(pl.col("learner_id") == GONE).collect().height
    forget(settings, lake, GONE)
    source = without_forgotten(school(SCHOOL), lake, settings)
    receipt = land(lake, source, window=None, now=NOW, run="second")
    land_learners(lake, source, now=NOW, run="second")
    assert (receipt.forgotten, receipt.kept) == (theirs, 0)
    assert receipt.rows_read == receipt.rows_in + receipt.forgotten
    assert GONE not in set(lake.scan(RAW_LEARNERS).collect()["learner_id"])
    exhume(lake, [GONE], load_key(settings, create=False))
    back = land(lake, without_forgotten(school(SCHOOL), lake, settings), window=None, now=NOW, run="third")
    assert (back.forgotten, back.kept) == (0, theirs)


def test_several_go_together_and_a_name_that_others_share_is_no_sign_of_them(tmp_path: Path) -> None:
    settings, lake = made(tmp_path, SCHOOL)
    twins = lake.scan(RAW_LEARNERS).collect()
    same = twins.with_columns(name=pl.when(pl.col("learner_id") == "pupil-003").then(pl.lit(NAME)).otherwise("name"))
    lake.write(RAW_LEARNERS, same)
    ask_for(settings, lake, GONE)
    standing = forget(settings, lake, "pupil-001", "pupil-002")
    assert len(standing.closed) == 2
    assert {each["removed_together_with_other_learners"] for each in standing.closed} == {1, 2}
    left = lake.scan(RAW_LEARNERS).collect()
    assert NAME in set(left["name"])
    assert not {GONE, "pupil-001", "pupil-002"} & set(left["learner_id"])


def test_a_text_about_another_learner_that_names_them_is_covered_and_stays(tmp_path: Path) -> None:
    from aivo_assets.events.landing.overrides import OVERRIDES_GIVEN

    settings, lake = made(tmp_path, SCHOOL)
    said = {**dict.fromkeys(OVERRIDES_GIVEN.schema), "override_id": "w" * 32, "learner_id": "pupil-004"}
    said |= {"note": f"sits beside {NAME}", "skill_id": "sums", "subject": "maths", "action": "accept", "given_at": NOW}
    frame = pl.DataFrame([said], schema=dict(OVERRIDES_GIVEN.schema))
    lake.write(OVERRIDES_GIVEN, frame, batch="b")
    assert forget(settings, lake, GONE).closed
    (note,) = lake.scan(OVERRIDES_GIVEN).collect()["note"]
    assert note.startswith("sits beside *")
    assert NAME not in note


def test_what_cannot_be_covered_leaves_the_request_open_and_is_named(tmp_path: Path) -> None:
    settings, lake = made(tmp_path, SCHOOL)
    packed = settings.home / "logs" / "old.log.gz"
    packed.parent.mkdir()
    with gzip.open(packed, "wb") as handle:
        handle.write(f"hello {MAIL}".encode())
    standing = forget(settings, lake, GONE)
    assert not standing.closed
    assert [each.path for each in standing.found] == ["logs/old.log.gz"]
    packed.unlink()
    assert forgetting.close_requests(ground(settings, lake), NOW + timedelta(hours=2)).closed


def test_a_stranger_or_no_reason_is_refused_and_nothing_is_removed(tmp_path: Path) -> None:
    settings, lake = made(tmp_path, SCHOOL)
    before = lake.version(RAW_INTERACTIONS)
    key = load_key(settings, create=False)
    with pytest.raises(PrivacyError, match="Nothing is held of 'pupil-99'"):
        resolve(lake, ["pupil-001", "pupil-99"], key)
    with pytest.raises(PrivacyError, match="reason"):
        ask(lake, ["pupil-001"], " ", asked_by="a test", now=NOW)
    pseudonym = str(pseudonyms(pl.Series([GONE]), "learner", key)[0])
    assert resolve(lake, [pseudonym, GONE], key) == [GONE]
    assert lake.version(RAW_INTERACTIONS) == before


def test_rows_of_a_table_are_asked_for_once(tmp_path: Path) -> None:
    settings, lake = made(tmp_path / "home", SCHOOL)
    table = tmp_path / "requests.csv"
    table.write_text(f"learner_id,reason\n{GONE},left the school\nnever-seen,asked\n")
    wanting = settings.model_copy(update={"forget": settings.forget.model_copy(update={"path": str(table)})})
    key = load_key(settings, create=False)
    assert ask_for_rows(lake, wanting, key, now=NOW) == 2
    assert sorted(each.learners for each in open_requests(lake)) == [("never-seen",), (GONE,)]
    where = ground(wanting, lake)
    forgetting.bury_learners(where, NOW)
    forgetting.remove_from_lake(where, NOW)
    assert len(forgetting.close_requests(where, NOW + timedelta(hours=1)).closed) == 2
    assert ask_for_rows(lake, wanting, key, now=NOW) == 0
    table.write_text("pupil\nx\n")
    with pytest.raises(SourceError, match="learner_id, reason"):
        ask_for_rows(lake, wanting, key, now=NOW)


def test_old_files_and_files_that_nobody_lists_go_as_well(tmp_path: Path) -> None:
    settings, lake = made(tmp_path, SCHOOL)
    rewritten = lake.scan(RAW_INTERACTIONS, days=[DAYS[0]]).collect().reverse()
    lake.write(RAW_INTERACTIONS, rewritten, day=DAYS[0])  # the day's first file waits for readers
    left = tmp_path / "lake" / "raw" / "interactions" / f"day={DAYS[1]}" / "left.parquet"
    buffer = io.BytesIO()
    rewritten.write_parquet(buffer)
    left.write_bytes(buffer.getvalue())
    assert forget(settings, lake, GONE).closed
    assert not left.exists()
    assert not any(GONE.encode() in content for content in everything(tmp_path))
