"""The embedded server keeps its data, is shared by holders, ends with the last and is nobody else's to use."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa

from aivo_assets.errors import ServiceError
from aivo_assets.operations.server.account import choose_account
from aivo_assets.operations.server.postgres import embedded_postgres
from aivo_assets_tests.other_account import as_another_account, let_pass

pytestmark = pytest.mark.postgres
REPOSITORY = Path(__file__).resolve().parents[3]

HOLDER = """
    import sys
    from pathlib import Path
    from aivo_assets.operations.server.postgres import embedded_postgres
    with embedded_postgres(Path(sys.argv[1])) as url:
        print(url, flush=True)
        sys.stdin.readline()
"""


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        result = connection.execute(sa.text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


def answers(url: str) -> bool:
    try:
        return execute(url, "SELECT 1") == [(1,)]
    except sa.exc.OperationalError:
        return False


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder of this test alone: each pytest that starts closes the parent of pytest's own to other accounts."""
    with tempfile.TemporaryDirectory(prefix="aivo-test-") as folder:
        yield Path(folder)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the server; it has written its URL."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    with process:
        yield process
        process.kill()


def test_data_is_still_there_after_a_stop_and_the_server_is_not(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path) as url:
        assert url.startswith("postgresql+psycopg2://")
        execute(url, "CREATE TABLE kept (answer int)")
        execute(url, "INSERT INTO kept VALUES (42)")
    assert not answers(url)
    with embedded_postgres(tmp_path) as url:
        assert execute(url, "SELECT answer FROM kept") == [(42,)]


