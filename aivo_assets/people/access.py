"""Who may what. Belongs here: the roles, the table of actions, and the one question that every page and call asks.

People are pseudonyms here. Which classes and learners are somebody's own was read from the roster when they signed in.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

Role = Literal["teacher", "learner", "parent", "head", "operator", "local"]
Action = Literal["start", "class", "pupil", "learner", "parent", "school", "operations", "decide", "name", "audit"]
Scope = Literal["any", "classes", "learners", "schools"]

TABLE: Final[dict[Action, dict[Role, Scope]]] = {
    "start": dict.fromkeys(("teacher", "learner", "parent", "head", "operator", "local"), "any"),
    "class": {"teacher": "classes", "head": "classes", "operator": "any", "local": "any"},
    "pupil": {"teacher": "learners", "head": "learners", "operator": "any", "local": "any"},
    "learner": {"learner": "learners", "local": "any"},
    "parent": {"parent": "learners", "teacher": "learners", "local": "any"},
    "school": {"head": "schools", "operator": "any", "local": "any"},
    "operations": {"operator": "any", "local": "any"},
    "decide": {"teacher": "learners", "local": "any"},
    "name": {"teacher": "learners", "head": "learners", "parent": "learners", "learner": "learners"},
    "audit": {"head": "any", "operator": "any", "local": "any"},
}
"""By action: which roles may do it, and to what. A role without an entry may not.

`local` sits at the machine without having signed in: every page, no name. An operator sees pseudonyms only.
"""


@dataclass(frozen=True)
class Viewer:
    """Who asks.

    Attributes:
        role: In which role they are signed in.
        account: Pseudonym of the person (32 hex characters), or `local`; stands in the audit log and in decisions.
        shown: Their own name; never logged.
        person: Their id in the roster; None without one. Never logged.
        classes: Pseudonyms of classes that are theirs; of a head, those of the school.
        learners: Pseudonyms of learners that are theirs: of their classes, their children, or themselves.
        schools: Pseudonyms of schools that are theirs.
    """

    role: Role
    account: str
    shown: str = field(default="", repr=False)
    person: str | None = field(default=None, repr=False)
    classes: frozenset[str] = frozenset()
    learners: frozenset[str] = frozenset()
    schools: frozenset[str] = frozenset()


def may(viewer: Viewer, action: Action, of: str | None = None) -> bool:
    """Whether a viewer may do something.

    Args:
        viewer: Who.
        action: What.
        of: Pseudonym of the class, learner or school that it is done to; None where the action is about none.
    """
    scope = TABLE[action].get(viewer.role)
    if scope is None:
        return False
    if scope == "any":
        return True
    own = {"classes": viewer.classes, "learners": viewer.learners, "schools": viewer.schools}[scope]
    return of is not None and of in own
