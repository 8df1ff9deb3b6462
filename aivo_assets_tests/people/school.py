"""A lake of four learners in two classes, and a roster that names them."""

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from fastapi import FastAPI
from fastapi.testclient import TestClient

from aivo_assets.api.app import build_app
from aivo_assets.lake import Lake, open_lake
from aivo_assets.people.oneroster import read_roster
from aivo_assets.people.roster import SIMULATED, replace_roster, to_rows
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets_tests.pages.school import NOW, SECRET, fill, settings_of

SCRIPT = "<script>{{7*7}}</script> \u202eAda " + "x" * 10_000
PLAIN = (
    "role,id,name,email,school_id,class_id,children\n"
    f'student,ada,"{SCRIPT}",,hill,4b,\nstudent,ben,Ben Ost,,hill,4b,\nstudent,cid,Cid Ray,,hill,4b,\n'
    "student,eve,Eve Fern,,hill,5a,\nteacher,t-b,Tea Bee,tea@hill.example,hill,4b,\n"
    "teacher,t-a,Tom Ash,tom@hill.example,hill,5a,\nparent,g-ben,Gus Ost,gus@home.example,,,ben\n"
    "head,h,Hal Ead,hal@hill.example,hill,,\noperator,o,Olga Perator,olga@hill.example,,,\n"
)


def hidden(kind: Any, value: str) -> str:
    return str(pseudonyms(pl.Series([value]), kind, PseudonymKey(SECRET))[0])


FOUR_B, FIVE_A = hidden("class", "4b"), hidden("class", "5a")


def opened(home: Path, *, source: str = SIMULATED, **people: Any) -> tuple[Settings, Lake]:
    settings = settings_of(home, people=people)
    lake = fill(settings)
    for day in lake.days(ANONYMISED_INTERACTIONS):
        rows = lake.scan(ANONYMISED_INTERACTIONS, days=[day]).collect()
        named = rows.with_columns(class_=pl.col("class_").replace({"c" * 32: FOUR_B, "d" * 32: FIVE_A}))
        lake.write(ANONYMISED_INTERACTIONS, named, day=day)
    path = home / "plain.csv"
    path.write_text(PLAIN)
    rows, _ = to_rows(lake, read_roster(path), source)
    replace_roster(lake, rows, run="a test")
    return settings, open_lake(settings)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


def browser(settings: Settings, clock: Clock | None = None) -> TestClient:
    at = clock or Clock()
    app: FastAPI = build_app(settings, now=at, machine_now=at)
    return TestClient(app, base_url="http://127.0.0.1:8009", follow_redirects=False)


def choose(client: TestClient, person: str, role: str) -> Any:
    client.get("/sign-in")
    token = client.cookies["aivo_form"]
    return client.post("/sign-in/local", data={"person": person, "role": role, "token": token})