def test_the_server_runs_until_its_last_holder_leaves(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    assert holder.stdout is not None
    assert holder.stdin is not None
    theirs = holder.stdout.readline().strip()
    with embedded_postgres(tmp_path) as ours:
        assert ours == theirs
        with embedded_postgres(tmp_path, database="mlflow") as other:
            assert execute(other, "SELECT current_database()") == [("mlflow",)]
        assert answers(ours)
    assert answers(theirs), "the other process still holds it"
    holder.stdin.write("\n")
    holder.stdin.close()
    assert holder.wait(30) == 0
    assert not answers(theirs)


def test_a_holder_that_was_killed_does_not_hold_for_ever(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    assert holder.stdout is not None
    url = holder.stdout.readline().strip()
    holder.send_signal(signal.SIGKILL)
    holder.wait(30)
    assert answers(url), "nobody was there to stop it"
    with embedded_postgres(tmp_path) as url:
        assert answers(url)
    assert not answers(url)


def test_a_long_or_unusual_path_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / ("long name " * 8) / "50% off"
    with embedded_postgres(home) as url:
        assert "%" not in url
        assert answers(url)
        sockets = Path(sa.make_url(url).query["host"])  # type: ignore[arg-type]
        assert not sockets.is_relative_to(home)
    assert not sockets.exists()


def test_only_the_owner_may_use_the_socket_and_no_network_address_is_open(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path) as url:
        folder = Path(sa.make_url(url).query["host"])  # type: ignore[arg-type]
        assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0
        assert execute(url, "SHOW listen_addresses") == [("",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_another_account_is_refused_even_where_folder_and_socket_were_opened_by_hand(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path) as url:
        sockets = Path(sa.make_url(url).query["host"])  # type: ignore[arg-type]

        def connect() -> str:
            psycopg2.connect(host=str(sockets), user="postgres", dbname="postgres")
            return "let in"

        closed = as_another_account(connect)
        let_pass(sockets)
        (sockets / ".s.PGSQL.5432").chmod(0o777)
        opened = as_another_account(connect)
        sockets.chmod(0o700)
    assert "Permission denied" in closed
    assert "Peer authentication failed" in opened


def test_a_home_whose_server_trusted_everybody_asks_the_kernel_from_its_next_start_on(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path):
        pass
    rules = tmp_path / "postgres" / "data" / "pg_hba.conf"
    rules.write_text("local all all trust\n")
    with embedded_postgres(tmp_path) as url:
        assert answers(url)
        assert execute(url, "SELECT DISTINCT auth_method FROM pg_hba_file_rules") == [("peer",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_as_root_a_closed_home_is_opened_for_traversal_only_and_neighbours_stay_closed(tmp_path: Path) -> None:
    home = tmp_path / "closed"
    home.mkdir(mode=0o700)
    secret = home / "keys"
    secret.mkdir(mode=0o700)
    with embedded_postgres(home) as url:
        assert answers(url)
        assert stat.S_IMODE(home.stat().st_mode) == 0o701
        assert stat.S_IMODE(secret.stat().st_mode) == 0o700
        assert choose_account(home / "postgres" / "data").uid == (home / "postgres" / "data").stat().st_uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user to try it as a normal one")
def test_a_normal_user_runs_it_himself_and_is_refused_what_is_not_his(tmp_path: Path) -> None:
    nobody = 65534
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.mkdir()
    os.chown(mine, nobody, nobody)
    with embedded_postgres(theirs) as url:
        assert answers(url)
    code = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on forks beside threads; none is used here
        child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(nobody)
            os.setuid(nobody)
            os.chdir("/")
            with embedded_postgres(mine) as url:
                code |= 0 if answers(url) and (mine / "postgres" / "data").stat().st_uid == nobody else 1
            try:
                with embedded_postgres(theirs):
                    code |= 2
            except ServiceError:
                pass
        except BaseException:
            code |= 4
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path):
        pass
    (tmp_path / "postgres" / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(ServiceError, match="no_such_setting"), embedded_postgres(tmp_path):
        pass


def test_data_of_another_version_is_refused_before_it_is_touched(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path):
        pass
    (tmp_path / "postgres" / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(ServiceError, match="made by PostgreSQL 16"), embedded_postgres(tmp_path):
        pass


def test_an_interrupted_first_start_is_made_good(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "base").mkdir()
    with embedded_postgres(tmp_path) as url:
        assert answers(url)


def test_a_process_id_left_by_a_crash_is_not_taken_for_the_server(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path):
        pass
    data = tmp_path / "postgres" / "data"
    lines = [str(os.getpid()), str(data), "1700000000", "5432", str(data), "", "  1  1", "ready"]
    (data / "postmaster.pid").write_text("\n".join(lines) + "\n")
    with embedded_postgres(tmp_path) as url:
        assert answers(url)


def test_a_home_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match="cannot be prepared"), embedded_postgres(tmp_path / "file"):
        pass


def test_somebody_elses_socket_folder_is_refused(tmp_path: Path) -> None:
    from aivo_assets.operations.server.account import ServerAccount

    folder = tmp_path / "sockets"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with pytest.raises(ServiceError, match="only me may use"):
        ServerAccount(os.geteuid(), os.getegid(), "me").take(folder)


@pytest.mark.slow
def test_dagster_keeps_runs_events_and_schedules_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dagster as dg

    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
    home = tmp_path / "dagster"
    home.mkdir()

    @dg.op
    def one() -> int:
        return 1

    @dg.job
    def trivial() -> None:
        one()

    with embedded_postgres(tmp_path) as url:
        (home / "dagster.yaml").write_text(
            f"telemetry: {{enabled: false}}\nstorage:\n  postgres:\n    postgres_url: '{url}'\n"
        )
        with dg.DagsterInstance.from_config(str(home)) as instance:
            result = trivial.execute_in_process(instance=instance)
            assert result.success
            run = instance.get_run_by_id(result.run_id)
            assert run is not None
            assert run.status == dg.DagsterRunStatus.SUCCESS
        kept = execute(url, "SELECT run_id FROM runs")
    assert kept == [(result.run_id,)]
    assert not list(home.glob("**/*.db")), "nothing fell back to SQLite"


def test_the_port_number_of_the_socket_is_not_taken_from_the_network(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            busy.bind(("127.0.0.1", 5432))
            busy.listen()
        except OSError:
            pass  # somebody has it already, which is the same test
        with embedded_postgres(tmp_path) as url:
            assert answers(url)
