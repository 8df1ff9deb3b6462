"""What every address of the pages needs. Belongs here: the reader, access, names and the answer; no page of its own."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse

from aivo_assets.errors import AivoError
from aivo_assets.pages.saying.names import Names
from aivo_assets.pages.serving.audience import Audience, Place, Viewer
from aivo_assets.pages.serving.memory import Readings
from aivo_assets.pages.serving.preferences import texts_for
from aivo_assets.pages.serving.rendering import answer, render
from aivo_assets.pages.texts import Texts

_log = logging.getLogger(__name__)
_SAYS: Final = {401: "sign_in", 403: "forbidden", 404: "not_found"}


class PageError(Exception):
    """A page that is not there, with the texts that say so.

    Attributes:
        key: Of the texts below `errors`.
        status: Of the answer.
        says: What is said in place of the catalogue's sentence.
    """

    def __init__(self, key: str, status: int, says: str | None = None) -> None:
        super().__init__(key)
        self.key, self.status, self.says = key, status, says


@dataclass(frozen=True)
class Reader:
    """One request's reader.

    Attributes:
        request: Theirs.
        viewer: Who they are.
        texts: Their words.
    """

    request: Request
    viewer: Viewer
    texts: Texts

    @property
    def here(self) -> str:
        """The page's address without what was told on it last."""
        query = self.request.url.remove_query_params(["told", "word"]).query
        return f"{self.request.url.path}?{query}" if query else self.request.url.path


@dataclass(frozen=True)
class Site:
    """The pages over one lake.

    Attributes:
        readings: Reads the lake.
        audience: Who may see what.
        zone: Of readers who chose none.
    """

    readings: Readings
    audience: Audience
    zone: str

    def page(self, request: Request, make: Callable[[Reader], str | HTMLResponse]) -> HTMLResponse:
        """A page's answer, or the page that says why there is none."""
        texts = texts_for(request, self.zone)
        viewer: Viewer | None = None
        try:
            viewer = self.audience.viewer(request)
            made = make(Reader(request, viewer, texts))
        except PageError as error:
            return self._without(request, texts, viewer, error.key, error.status, error.says)
        except HTTPException as error:
            return self._without(request, texts, viewer, _SAYS.get(error.status_code, "not_done"), error.status_code)
        except AivoError as error:
            _log.error("the page %s could not be made: %s", request.url.path, error.what)
            return self._without(request, texts, viewer, "unreadable", 503)
        return answer(made, request) if isinstance(made, str) else made

    def open(self, reader: Reader, place: Place, of: str | None = None) -> None:
        """Make sure that the reader may open a page.

        Raises:
            PageError: They may not.
        """
        if not self.audience.may(reader.viewer, place, of):
            raise PageError("forbidden", 403)

    def names(self, reader: Reader, people: Iterable[str], content: Iterable[str] = ()) -> Names:
        """Names and titles for the reader."""
        known = self.audience.names(reader.viewer, people, reader.texts)
        return Names(reader.texts, known, self.audience.content(content))

    def render(self, reader: Reader, template: str, **values: Any) -> str:
        """A page of a template."""
        return render(template, reader.texts, reader.viewer, reader.here, **values)

    def kept(self, reader: Reader, names: Names, make: Callable[[], str], *of: object) -> str:
        """A page that was made before for the same reader, names and state, or a new one.

        Pages that tell what was just done are made anew.
        """
        if "told" in reader.request.query_params:
            return make()
        state, texts = self.readings.state(), reader.texts
        who = (reader.viewer, tuple(sorted(names.people.items())), tuple(sorted(names.content.items())))
        return self.readings.remembered(("html", reader.here, texts.code, texts.zone.key, state, who, *of), make)

    def _without(
        self, request: Request, texts: Texts, viewer: Viewer | None, key: str, status: int, says: str | None = None
    ) -> HTMLResponse:
        title = texts(f"errors.{key}")
        explained = says if says is not None else texts(f"errors.{key}_says")
        html = render("message.html", texts, viewer, "/", title=title, says=explained)
        return answer(html, request, status=status)
