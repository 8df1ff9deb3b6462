"""Paths and variables of the warehouse and of dbt. Nothing is run here."""

import os
import shutil
import sys
from pathlib import Path

from aivo_assets.errors import ServiceError
from aivo_assets.settings import Settings

_REPOSITORY = Path(__file__).resolve().parents[2]


def project_dir() -> Path:
    """The dbt project; its `profiles.yml` lies in the same folder.

    Raises:
        ServiceError: The package was installed without its checkout.
    """
    folder = _REPOSITORY / "dbt_project"
    if not (folder / "dbt_project.yml").is_file():
        raise ServiceError(
            f"There is no dbt project at {folder}", fix="Install from a checkout: `git clone`, then `make demo`."
        )
    return folder


def dbt_executable() -> Path:
    """The `dbt` command of this Python's environment, whether or not that is on the PATH.

    Raises:
        ServiceError: There is none.
    """
    beside = Path(sys.executable).with_name("dbt")
    executable = str(beside) if beside.exists() else shutil.which("dbt")
    if executable is None:
        raise ServiceError(f"There is no dbt command beside {sys.executable}", fix="Install the lock: `make install`.")
    return Path(executable)


def warehouse_path(settings: Settings) -> Path:
    """The DuckDB file. Its name is the database's name in SQL."""
    return settings.home.absolute() / "warehouse" / "warehouse.duckdb"


def target_dir(settings: Settings) -> Path:
    """Where dbt may write what it compiles and logs."""
    return settings.home.absolute() / "warehouse" / "target"


def marts_path(settings: Settings) -> str:
    """Folder of the marts' Parquet files: the zone `marts` of the lake."""
    return f"{settings.lake_url.rstrip('/')}/marts"


def environment(settings: Settings) -> dict[str, str]:
    """Variables that a dbt process needs; everything that `profiles.yml` and the models read.

    Access to an object store goes by the variables of its own client, so that no secret stands in a file.
    """
    return _access(settings) | {
        "AIVO_WAREHOUSE_PATH": str(warehouse_path(settings)),
        "AIVO_MARTS_PATH": marts_path(settings),
        "AIVO_PRIVACY_K_ANONYMITY": str(settings.privacy.k_anonymity),
        "DBT_PROFILES_DIR": str(project_dir()),
        "DBT_TARGET_PATH": str(target_dir(settings)),
        "DBT_LOG_PATH": str(target_dir(settings) / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def _access(settings: Settings) -> dict[str, str]:
    if not settings.lake_url.startswith("s3://"):
        return {}
    lake = settings.lake
    given = {
        "AWS_ENDPOINT_URL": lake.endpoint,
        "AWS_ACCESS_KEY_ID": None if lake.key is None else lake.key.get_secret_value(),
        "AWS_SECRET_ACCESS_KEY": None if lake.secret is None else lake.secret.get_secret_value(),
        "AWS_REGION": lake.region,
    }
    present = {name: value for name, value in given.items() if value is not None}
    return {"AIVO_WAREHOUSE_TARGET": os.environ.get("AIVO_WAREHOUSE_TARGET", "duckdb_s3")} | present
