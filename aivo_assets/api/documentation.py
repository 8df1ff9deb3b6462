"""The page `/docs`: every call with its parameters, answers and an example, from the service's own OpenAPI description.

Belongs here: what the template `api.html` is given. The page needs no script and nothing from elsewhere, so it reads
the same on a machine without the internet. To try calls in a browser, load `/openapi.json` into a tool of your own.
"""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from aivo_assets.documents import render

METHODS: Final = ("get", "post", "delete")


def documentation(description: Mapping[str, Any], url: str) -> str:
    """The page.

    Args:
        description: OpenAPI 3.1, as `FastAPI.openapi` makes it.
        url: Where the service is reached, for the examples.
    """
    schemas = description.get("components", {}).get("schemas", {})
    calls = [
        {
            "method": method,
            "path": path,
            "id": operation["operationId"],
            "description": operation.get("description", ""),
            "parameters": [_parameter(each) for each in operation.get("parameters", [])],
            "example": _example(method, path, operation, schemas, url),
            "answers": [_answer(code, answer, schemas) for code, answer in sorted(operation["responses"].items())],
        }
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]
    return render("api.html", info=description["info"], calls=calls)


def _parameter(parameter: Mapping[str, Any]) -> dict[str, str]:
    schema = parameter["schema"]
    allowed = [value for kind in schema.get("anyOf", [schema]) for value in kind.get("enum", [])]
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "default": "required" if parameter.get("required") else f"default {json.dumps(schema.get('default'))}",
        "description": parameter.get("description", "") + (f" One of {', '.join(allowed)}." if allowed else ""),
    }


def _example(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any], url: str) -> str:
    """The call as a command, with the examples of its parameters and of what it sends."""
    given: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
    for parameter in operation.get("parameters", []):
        examples = parameter["schema"].get("examples") or parameter.get("examples")
        if examples:
            given[parameter["in"]][parameter["name"]] = str(examples[0])
    for name, value in given["path"].items():
        path = path.replace(f"{{{name}}}", quote(value))
    address = f"{url}{path}" + (f"?{urlencode(given['query'])}" if given["query"] else "")
    headers = [part for name, value in given["header"].items() for part in ("-H", f"{name}: {value}")]
    verb = [] if method == "get" else ["-X", method.upper()]
    return shlex.join(["curl", *verb, *headers, *_sent(operation, schemas), address])


def _sent(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[str]:
    """What goes into the body of a call, as options of curl; nothing where it has none."""
    if "requestBody" not in operation:
        return []
    body = operation["requestBody"]["content"]["application/json"]
    named = body["schema"].get("$ref", "").rsplit("/", 1)[-1]
    example = schemas[named]["examples"][0] if named else body["example"]
    return ["-H", "Content-Type: application/json", "-d", json.dumps(example)]


def _answer(code: str, answer: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Status, description and, of an answer that is no error, its fields and examples."""
    reference = answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
    name = str(reference).rpartition("/")[2]
    schema = schemas.get(name) if code.startswith("2") else None
    return {
        "code": code,
        "description": answer["description"],
        "schema": name,
        "fields": None
        if schema is None
        else {field: each.get("description", "") for field, each in schema.get("properties", {}).items()},
        "examples": [json.dumps(each, indent=2) for each in (schema or {}).get("examples", [])],
    }
