"""The page `/docs`: every call with its parameters, answers and an example, from the service's own OpenAPI description.

Belongs here: that page. It needs no script and nothing from elsewhere, so it reads the same on a machine without the
internet. Who wants to try calls in a browser loads `/openapi.json` into a tool of their own.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, Final
from urllib.parse import quote, urlencode

METHODS: Final = ("get", "post")
_STYLE: Final = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#223}
h2{margin:2.5rem 0 .3rem;font:600 1.05rem ui-monospace,monospace;border-top:1px solid #d5dbe3;padding-top:1.2rem}
h2 b{display:inline-block;min-width:3.6rem;color:#0b5cad}h2 b.post{color:#8a4b08}
pre{background:#f3f5f8;padding:.7rem;overflow:auto;font-size:.85rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;border-bottom:1px solid #e8ecf1}
summary{cursor:pointer;margin:.5rem 0}code{font-size:.9em}"""


def documentation(description: Mapping[str, Any], url: str) -> str:
    """The page.

    Args:
        description: OpenAPI 3.1, as `FastAPI.openapi` makes it.
        url: Where the service is reached, for the examples.
    """
    schemas = description.get("components", {}).get("schemas", {})
    calls = "".join(
        _call(method, path, operation, schemas, url)
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    )
    info = description["info"]
    words = "".join(f"<p>{_words(part)}</p>" for part in info["description"].split("\n\n"))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}: the HTTP service</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{escape(info['title'])}: the HTTP service</h1>{words}"
        f'<p>For machines: <a href="openapi.json">openapi.json</a>.</p>{calls}</html>'
    )


def _call(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any], url: str) -> str:
    parameters = operation.get("parameters", [])
    return "".join(
        [
            f'<h2 id="{escape(operation["operationId"])}"><b class="{method}">{method.upper()}</b> {escape(path)}</h2>',
            f"<p>{_words(operation.get('description', ''))}</p>",
            _table(("parameter", "in", "", ""), (_parameter(each) for each in parameters)),
            f"<pre>{escape(_example(method, path, parameters, url))}</pre>",
            *_answers(operation["responses"], schemas),
        ]
    )


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, str, str, str]:
    schema = parameter["schema"]
    allowed = [value for kind in schema.get("anyOf", [schema]) for value in kind.get("enum", [])]
    words = _words(parameter.get("description", "")) + (f" One of {escape(', '.join(allowed))}." if allowed else "")
    needed = "needed" if parameter.get("required") else f"default {json.dumps(schema.get('default'))}"
    return f"<code>{escape(parameter['name'])}</code>", parameter["in"], escape(needed), words


def _example(method: str, path: str, parameters: Iterable[Mapping[str, Any]], url: str) -> str:
    """The call as a command, with the examples of its parameters."""
    given = {"path": {}, "query": {}, "header": {}}  # type: dict[str, dict[str, str]]
    for parameter in parameters:
        examples = parameter["schema"].get("examples") or parameter.get("examples")
        if examples:
            given[parameter["in"]][parameter["name"]] = str(examples[0])
    for name, value in given["path"].items():
        path = path.replace(f"{{{name}}}", quote(value))
    address = f"{url}{path}" + (f"?{urlencode(given['query'])}" if given["query"] else "")
    headers = [part for name, value in given["header"].items() for part in ("-H", f"{name}: {value}")]
    verb = [] if method == "get" else ["-X", method.upper()]
    return shlex.join(["curl", *verb, *headers, address])


def _answers(responses: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    yield _table(
        ("answer", "", ""),
        ((code, _words(answer["description"]), _schema_name(answer)) for code, answer in sorted(responses.items())),
    )
    for code, answer in sorted(responses.items()):
        name = _schema_name(answer)
        if code.startswith("2") and name in schemas:
            yield _shape(name, schemas[name])


def _shape(name: str, schema: Mapping[str, Any]) -> str:
    """What an answer holds."""
    properties = schema.get("properties", {})
    fields = (
        (f"<code>{escape(field)}</code>", _words(said.get("description", ""))) for field, said in properties.items()
    )
    examples = "".join(f"<pre>{escape(json.dumps(each, indent=2))}</pre>" for each in schema.get("examples", []))
    return f"<details><summary>{escape(name)}</summary>{_table(('field', ''), fields)}{examples}</details>"


def _schema_name(answer: Mapping[str, Any]) -> str:
    reference = answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
    return str(reference).rpartition("/")[2]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    made = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    titles = "".join(f"<th>{title}</th>" for title in head)
    return f"<table><tr>{titles}</tr>{made}</table>" if made else ""


def _words(text: str) -> str:
    """Text with `code` marked, as the descriptions write it."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
