"""Rosters by their columns: OneRoster 1.1, 1.2 and a plain CSV become a `Roster`. Belongs here: what columns mean.

OneRoster names people by `sourcedId`; answers may name them by another of their names (`roster.to_rows` finds which).
"""

import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final, cast

from aivo_assets.errors import SourceError, nearest
from aivo_assets.people.roster import Entry, Kind, Member, Roster
from aivo_assets.people.roster_files import Line, Problems, read_csv, read_zip

ROLES: Final[dict[str, Kind]] = {
    "student": "learner", "learner": "learner", "pupil": "learner", "teacher": "teacher", "parent": "parent",
    "guardian": "parent", "administrator": "head", "principal": "head", "siteadministrator": "head", "head": "head",
    "systemadministrator": "operator", "operator": "operator",
}  # fmt: skip
"""Roles that may see something. Aides, proctors, counsellors and relatives are counted and left out."""
_OTHER_ROLES: Final = frozenset(
    ("aide", "counselor", "proctor", "relative", "districtadministrator", "sysadmin", "guest")
)
_PLAIN: Final = (
    "role", "id", "name", "given_name", "family_name", "email", "account", "class_id", "class_name", "school_id",
    "school_name", "children", "starts", "ends",
)  # fmt: skip


def read_roster(path: Path) -> Roster:
    """Read a roster file.

    Raises:
        SourceError: It cannot be read, or something in it is wrong: each place with file, line and column.
    """
    problems = Problems()
    roster = _oneroster(path, problems) if zipfile.is_zipfile(path) else _plain(path, problems)
    problems.refuse(path)
    if not any(entry.kind == "learner" for entry in roster.entries):
        raise SourceError(f"{path} names no learner", fix="A roster has rows with the role student (or learner).")
    return roster


def _oneroster(path: Path, problems: Problems) -> Roster:
    files = read_zip(path)
    missing = [name for name in ("users.csv", "classes.csv", "enrollments.csv") if name not in files]
    if missing:
        raise SourceError(
            f"{path} has no {', no '.join(missing)}, which OneRoster asks for",
            fix="Export it again as OneRoster 1.1 or 1.2 CSV, in bulk.",
        )
    left: Counter[str] = Counter()
    users = _active(files["users.csv"], left)
    roles = _roles(users, _active(files.get("roles.csv", []), left), problems, left)
    entries = [_user(line, role, problems) for line in users for role in roles.get(line["sourcedId"], ())]
    classes = {line["sourcedId"]: line for line in _active(files["classes.csv"], left)}
    entries += [
        Entry("class", problems.needed(line, "sourcedId"), line["title"], school=line["schoolSourcedId"] or None,
              also={"classCode": line["classCode"] or None, "title": line["title"] or None})
        for line in classes.values()
    ]  # fmt: skip
    entries += [
        Entry(
            "school",
            line["sourcedId"],
            line["name"],
            also={"identifier": line["identifier"] or None, "name": line["name"] or None},
        )
        for line in _active(files.get("orgs.csv", []), left)
        if line["type"].lower() == "school"
    ]
    entries += [
        Entry("term", problems.needed(line, "sourcedId"), line["title"],
              starts=problems.day(line, "startDate"), ends=problems.day(line, "endDate"))
        for line in _active(files.get("academicsessions.csv", []), left)
    ]  # fmt: skip
    members = tuple(_enrolments(_active(files["enrollments.csv"], left), roles, classes, problems, left))
    return Roster(tuple(_once(entries)), members, tuple(_children(users, roles)), dict(left))


def _active(lines: Iterable[Line], left: Counter[str]) -> list[Line]:
    """Lines that are not marked as deleted."""
    kept = []
    for line in lines:
        if line["status"].lower() == "tobedeleted":
            left[f"{line.file}: marked to be deleted"] += 1
        else:
            kept.append(line)
    return kept


def _roles(users: list[Line], roles: list[Line], problems: Problems, left: Counter[str]) -> dict[str, tuple[Kind, ...]]:
    """The roles of each user: of version 1.1 in `users.csv`, of version 1.2 in `roles.csv`."""
    known = {problems.needed(line, "sourcedId") for line in users}
    found: dict[str, list[Kind]] = {}
    for line, user in [*((line, line["sourcedId"]) for line in users if line["role"]),
                       *((line, line["userSourcedId"]) for line in roles)]:  # fmt: skip
        if user not in known:
            problems.add(line, "userSourcedId", f"{user!r} is no user of users.csv")
            continue
        role = _role(line, "role", problems, left)
        if role is not None and role not in found.setdefault(user, []):
            found[user].append(role)
    for line in users:
        if line["sourcedId"] not in found:
            left["users.csv: without a role that sees anything"] += 1
    return {user: tuple(each) for user, each in found.items()}


