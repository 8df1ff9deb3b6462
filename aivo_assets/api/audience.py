"""Who looks at a page, by session and roster. Belongs here: what the pages ask of people, answered by `people/`.

Somebody is signed in by a session. Without one, this machine may see every page with pseudonyms, as long as nobody else
can reach the service and no provider of sign-ins is set: the local mode.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from fastapi import HTTPException, Request

from aivo_assets.pages.serving import Viewer as PageViewer
from aivo_assets.pages.serving.audience import Place
from aivo_assets.pages.serving.preferences import texts_for
from aivo_assets.pages.texts import Texts
from aivo_assets.people import access
from aivo_assets.people.audit import AuditLog
from aivo_assets.people.content import Titles
from aivo_assets.people.names import NameBook, Names, Roster
from aivo_assets.people.sessions import Session, Sessions
from aivo_assets.settings import Settings

COOKIE: Final = "aivo_session"
LOCAL: Final = access.Viewer("local", "local")


@dataclass(frozen=True)
class Guest(PageViewer):
    """A viewer of a page with what is theirs.

    Attributes:
        person: Role, classes, learners.
        page: Where they are; tells no two viewers apart.
    """

    person: access.Viewer = LOCAL
    page: str = field(default="", compare=False)


@dataclass(frozen=True)
class SchoolAudience:
    """People of a roster.

    Attributes:
        settings: Of the platform.
        roster: Who is who.
        sessions: Who is signed in.
        log: Where looks at names are kept.
        titles: Of skills and exercises.
        guard: Raises for a request that does not come from this machine.
    """

    settings: Settings
    roster: Roster
    sessions: Sessions
    log: AuditLog
    titles: Titles
    guard: Callable[[Request], None]

    def viewer(self, request: Request) -> Guest:
        """Who asks.

        Raises:
            HTTPException: 401 for nobody who is known, 403 where a page from elsewhere asks.
        """
        session = self.session(request)
        book = self.roster.book() if session is not None else None
        found = None if session is None or book is None else self._person(request, session, book)
        if found is not None and session is not None:
            texts = texts_for(request, self.settings.schedule.timezone)
            role = texts(f"sign.{found.role}")
            way = "sign.here_local" if session.way == "local" else "sign.here"
            shown = texts(way, name=found.shown, role=role)
            return Guest(
                key=f"{found.role} {found.account}", role=found.role, shown=shown, teacher=found.person,
                signed_in=True, person=found, page=request.url.path,
            )  # fmt: skip
        if self.settings.people.oidc_issuer is not None:
            raise HTTPException(401, "Nobody is signed in.")
        self.guard(request)
        return Guest(key="local", role="local", page=request.url.path)

    def session(self, request: Request) -> Session | None:
        """The session that a request carries; None without a valid one."""
        return self.sessions.find(request.cookies.get(COOKIE, ""))

    def may_choose(self, request: Request, book: NameBook) -> bool:
        """Whether somebody at this machine may choose as whom they look, without a password."""
        if self.settings.people.oidc_issuer is not None or not (book.simulated or self.settings.people.local_names):
            return False
        try:
            self.guard(request)
        except HTTPException:
            return False
        return True

    def may(self, viewer: PageViewer, place: Place, of: str | None = None) -> bool:
        """Whether somebody may open a page of a class, a learner or a school."""
        return access.may(_person_of(viewer), place, of)

    def may_decide(self, viewer: PageViewer, learner: str) -> bool:
        """Whether somebody may accept, reject or set a level for a learner."""
        return access.may(_person_of(viewer), "decide", learner)

    def names(self, viewer: PageViewer, pseudonyms: Iterable[str], texts: Texts) -> Mapping[str, str]:  # noqa: ARG002
        """Names that the viewer may see; each look is kept in the audit log."""
        person = _person_of(viewer)
        book = None if person.role in ("local", "operator") else self.roster.book()
        if book is None:
            return {}
        page = viewer.page if isinstance(viewer, Guest) else ""
        return Names(book, self.log).for_viewer(person, pseudonyms, page)

    def content(self, ids: Iterable[str]) -> Mapping[str, tuple[str, str | None]]:
        """Title and address of skills and exercises, where the source has them."""
        return self.titles.of(ids)

    def _person(self, request: Request, session: Session, book: NameBook) -> access.Viewer | None:
        """Who a session means, who must still be in the roster; a chosen one only where choosing is allowed."""
        if session.way == "local" and not self.may_choose(request, book):
            return None
        person = next((each for each in book.find(session.person) if each.role == session.role), None)
        return None if person is None else book.viewer(person)


def _person_of(viewer: PageViewer) -> access.Viewer:
    return viewer.person if isinstance(viewer, Guest) else LOCAL
