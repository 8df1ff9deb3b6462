"""Starts what compose.yaml starts, as processes of this machine: to try it, and where there is no container engine.

Commands and variables are read from compose.yaml; names of services become 127.0.0.1. PostgreSQL is the embedded server
and the S3 store is moto's, in memory: both end with this, so this is for trying, not for keeping. From the checkout:

    python deploy/one_machine.py FOLDER            # until Ctrl-C
    python deploy/one_machine.py FOLDER --check    # start one check of student models, wait for it, end everything
"""

import argparse
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import yaml

from aivo_assets.operations.server.postgres import embedded_postgres

HERE = Path(__file__).resolve().parent
SECRETS = ("AIVO_PSEUDONYM_KEY", "AIVO_API_TOKEN", "RAY_AUTH_TOKEN")
PORTS = ("9000", "6379", "3000", "8009")  # as compose.yaml names them; here each gets a free one
PATIENCE_SECONDS = 1200.0


def main() -> int:
    """Start everything in order; returns the exit code."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("folder", type=Path, help="Takes AIVO_HOME and the logs.")
    asked.add_argument("--check", action="store_true", help="Drive one check through, and end.")
    options = asked.parse_args()
    folder = options.folder.absolute()
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    free = _free_ports()
    services: dict[str, Any] = yaml.safe_load((HERE / "compose.yaml").read_text())["services"]
    with ExitStack() as stack:
        postgres = stack.enter_context(embedded_postgres(folder / "database"))
        environment = _environment(services["driver"]["environment"], folder / "home", postgres, free)
        stack.enter_context(
            _process([sys.executable, "-m", "moto.server", "-p", free["9000"]], "s3", folder, environment)
        )
        _wait_for(lambda: _answers(f"http://127.0.0.1:{free['9000']}/"), "the S3 server")
        _do([sys.executable, str(HERE / "make_bucket.py"), services["bucket"]["command"][-1]], environment)
        ray = [("ray-head", 1), ("ray-worker", services["ray-worker"]["deploy"]["replicas"])]
        for name, replicas in ray:
            for number in range(replicas):
                command = _on_loopback(services[name]["command"], free)
                # Each on this machine takes one processor, and finds its own folder below /tmp.
                command += [] if "--num-cpus" in command else ["--num-cpus", "1"]
                stack.enter_context(_process(command, f"{name}-{number + 1}", folder, environment))
        wanted, address = sum(replicas for _, replicas in ray), environment["AIVO_ENGINE_ADDRESS"]
        _wait_for(lambda: _nodes(address, environment) == wanted, f"the Ray cluster of {wanted} nodes")
        stack.enter_context(_process(_on_loopback(services["driver"]["command"], free), "driver", folder, environment))
        api = f"http://127.0.0.1:{environment['AIVO_API_PORT']}"
        _wait_for(lambda: "AIVO is up" in (folder / "logs" / "driver.log").read_text(), "the driver")
        print(f"It is up: {api}/docs; logs in {folder / 'logs'}.", flush=True)  # noqa: T201 - told to a person
        if options.check:
            return _check(api, environment["AIVO_API_TOKEN"])
        try:
            while True:
                time.sleep(1)
        except KeyboardInterrupt:
            return 0


def _free_ports() -> dict[str, str]:
    with ExitStack() as held:
        sockets = {port: held.enter_context(socket.socket()) for port in PORTS}
        for each in sockets.values():
            each.bind(("127.0.0.1", 0))
        return {port: str(each.getsockname()[1]) for port, each in sockets.items()}


def _environment(given: Mapping[str, str], home: Path, postgres: str, free: Mapping[str, str]) -> dict[str, str]:
    """The driver's variables; what compose takes from .env is made up where the environment has none of it."""
    made = {name: os.environ.get(name, secrets.token_hex(16)) for name in SECRETS}
    made |= {"S3_KEY": "aivo", "S3_SECRET": "aivo-secret", "POSTGRES_PASSWORD": ""}
    ours = {
        name: _on_loopback([re.sub(r"\$\{(\w+)[^}]*\}", lambda match: made[match[1]], value)], free)[0]
        for name, value in given.items()
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return (
        os.environ
        | ours
        | {"AIVO_HOME": str(home), "AIVO_POSTGRES_URL": postgres, "AIVO_MODELS_URL": postgres, "PATH": path}
    )


def _on_loopback(words: list[str], free: Mapping[str, str]) -> list[str]:
    names, ports = re.compile(r"\b(ray-head|s3|postgres)(?=:\d)"), re.compile(rf"\b({'|'.join(PORTS)})\b")
    here = ["127.0.0.1" if word == "0.0.0.0" else names.sub("127.0.0.1", word) for word in words]  # noqa: S104 - compared
    return [ports.sub(lambda match: free[match[1]], word) for word in here]


@contextmanager
def _process(command: list[str], name: str, folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """A process that is started again where it ends by itself, as compose does it."""
    over = Event()

    def keep() -> None:
        with (folder / "logs" / f"{name}.log").open("w") as log:
            while not over.is_set():
                process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - compose.yaml's
                while process.poll() is None and not over.wait(0.5):
                    pass
                process.terminate()
                try:
                    process.wait(timeout=60)
                except subprocess.TimeoutExpired:
                    process.kill()
                over.wait(2)

    (folder / "logs" / f"{name}.log").touch()
    kept = Thread(target=keep, name=name)
    kept.start()
    try:
        yield
    finally:
        over.set()
        kept.join()


def _do(command: list[str], environment: Mapping[str, str]) -> None:
    subprocess.run(command, env=environment, check=True, timeout=120)  # noqa: S603 - from compose.yaml


def _check(api: str, token: str) -> int:
    """Ask for student models as a caller of the HTTP service would, and wait for the run; 0 where it succeeded."""
    started = _ask(f"{api}/v1/drift/check", token, {})
    run = started["run_id"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        told = _ask(f"{api}/v1/runs/{run}", token)
        if told["status"] in ("SUCCESS", "FAILURE", "CANCELED"):
            print(f"The check ended: {told['status']}, run {run}.", flush=True)  # noqa: T201 - told to a person
            return 0 if told["status"] == "SUCCESS" else 1
        time.sleep(5)
    print(f"The check has not ended after {PATIENCE_SECONDS:.0f} s: run {run}.", flush=True)  # noqa: T201
    return 1


def _ask(url: str, token: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    content = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data=content, headers=headers)  # noqa: S310 - our own service
    with urllib.request.urlopen(request, timeout=150) as answer:  # noqa: S310
        told: dict[str, Any] = json.load(answer)
    return told


def _nodes(address: str, environment: Mapping[str, str]) -> int:
    """Nodes of the Ray cluster; 0 where none answers."""
    ask = f"import ray; ray.init({address!r}, log_to_driver=False); print(sum(n['Alive'] for n in ray.nodes()))"
    try:
        told = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", ask], check=False, env=environment, capture_output=True, text=True, timeout=120
        )
    except subprocess.TimeoutExpired:
        return 0
    return int(told.stdout.split()[-1]) if told.returncode == 0 and told.stdout.split() else 0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own service
            return True
    except OSError:
        return False


def _wait_for(is_up: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_up():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not answer within {PATIENCE_SECONDS:.0f} s; see the logs")
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
