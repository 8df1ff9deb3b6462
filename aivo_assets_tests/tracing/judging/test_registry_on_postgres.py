"""Registry and searches in a real PostgreSQL database, beside Dagster's tables and beside each other."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest

from aivo_assets.errors import ModelError
from aivo_assets.operations.server.postgres import embedded_postgres
from aivo_assets.tracing.databases import as_libpq
from aivo_assets.tracing.judging.registry_store import RegistryStore
from aivo_assets.tracing.model.search.studies import Dimension, Studies

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
NOW = datetime(2026, 5, 4, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_postgres(tmp_path_factory.mktemp("models"), database="models") as url:
        yield url


def create(store: RegistryStore, folder: Path, day: int) -> int:
    (folder / "model").mkdir(parents=True, exist_ok=True)
    (folder / "model" / "weights.txt").write_text(f"{day}")
    tags = {"fingerprint": f"print {day}", "as_of": str(date(2026, 5, day))}
    version = store.create(
        folder, now=NOW, metrics={"auc": 0.75}, parameters={"trees": "9"}, tags=tags, description="A version."
    )
    return version.number


def test_registry_and_studies_share_a_database_and_answer_as_files_do(database: str, tmp_path: Path) -> None:
    given = {"file": None, "postgres": database}
    told = []
    for name, url in given.items():
        home = tmp_path / name
        store = RegistryStore(home / "mlflow", url)
        assert store.contents().versions == ()
        numbers = [create(store, tmp_path / "made", day) for day in (1, 2, 3)]
        store.point("champion", numbers[1])
        store.note("first move")
        store.tag(numbers[2], {"why": "50% more, under_score"})
        store.remove(store.version(numbers[0]))
        contents = store.contents()
        assert (store.folder(contents.versions[0]) / "model" / "weights.txt").read_text() == "3"
        versions = [
            (each.number, each.fingerprint, each.as_of, each.aliases, each.tags.get("why"))
            for each in contents.versions
        ]
        studies = Studies(home, url)
        for day in (1, 2):
            studied = studies.run(
                f"search {day}", lambda values, _: abs(values["rate"] - 0.1), [Dimension("rate", 0.01, 1.0)],
                {"rate": 0.5}, as_of=date(2026, 5, day), trials=4, seconds=60, most_earlier=5,
            )  # fmt: skip
        assert studies.forget(1) == 1
        told.append((versions, contents.notes, [round(each.score, 12) for each in studied.tried], studied.earlier))
        assert (home / "mlflow" / "mlflow.db").exists() is (url is None)
        assert (home / "optuna" / "studies.db").exists() is (url is None)
    assert told[0] == told[1]
    with psycopg2.connect(as_libpq(database)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT table_schema FROM information_schema.tables WHERE table_name = 'alembic_version'")
        assert {schema for (schema,) in cursor.fetchall()} == {"mlflow", "optuna"}


def test_a_database_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read") as refused:
        RegistryStore(tmp_path, "postgresql://nobody@127.0.0.1:1/none").contents()
    assert "AIVO_MODELS_URL" in refused.value.fix


def test_another_process_sees_what_was_registered(database: str, tmp_path: Path) -> None:
    store = RegistryStore(tmp_path / "mlflow", database)
    number = create(store, tmp_path / "made", 9)
    other = RegistryStore(tmp_path / "mlflow", database)
    assert other.version(number).as_of == date(2026, 5, 9)
    assert other.version(number).registered_at - NOW == timedelta(0)
