"""Rosters in three forms become the same people; what is wrong is named with file, line and column."""

import zipfile
from pathlib import Path

import pytest

from aivo_assets.errors import SourceError
from aivo_assets.people.oneroster import read_roster

CLASSES = "sourcedId,status,title,classCode,schoolSourcedId\nc1,active,4b,K-4b,s1\nc2,tobedeleted,5a,K-5a,s1\n"
ENROLMENTS = (
    "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role,beginDate,endDate\n"
    "e1,c1,s1,u1,student,2026-08-01,2027-06-30\ne2,c1,s1,u2,teacher,,\n"
)
ORGS = "sourcedId,name,type,identifier\ns1,Hill School,school,H\n"
TERMS = "sourcedId,title,type,startDate,endDate\nt1,Autumn,term,2026-08-01,2026-12-20\n"
USERS_11 = (
    "sourcedId,status,role,username,givenName,familyName,identifier,email,orgSourcedIds,agentSourcedIds,password\n"
    'u1,active,student,mika,Mika,"O\'Neil, jr",17,,s1,u3,secret\n'
    "u2,active,teacher,lehr,Lea,Ehr,,lea@hill.example,s1,,\n"
    "u3,active,guardian,par,Pia,Arent,,pia@home.example,,,\n"
    "u4,active,proctor,proc,Pro,Ctor,,,s1,,\n"
)
USERS_12 = (
    "sourcedId,status,username,givenName,familyName,identifier,email,agentSourcedIds\n"
    'u1,active,mika,Mika,"O\'Neil, jr",17,,u3\nu2,active,lehr,Lea,Ehr,,lea@hill.example,\n'
    "u3,active,par,Pia,Arent,,pia@home.example,\nu4,active,proc,Pro,Ctor,,,\n"
)
ROLES_12 = (
    "sourcedId,userSourcedId,roleType,role,orgSourcedId\nr1,u1,primary,student,s1\nr2,u2,primary,teacher,s1\n"
    "r3,u3,primary,guardian,s1\nr4,u2,secondary,parent,s1\nr5,u4,primary,proctor,s1\n"
)


def zipped(folder: Path, **files: str) -> Path:
    path = folder / "roster.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"export/{name}.csv", text.encode("utf-8-sig"))
    return path


COMMON = {"classes": CLASSES, "enrollments": ENROLMENTS, "orgs": ORGS, "academicSessions": TERMS}


def test_version_1_1_and_1_2_hold_the_same_people(tmp_path: Path) -> None:
    old = read_roster(zipped(tmp_path, users=USERS_11, **COMMON))
    new = read_roster(zipped(tmp_path, users=USERS_12, roles=ROLES_12, **COMMON))
    people = {(entry.kind, entry.id, entry.name) for entry in old.entries}
    assert ("learner", "u1", "Mika O'Neil, jr") in people
    assert {kind for kind, _, _ in people} == {"learner", "teacher", "parent", "class", "school", "term"}
    assert {(entry.kind, entry.id, entry.name) for entry in new.entries} == people | {("parent", "u2", "Lea Ehr")}
    assert old.members == new.members
    assert old.children == new.children == (("u3", "u1"),)
    assert old.left_out["users.csv: role proctor"] == 1
    assert old.left_out["classes.csv: marked to be deleted"] == 1
    assert "secret" not in repr(old)


def test_everything_wrong_is_named_at_once_with_file_line_and_column(tmp_path: Path) -> None:
    bad = ENROLMENTS + "e3,c9,s1,u1,student,,\ne4,c1,s1,u1,student,1.8.2026,\n"
    users = USERS_11.replace("teacher,lehr", "taecher,lehr")
    with pytest.raises(SourceError) as told:
        read_roster(zipped(tmp_path, users=users, **{**COMMON, "enrollments": bad}))
    for place in ("users.csv, line 3, column role", "enrollments.csv, line 4, column classSourcedId",
                  "enrollments.csv, line 5, column beginDate", "did you mean teacher"):  # fmt: skip
        assert place in str(told.value)
    assert "Lea" not in str(told.value)


def test_a_plain_csv_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text(
        "role;id;name;class_id;children\nstudent;p1;Zoë Quast;9c;\nteacher;t1;Ute Rist;9c;\nparent;g1;Ole Quast;;p1\n",
        encoding="utf-8-sig",
    )
    roster = read_roster(path)
    assert {(each.person, each.class_) for each in roster.members} == {("p1", "9c"), ("t1", "9c")}
    assert roster.children == (("g1", "p1"),)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"role,id,nmae\nstudent,1,x\n", "did you mean name"),
        (b"role,id,name\nstudent,1,\xe9\n", "line 2: byte"),
        (b"role,id,name\nteacher,1,x\n", "names no learner"),
        (b"role,id,name,children\nstudent,1,x,\nparent,2,y,7\n", "line 3, column children"),
        (b"role,id,name\nstudent,1,x,y\n", "line 2 has 4 cells"),
        (b"role,id,id\nstudent,1,x\n", "names id twice"),
    ],
)
def test_a_plain_csv_that_is_wrong_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "plain.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=says):
        read_roster(path)
