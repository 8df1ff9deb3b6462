"""HTML from the templates of this package. Belongs here: the one jinja2 environment; what a page says does not."""

import base64
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: object) -> str:
    """Fill in a template. Every value is escaped, and a value that the template needs and does not get is an error.

    Args:
        template: Name of a file in `templates/`.
        values: What the template speaks of.

    Raises:
        jinja2.UndefinedError: The template names a value that was not given.
    """
    return _environment().get_template(template).render(**values)


def data_url(png: bytes) -> str:
    """A PNG picture as a URL that holds it, so that a page needs no file beside it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only for those who write a page
    from markupsafe import Markup, escape  # noqa: PLC0415

    def code(text: str) -> Markup:
        """Text with what stands between backticks as code."""
        parts = str(escape(text)).split("`")
        return Markup("".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts)))  # noqa: S704 - escaped above

    loader = PackageLoader("aivo_assets.documents", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["code"] = code
    return environment
