"""What is read from MLflow's file is what MLflow says of it: its tables are its own matter, and may change under us."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import pytest

from aivo_assets.errors import ModelError
from aivo_assets.tracing.judging.registry_reading import MODEL_NAME, Contents, read
from aivo_assets.tracing.judging.registry_store import RegistryStore

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)

# MLflow 3.17 asks SQLAlchemy 2.1 for a loader strategy that is going away.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")


def keep(store: RegistryStore, folder: Path, day: int) -> int:
    (folder / "model").mkdir(parents=True, exist_ok=True)
    (folder / "model" / "trees.txt").write_text(f"{day}")
    tags = {"fingerprint": f"f{day}", "as_of": f"2026-02-{day:02d}"}
    return store.create(folder, now=NOW, metrics={"auc": 0.7}, parameters={}, tags=tags, description="").number


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four versions, of which one was deleted and one registered by hand, both aliases, and twelve notes."""
    home = tmp_path_factory.mktemp("registry")
    store = RegistryStore(home / "mlflow")
    for day in (3, 4, 5):
        keep(store, home / "files", day)
    client = mlflow.MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)
    client.create_model_version(MODEL_NAME, source=(home / "files").as_uri())
    store.point("champion", 1)
    store.point("challenger", 3)
    client.delete_model_version(MODEL_NAME, "2")
    store.tag(1, {"champion_since": NOW.isoformat()})
    for number in range(12):
        store.note(f"note {number}")
    return home


@pytest.fixture(scope="module")
def contents(home: Path) -> Contents:
    return read(home / "mlflow" / "mlflow.db")


def test_versions_tags_and_aliases_are_those_of_mlflow(home: Path, contents: Contents) -> None:
    client = mlflow.MlflowClient(registry_uri=f"sqlite:///{home}/mlflow/mlflow.db")

    def told(made: Any) -> tuple[int, dict[str, str], list[str]]:
        whole = client.get_model_version(MODEL_NAME, made.version)
        return int(whole.version), dict(whole.tags), sorted(whole.aliases)

    by_mlflow = [told(made) for made in client.search_model_versions(f"name='{MODEL_NAME}'")]
    ours = [(version.number, dict(version.tags), list(version.aliases)) for version in contents.versions]
    assert ours == sorted((each for each in by_mlflow if "fingerprint" in each[1]), reverse=True)
    assert [version.number for version in contents.versions] == [3, 1]
    for alias in ("champion", "challenger"):
        pointed = contents.by_alias(alias)
        assert pointed is not None
        assert pointed.number == int(client.get_model_version_by_alias(MODEL_NAME, alias).version)


def test_notes_are_in_the_order_in_which_they_were_made(contents: Contents) -> None:
    assert contents.notes == tuple(f"note {number}" for number in range(12))


def test_a_deleted_version_and_one_made_by_hand_are_not_found(contents: Contents) -> None:
    assert contents.find(2) is None
    assert contents.find(4) is None
    assert contents.find(3) is not None


def test_what_was_never_written_holds_nothing_and_is_not_made(tmp_path: Path) -> None:
    assert read(tmp_path / "mlflow.db") == Contents()
    assert list(tmp_path.iterdir()) == []
    sqlite3.connect(tmp_path / "mlflow.db").close()
    assert read(tmp_path / "mlflow.db") == Contents()


def test_a_file_that_is_no_database_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "a file.db"
    file.write_bytes(b"not a database, and long enough to be taken for one" * 100)
    with pytest.raises(ModelError, match=r"a file\.db cannot be read: file is not a database"):
        read(file)


def test_a_change_under_way_is_read_as_it_was_before(home: Path, contents: Contents) -> None:
    database = home / "mlflow" / "mlflow.db"
    writing = sqlite3.connect(database, isolation_level=None)
    try:
        writing.execute("BEGIN IMMEDIATE")
        writing.execute("DELETE FROM registered_model_aliases")
        assert read(database) == contents
        writing.execute("ROLLBACK")
    finally:
        writing.close()
