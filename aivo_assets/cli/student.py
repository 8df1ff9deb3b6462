"""`aivo student`: what the platform knows of one learner."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aivo_assets.cli.options import writable_file
from aivo_assets.cli.terminal import terminal

if TYPE_CHECKING:
    from aivo_assets.adaptive.advice.student_view import StudentView
    from aivo_assets.adaptive.advice.wording import Wording
    from aivo_assets.lake import Lake
    from aivo_assets.settings import Settings

student = typer.Typer(help="A learner's model, recommendation and last answers.", no_args_is_help=True)

_WIDTH = 24  # characters of a band
_LEAST_WIDTHS = {"mastery": 7, "band": 11, "right": 9, "last practised": 11, "when (UTC)": 18}  # of a narrow window


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(student, name="student")


@student.callback()
def _root() -> None:
    """A learner's model, recommendation and last answers."""


@student.command("show")
def show(
    learner: Annotated[str, typer.Argument(help="Pseudonym, or its first six characters or more.")],
    raw: Annotated[
        bool, typer.Option("--raw", help="LEARNER is the source's own identifier; needs the pseudonym key.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(help="Also write a page with plots to this HTML file.", callback=writable_file)
    ] = None,
    events: Annotated[int, typer.Option(min=0, help="How many of the last answers to show.")] = 12,
) -> None:
    """Ability and mastery with their bands, the recommendation, and the last answers."""
    from aivo_assets.adaptive.advice.student_view import find_learner, view_student
    from aivo_assets.adaptive.advice.wording import load_wording
    from aivo_assets.lake import open_lake
    from aivo_assets.settings import load_settings

    settings = load_settings()
    lake = open_lake(settings)
    view = view_student(
        lake, find_learner(lake, _pseudonym(lake, learner, settings) if raw else learner), events=events
    )
    view = replace(view, words=_words(settings, lake, view.learner))
    console = terminal()
    wording = load_wording(settings.policy)
    for part in (_tell_student, _tell_recommendation, _tell_words, _tell_mastery, _tell_events):
        part(console, view, wording)
    if html is not None:
        from aivo_assets.pages.student_page import student_page

        html.write_text(student_page(view, settings.students.interval, wording).to_html())
        console.print(f"\nWritten: {html}", soft_wrap=True)


def _pseudonym(lake: "Lake", identifier: str, settings: "Settings") -> str:
    import polars as pl

    from aivo_assets.events.schema import RAW_INTERACTIONS
    from aivo_assets.privacy.lake_key import key_of_lake
    from aivo_assets.privacy.override_giving import find_learner_id
    from aivo_assets.privacy.pseudonyms import pseudonyms

    key = key_of_lake(settings, create=False)
    # Where the raw zone is elsewhere nobody can be named; the pseudonym is right or has no student model.
    meant = find_learner_id(lake, identifier, lambda: key) if lake.days(RAW_INTERACTIONS) else identifier
    return str(pseudonyms(pl.Series([meant]), "learner", key)[0])


def _tell_student(console: Console, view: "StudentView", wording: "Wording") -> None:
    model, last_event = view.student, view.student["last_event_at"]
    last = "no answer yet" if last_event is None else f"the last on {wording.spoken.instant(last_event)} UTC"
    as_of = f"As of {wording.spoken.date(model['day'])}, main brain version {model['model_version']}."
    ability, lower, upper = (f"{model[name]:+.2f}" for name in ("ability", "ability_lower", "ability_upper"))
    below = f", above {(view.peers < model['ability']).mean():.0%} of the learners" if len(view.peers) else ""
    console.print(f"Learner {view.learner}", style="bold")
    console.print(f"{model['events']:,} answers, {last}. {as_of}")
    console.print(f"Ability {ability} logits ({lower} to {upper}){below}.")


def _tell_recommendation(console: Console, view: "StudentView", wording: "Wording") -> None:
    from aivo_assets.pages.student_page import headline

    console.print("\nWhat to do next", style="bold")
    if view.recommendations.is_empty():
        console.print("There is no recommendation yet.")
        return
    first, *others = view.recommendations.iter_rows(named=True)
    console.print(headline(first, wording.spoken))
    console.print(f"  {first['reasoning']}")
    for action in first["suggested_actions"]:
        console.print(f"  • {action}")
    for row in others[:3]:
        console.print(f"then {headline(row, wording.spoken)}", style="dim")


def _words(settings: "Settings", lake: "Lake", learner: str) -> list[dict[str, Any]]:
    """What teachers said of a learner; nothing where nobody said anything, so that no key is needed then."""
    from aivo_assets.adaptive.advice.words_given import IN_FORCE, words_given
    from aivo_assets.events.landing.overrides import raw_overrides
    from aivo_assets.privacy.lake_key import key_of_lake
    from aivo_assets.resources.clock import PlatformClock

    if raw_overrides(lake).is_empty():
        return []
    key, today = key_of_lake(settings, create=False), PlatformClock(settings).now().date()
    words = words_given(lake, key, today=today, settings=settings.policy)
    return [row for row in words if row["learner"] == learner and row["state"] in IN_FORCE]


def _tell_words(console: Console, view: "StudentView", wording: "Wording") -> None:
    from aivo_assets.pages.student_page import word_line

    if view.words:
        console.print("\nWhat teachers said", style="bold")
    for row in view.words:
        console.print(f"  {word_line(row, wording.spoken)}", soft_wrap=True)


def _tell_mastery(console: Console, view: "StudentView", wording: "Wording") -> None:
    from aivo_assets.pages.student_page import level_and_plan

    table = _table(
        "Mastery",
        ("subject", "skill", "", "mastery", "band", "level", "success there", "plan", "right", "last practised"),
    )
    for row in view.skills.iter_rows(named=True):
        practised = row["last_practised_at"]
        last = "never" if practised is None else wording.spoken.date(practised.date())
        table.add_row(
            row["subject"], row["skill_id"], _band(row["mastery"], row["mastery_lower"], row["mastery_upper"]),
            f"{row['mastery']:.0%}", f"{row['mastery_lower']:.0%} to {row['mastery_upper']:.0%}",
            *level_and_plan(row, wording),
            f"{row['wins']} of {row['opportunities']}", last,
        )  # fmt: skip
    console.print()
    console.print(table)


def _tell_events(console: Console, view: "StudentView", wording: "Wording") -> None:
    if view.events.is_empty():
        return
    table = _table("Last answers", ("when (UTC)", "item", "skills", "", "seconds", "hints"))
    for row in view.events.iter_rows(named=True):
        table.add_row(
            wording.spoken.instant(row["occurred_at"]), row["item_id"], ", ".join(row["skill_ids"] or ()),
            Text("right", "green") if row["correct"] else Text("wrong", "red"),
            "" if row["response_time_ms"] is None else f"{row['response_time_ms'] / 1000:.0f}",
            "" if row["hint_count"] is None else str(row["hint_count"]),
        )  # fmt: skip
    console.print()
    console.print(table)


def _table(title: str, headings: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for heading in headings:
        numbers = heading in ("mastery", "level", "success there", "seconds", "hints")
        least = _LEAST_WIDTHS.get(heading)
        table.add_column(heading, no_wrap=True, justify="right" if numbers else "left", min_width=least)
    return table


def _band(middle: float, lower: float, upper: float) -> Text:
    """A line from 0 to 1 with the band on it and a point in its middle."""
    places = [round(value * (_WIDTH - 1)) for value in (lower, middle, upper)]
    drawn = ["━" if places[0] <= place <= places[2] else "·" for place in range(_WIDTH)]
    drawn[places[1]] = "●"
    before, within, after = drawn[: places[0]], drawn[places[0] : places[2] + 1], drawn[places[2] + 1 :]
    return Text.assemble(("".join(before), "dim"), ("".join(within), "cyan"), ("".join(after), "dim"))
