"""Who looks at a page, and what they may see. Belongs here: what the pages ask of a sign-in; the local mode."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from fastapi import Request

from aivo_assets.pages.texts import Texts

Place = Literal["start", "class", "pupil", "learner", "parent", "school", "operations"]


@dataclass(frozen=True)
class Viewer:
    """Who looks.

    Attributes:
        key: Tells viewers apart; two who may see the same may share it.
        shown: Their name in the head of a page; empty in local mode.
        role: Their role.
        teacher: Who they are in a decision, as the source has them; None where they decide without a name.
        signed_in: Whether a session can be ended.
    """

    key: str
    role: str
    shown: str = ""
    teacher: str | None = field(default=None, repr=False)
    signed_in: bool = False


class Audience(Protocol):
    """What the pages ask about people."""

    def viewer(self, request: Request) -> Viewer:
        """Who asks.

        Raises:
            HTTPException: 401 for nobody who is known, 403 where a page from elsewhere asks.
        """

    def may(self, viewer: Viewer, place: Place, of: str | None = None) -> bool:
        """Whether somebody may open a page of a class, a learner or a school."""

    def may_decide(self, viewer: Viewer, learner: str) -> bool:
        """Whether somebody may accept, reject or set a level for a learner."""

    def names(self, viewer: Viewer, pseudonyms: Iterable[str], texts: Texts) -> Mapping[str, str]:
        """Names that the viewer may see; each look is kept in the audit log."""

    def content(self, ids: Iterable[str]) -> Mapping[str, tuple[str, str | None]]:
        """Title and address of skills and exercises, where the source has them."""


@dataclass(frozen=True)
class LocalAudience:
    """Everybody at this machine, without sign-in: pseudonyms only, and every page is open.

    Attributes:
        guard: Raises for a request that does not come from this machine.
    """

    guard: Callable[[Request], None]

    def viewer(self, request: Request) -> Viewer:
        """The one who sits at this machine."""
        self.guard(request)
        return Viewer(key="local", role="local")

    def may(self, viewer: Viewer, place: Place, of: str | None = None) -> bool:  # noqa: ARG002
        """Yes."""
        return True

    def may_decide(self, viewer: Viewer, learner: str) -> bool:  # noqa: ARG002
        """Yes."""
        return True

    def names(self, viewer: Viewer, pseudonyms: Iterable[str], texts: Texts) -> Mapping[str, str]:  # noqa: ARG002
        """None: without a sign-in nobody is shown who a pseudonym is."""
        return {}

    def content(self, ids: Iterable[str]) -> Mapping[str, tuple[str, str | None]]:  # noqa: ARG002
        """None: the source told no titles."""
        return {}
