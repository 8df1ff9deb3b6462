"""Names that look like markup are shown as they are, wherever they are shown."""

import logging
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

import aivo_assets
from aivo_assets.automation.runs.in_process import progress_logger
from aivo_assets.cli.main import main
from aivo_assets.cli.summary import _worked
from aivo_assets.cli.terminal import terminal

NAMES = ["[/]", "[bold]sums", "ratio :100: of", "x [/red] y", "[link=http://a.b]c", "a\\[b]", "trailing\\"]


@pytest.mark.parametrize("name", NAMES)
def test_text_tables_and_panels_show_a_name_as_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    console = terminal(width=100)
    table = Table(title=f"of {name}")
    table.add_column(name)
    table.add_row(f"cell {name}")
    console.print(f"text {name}")
    console.print(table)
    console.print(Panel(f"within {name}", title=Text(f"above {name}")))
    shown = capsys.readouterr().out
    for place in ("of", "cell", "text", "within", "above"):
        assert f"{place} {name}" in shown


@pytest.mark.parametrize("name", NAMES)
def test_a_worked_example_shows_skill_and_words_as_they_are(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    row: dict[str, Any] = {
        "reasoning": f"because {name}", "evidence": [], "suggested_actions": [f"give {name}"], "confidence": 0.8,
        "expectation": f"expect {name}", "counterfactual": f"else {name}", "kind": "remediation", "priority": "high",
        "learner": "0123456789", "headline": f"do {name}",
    }  # fmt: skip
    terminal(width=120).print(_worked(row))
    shown = capsys.readouterr().out
    for words in (f"because {name}", f"give {name}", f"expect {name}", f"else {name}", f"do {name}"):
        assert words in shown


def test_what_a_run_says_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    definition = progress_logger(terminal(width=120))
    (handler,) = definition.logger_fn(None).handlers  # type: ignore[arg-type]
    handler.emit(logging.LogRecord("dagster", logging.INFO, __file__, 1, "3 rows of [/] set aside", None, None))
    assert "3 rows of [/] set aside" in capsys.readouterr().out


def test_an_error_shows_a_path_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIVO_SOURCE_KIND", "csv")
    monkeypatch.setattr(sys, "argv", ["aivo", "ingest", "--path", f"{tmp_path}/[/bold].csv"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    assert "[/bold].csv" in capsys.readouterr().err


def test_only_one_place_makes_a_console_and_none_reads_markup() -> None:
    root = Path(aivo_assets.__file__).parent
    sources = {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*.py")}
    assert [name for name, text in sources.items() if "Console(" in text] == ["cli/terminal.py"]
    assert not [name for name, text in sources.items() if "rich.markup" in text or "from_markup" in text]
