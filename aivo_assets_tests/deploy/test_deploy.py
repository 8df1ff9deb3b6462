"""What deploy/ names exists: settings, commands, ports, limits. Nothing is started here."""

import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from aivo_assets.cli.main import app
from aivo_assets.operations.jobs.names import LOCATION
from aivo_assets.settings import Settings
from aivo_assets.settings.environment import NOT_SETTINGS, variables

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DAGSTER: dict[str, Any] = yaml.safe_load((DEPLOY / "dagster-values.yaml").read_text())
RAY: dict[str, Any] = yaml.safe_load((DEPLOY / "kuberay-values.yaml").read_text())
INSTANCE: dict[str, Any] = yaml.safe_load((ROOT / "aivo_assets" / "operations" / "dagster.yaml").read_text())
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()


def environments() -> Iterator[tuple[str, dict[str, str]]]:
    for name, service in COMPOSE["services"].items():
        yield f"compose: {name}", service.get("environment", {})
    (deployment,) = DAGSTER["dagster-user-deployments"]["deployments"]
    yield "helm", {each["name"]: each["value"] for each in deployment["env"]}
    for part in ("head", "worker"):
        yield f"kuberay: {part}", {each["name"]: each["value"] for each in RAY[part]["containerEnv"]}


@pytest.mark.parametrize(
    ("where", "given"), list(environments()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_variable_is_a_setting_and_every_value_one_that_it_takes(
    where: str, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {name: value for name, value in given.items() if name.startswith("AIVO_")}
    assert ours.keys() - NOT_SETTINGS <= set(variables(Settings)), where
    for name, value in ours.items():
        monkeypatch.setenv(name, re.sub(r"\$\{[^}]*\}", "a-secret-of-thirty-two-characters", value))
    settings = Settings()
    assert "AIVO_ENGINE" not in ours or settings.engine == "ray"
    assert settings.lake_url == ours.get("AIVO_LAKE_URL", settings.lake_url)


def test_head_workers_and_driver_see_one_lake() -> None:
    lakes = [{name: value for name, value in given.items() if "_LAKE_" in name} for _, given in environments()]
    assert len({each["AIVO_LAKE_URL"] for each in lakes if each}) == 1
    assert len({each["AIVO_LAKE_ENDPOINT"] for each in lakes if each}) == 1


def test_the_commands_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "aivo" in project["scripts"]
    command = typer.main.get_command(app)
    for words in (COMPOSE["services"]["driver"]["command"], re.findall(r'"([^"]+)"', CONTAINERFILE.split("CMD ")[1])):
        assert words[:2] == ["aivo", "up"]
        options = {name for each in command.commands["up"].params for name in each.opts}  # type: ignore[attr-defined]
        assert {word for word in words[2:] if word.startswith("--")} <= options
    for file in re.findall(r"/opt/aivo/(deploy/\S+\.py)", " ".join(COMPOSE["services"]["bucket"]["command"])):
        assert (ROOT / file).is_file()


def test_the_code_server_loads_the_definitions_under_the_name_that_all_else_knows() -> None:
    (deployment,) = DAGSTER["dagster-user-deployments"]["deployments"]
    words = deployment["dagsterApiGrpcArgs"]
    module = words[words.index("--module-name") + 1]
    assert importlib.util.find_spec(module) is not None
    assert words[words.index("--location-name") + 1] == LOCATION


def test_ports_are_published_where_the_services_listen() -> None:
    driver = COMPOSE["services"]["driver"]
    inner = {port.rsplit(":", 1)[1] for port in driver["ports"]}
    command = driver["command"]
    assert inner == {command[command.index("--port") + 1], driver["environment"]["AIVO_API_PORT"]}
    assert inner == set(re.findall(r"EXPOSE (\d+) (\d+)", CONTAINERFILE)[0])
    assert all(port.startswith("127.0.0.1:") for port in driver["ports"])


def test_what_must_be_given_is_named_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text()))
    named = {line.split("=")[0] for line in (DEPLOY / ".env.example").read_text().splitlines() if "=" in line}
    assert asked == named


def test_no_image_names_a_registry_and_ours_is_one() -> None:
    images = [each["image"] for each in COMPOSE["services"].values()]
    plain = [re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", image) for image in images]
    assert all("." not in image.split("/")[0] for image in plain)
    ours = {image for image in plain if image.startswith("aivo")}
    assert ours == {"aivo"} == {DAGSTER["dagster-user-deployments"]["deployments"][0]["image"]["repository"]}
    assert RAY["image"]["repository"] == "aivo"


def test_head_workers_and_driver_know_one_token() -> None:
    for name in ("ray-head", "ray-worker", "driver"):
        given = COMPOSE["services"][name]["environment"]
        assert (given["RAY_AUTH_MODE"], given["RAY_AUTH_TOKEN"][:17]) == ("token", "${RAY_AUTH_TOKEN:")
    modes = {name: given.get("RAY_AUTH_MODE") for name, given in environments() if not name.startswith("compose")}
    assert modes == dict.fromkeys(modes, "token")


def test_there_are_two_workers_and_the_head_works_on_nothing() -> None:
    services = COMPOSE["services"]
    assert services["ray-worker"]["deploy"]["replicas"] == 2 == RAY["worker"]["replicas"]
    head = services["ray-head"]["command"]
    assert head[head.index("--num-cpus") + 1] == "0" == RAY["head"]["rayStartParams"]["num-cpus"]
    port = head[head.index("--port") + 1]
    assert services["ray-worker"]["command"][3] == f"ray-head:{port}"
    assert services["driver"]["environment"]["AIVO_ENGINE_ADDRESS"] == f"ray-head:{port}"


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def test_the_chart_has_the_limits_of_the_instance() -> None:
    daemon = DAGSTER["dagsterDaemon"]
    runs = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert runs["maxConcurrentRuns"] == INSTANCE["concurrency"]["runs"]["max_concurrent_runs"]
    for section in ("run_retries", "run_monitoring"):
        assert daemon[camel(section)] == {camel(name): value for name, value in INSTANCE[section].items()}
    for kind in ("schedule", "sensor"):
        assert DAGSTER["retention"][kind] == {"purgeAfterDays": INSTANCE["retention"][kind]["purge_after_days"]}


def test_the_image_has_what_the_package_reads_at_run_time() -> None:
    copied = re.findall(r"COPY (.+) \./?(\S*)", CONTAINERFILE)
    sources = {word for words, _ in copied for word in words.split()}
    assert {"aivo_assets", "dbt_project", "requirements.lock", "pyproject.toml", "README.md"} <= sources
    assert all((ROOT / source).exists() for source in sources)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras["ray"][0] in CONTAINERFILE
