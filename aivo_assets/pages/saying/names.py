"""What people and content are called on a page. Belongs here: names made safe to show, and what stands in for them.

Whoever may see a name gets it from a resolver that knows the roster; everybody else reads the beginning of a pseudonym.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from aivo_assets.pages.texts import Texts

CODE: Final = 6  # characters of a pseudonym that tell a class apart
LONGEST: Final = 60  # characters of a name or title that a page shows
Resolver = Callable[[Iterable[str]], Mapping[str, str]]
"""From pseudonyms to the names that the viewer may see; those it does not return have none."""


@dataclass(frozen=True)
class Content:
    """A skill or an exercise as a page shows it.

    Attributes:
        id: As the source has it.
        says: Its title, or the id said as plainly as it can be.
        url: Where it is opened; None where the source does not tell.
    """

    id: str
    says: str
    url: str | None = None


@dataclass(frozen=True)
class Names:
    """Names for one viewer.

    Attributes:
        texts: Their language.
        people: Names of learners, teachers, classes and schools by pseudonym.
        content: Title and address of skills and exercises by id.
    """

    texts: Texts
    people: Mapping[str, str] = field(default_factory=dict)
    content: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)

    def learner(self, pseudonym: str) -> str:
        """A learner's name, or what stands in for it."""
        return self._person(pseudonym, "page.unnamed")

    def class_(self, pseudonym: str) -> str:
        """A class's name, or what stands in for it."""
        return self._person(pseudonym, "page.unnamed_class")

    def school(self, pseudonym: str) -> str:
        """A school's name, or what stands in for it."""
        return self._person(pseudonym, "page.unnamed_school")

    def teacher(self, known: str | None) -> str:
        """Who said something: their name where it is known, and that it was a teacher otherwise."""
        name = self.people.get(known or "")
        return clean(name) if name else self.texts("words.by_teacher")

    def subject(self, subject: str) -> str:
        """A subject's name."""
        key = f"subjects.{subject}"
        return self.texts(key) if self.texts.knows(key) else clean(subject)

    def skill(self, skill: str, subject: str | None = None) -> str:
        """A skill's title, or its id without the subject before it and with spaces."""
        title = self.content.get(skill)
        return clean(title[0]) if title and title[0] else clean(_plain(skill, subject))

    def item(self, item: str) -> Content:
        """An exercise."""
        title, url = self.content.get(item, ("", None))
        return Content(item, clean(title or item), url if url and _is_web(url) else None)

    def _person(self, pseudonym: str, otherwise: str) -> str:
        name = clean(self.people.get(pseudonym, ""))
        return name or self.texts(otherwise, code=pseudonym[:CODE])


def clean(text: str) -> str:
    """A text from outside as a page shows it: no control characters, no marks that turn its direction, and cut."""
    shown = "".join(each for each in text if unicodedata.category(each) not in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp"))
    shown = " ".join(shown.split())
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1].rstrip()}…"


def _plain(skill: str, subject: str | None) -> str:
    bare = skill.removeprefix(f"{subject}.") if subject else skill
    return re.sub("[-_]", " ", bare) if re.fullmatch(r"[^\W\dA-Z]\w*([-_]\w+)+", bare) else bare


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False
