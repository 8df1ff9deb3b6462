"""The dependency audit finds what is known, leaves what is mended, and is no pass for packages it could not ask for."""

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "audit.py"
LOCK = """\
Left.Pad==1.4.0 \\
    --hash=sha256:00
flask-thing[async]==2.0rc1 ; python_version < '4' \\
    --hash=sha256:11
"""


@pytest.fixture(scope="module")
def audit() -> Any:
    spec = importlib.util.spec_from_file_location("audit", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def advisory(name: str, **affected: Any) -> dict[str, Any]:
    return {
        "id": f"PYSEC-{name}",
        "modified": "2026-05-04T00:00:00Z",
        "summary": "It reads what it should not",
        "affected": [{"package": {"ecosystem": "PyPI", "name": name}, **affected}],
    }


def ended(tmp_path: Path, *advisories: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    lock, dump = tmp_path / "requirements.lock", tmp_path / "all.zip"
    lock.write_text(LOCK)
    with zipfile.ZipFile(dump, "w") as archive:
        for number, each in enumerate(advisories):
            archive.writestr(f"{number}.json", json.dumps(each))
    command = [sys.executable, str(SCRIPT), str(lock), "--advisories", str(dump)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def span(*events: dict[str, str]) -> dict[str, Any]:
    return {"ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}


def test_a_known_vulnerability_ends_it_whatever_way_the_name_is_written(tmp_path: Path) -> None:
    done = ended(tmp_path, advisory("left_pad", versions=["1.3.9", "1.4.0"]))
    assert done.returncode == 1
    assert "left-pad 1.4.0: PYSEC-left_pad" in done.stdout


def test_others_and_withdrawn_ones_do_not_and_the_age_of_the_dump_is_said(tmp_path: Path) -> None:
    withdrawn = {**advisory("left-pad", versions=["1.4.0"]), "withdrawn": "2026-01-01T00:00:00Z"}
    done = ended(tmp_path, withdrawn, advisory("right-pad", versions=["1.4.0"]))
    assert done.returncode == 0, done.stderr
    assert "2026-05-04" in done.stdout


@pytest.mark.parametrize(
    ("version", "held"), [("0.9", False), ("1.0", True), ("1.4.0", True), ("1.5", False), ("2.1", True), ("2.2", False)]
)
def test_ranges_hold_what_was_introduced_and_is_not_mended(audit: Any, version: str, held: bool) -> None:
    events = span({"introduced": "1.0"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"last_affected": "2.1"})
    assert audit.affects(events, version) is held


def test_packages_that_the_index_says_nothing_about_are_no_pass(
    audit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With an index that answers for nobody: a folder, which has no advisories."""
    lock = tmp_path / "requirements.lock"
    lock.write_text(LOCK)
    monkeypatch.setattr(sys, "argv", ["audit.py", str(lock)])
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert audit.main() == 3
    said = capsys.readouterr().out
    assert "0 of 2 packages looked up" in said
    assert "NOT looked up: 2 packages" in said