def _role(line: Line, column: str, problems: Problems, left: Counter[str]) -> Kind | None:
    written = problems.needed(line, column).lower()
    if written in ROLES:
        return ROLES[written]
    if written in _OTHER_ROLES:
        left[f"{line.file}: role {written}"] += 1
    elif written:
        problems.add(line, column, f"{written!r} is no role{nearest(written, ROLES)}")
    return None


def _user(line: Line, role: Kind, problems: Problems) -> Entry:
    name = " ".join(part for part in (line["givenName"], line["familyName"]) if part)
    if not name:
        problems.add(line, "givenName", "is empty, and so is familyName")
    schools = line.listed("orgSourcedIds") or line.listed("primaryOrgSourcedId")
    return Entry(
        role, line["sourcedId"], name, line["email"] or None, line["username"] or None, schools[0] if schools else None,
        also={way: line[way] or None for way in ("identifier", "username", "email")},
    )  # fmt: skip


def _enrolments(
    lines: list[Line],
    roles: dict[str, tuple[Kind, ...]],
    classes: dict[str, Line],
    problems: Problems,
    left: Counter[str],
) -> Iterable[Member]:
    for line in lines:
        user, class_ = problems.needed(line, "userSourcedId"), problems.needed(line, "classSourcedId")
        if class_ and class_ not in classes:
            problems.add(line, "classSourcedId", f"{class_!r} is no class of classes.csv")
        elif user and user not in roles:
            problems.add(line, "userSourcedId", f"{user!r} is no user with a role in users.csv or roles.csv")
        elif _role(line, "role", problems, left) in ("learner", "teacher"):
            yield Member(user, class_, problems.day(line, "beginDate"), problems.day(line, "endDate"))


def _children(users: list[Line], roles: dict[str, tuple[Kind, ...]]) -> Iterable[tuple[str, str]]:
    """Parent and child, whichever of the two names the other as agent."""
    pairs: dict[tuple[str, str], None] = {}
    for line in users:
        for agent in line.listed("agentSourcedIds"):
            for parent, child in ((agent, line["sourcedId"]), (line["sourcedId"], agent)):
                if "parent" in roles.get(parent, ()) and "learner" in roles.get(child, ()):
                    pairs[parent, child] = None
    return pairs


def _plain(path: Path, problems: Problems) -> Roster:
    lines = read_csv(path)
    if lines:
        unknown = [column for column in lines[0].cells if column and column not in _PLAIN]
        if unknown or "role" not in lines[0].cells or "id" not in lines[0].cells:
            what = f"has the column {unknown[0]!r}{nearest(unknown[0], _PLAIN)}" if unknown else "lacks role or id"
            raise SourceError(f"{path.name}, line 1 {what}", fix=f"Columns of a plain roster: {', '.join(_PLAIN)}.")
    left: Counter[str] = Counter()
    entries: list[Entry] = []
    members: list[Member] = []
    wanted: list[tuple[Line, str, str]] = []
    for line in lines:
        role = _role(line, "role", problems, left)
        who = problems.needed(line, "id")
        if role is None or not who:
            continue
        name = line["name"] or " ".join(part for part in (line["given_name"], line["family_name"]) if part)
        if not name:
            problems.add(line, "name", "is empty")
        school = line["school_id"] or None
        entries.append(Entry(role, who, name, line["email"] or None, line["account"] or None, school,
                             also={"account": line["account"] or None, "email": line["email"] or None}))  # fmt: skip
        if school:
            entries.append(Entry("school", school, line["school_name"]))
        if line["class_id"] and role in ("learner", "teacher"):
            entries.append(Entry("class", line["class_id"], line["class_name"] or line["class_id"], school=school))
            members.append(Member(who, line["class_id"], problems.day(line, "starts"), problems.day(line, "ends")))
        wanted += [(line, who, child) for child in line.listed("children") if role == "parent"]
    learners = {entry.id for entry in entries if entry.kind == "learner"}
    for line, _, child in wanted:
        if child not in learners:
            problems.add(line, "children", f"{child!r} is no learner of the file")
    children = tuple(dict.fromkeys((parent, child) for _, parent, child in wanted if child in learners))
    return Roster(tuple(_once(entries)), tuple(dict.fromkeys(members)), children, dict(left))


def _once(entries: Iterable[Entry]) -> list[Entry]:
    """Each person, class, school and term once; of several rows the last that says a name."""
    kept: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        key = (cast("str", entry.kind), entry.id)
        if key not in kept or entry.name:
            kept[key] = entry
    return list(kept.values())
