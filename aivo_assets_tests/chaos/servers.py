"""What may fail around the platform: a database of answers, its hard stop, and an endpoint for alerts."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from aivo_assets.operations.server.postgres import embedded_postgres

_KINDS = {pl.Int8: "smallint", pl.Int32: "int", pl.Int64: "bigint", pl.Float64: "float8"}


def fill(url: str, answers: pl.DataFrame) -> None:
    """Put answers into a table `interactions`, numbered from 1 in their order."""
    listed = answers.with_columns(
        pl.col("skill_ids").list.join(";"), pl.col("occurred_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    )
    kinds = {name: _KINDS.get(dtype.base_type(), "text") for name, dtype in listed.schema.items()}
    columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE interactions (id bigserial PRIMARY KEY, {columns})"))
        places = ", ".join(f":{name}" for name in kinds)
        statement = sa.text(f"INSERT INTO interactions ({', '.join(kinds)}) VALUES ({places})")
        connection.execute(statement, listed.to_dicts())
    engine.dispose()


def stop_hard(folder: Path) -> None:
    """SIGKILL to the server below an AIVO_HOME, as a machine that loses its power would; returns when it is gone."""
    pid = int((folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def database(folder: Path) -> AbstractContextManager[str]:
    """Hold a server of its own for answers."""
    return embedded_postgres(folder, database="school")


@contextmanager
def endpoint(port: int) -> Iterator[list[str]]:
    """An endpoint that takes alerts; yields the `Idempotency-Key` of each that it was sent."""
    received: list[str] = []

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            received.append(self.headers["Idempotency-Key"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Takes)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
