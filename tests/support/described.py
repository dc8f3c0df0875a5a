"""Holds real answers to the API's description: an answer that it does not name, or a field too many, is a failure."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

FILE = Path(__file__).parents[2] / "shared" / "web" / "openapi.json"


@cache
def document() -> dict[str, Any]:
    """The description with every object closed: additions are allowed to callers, not to surprise ourselves."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    for schema in found["components"]["schemas"].values():
        if "properties" in schema and schema.get("title") != "ProblemDocument":
            schema.setdefault("additionalProperties", False)
    return found


@cache
def paths() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Each path as a pattern; those with fewer blanks first, as the routes are told apart."""
    return [
        (re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))), item)
        for path, item in sorted(document()["paths"].items(), key=lambda pair: pair[0].count("{"))
    ]


def operation_of(request: httpx.Request) -> dict[str, Any] | None:
    operation = _described(request.method, request.url.path)
    media_type = request.headers.get("content-type", "").partition(";")[0]
    if operation and media_type in operation.get("x-also-takes", ()):
        # A batch on the path of one request is answered as on its own path.
        return _described(request.method, f"{request.url.path}/batch")
    return operation


def _described(method: str, path: str) -> dict[str, Any] | None:
    for pattern, item in paths():
        if pattern.fullmatch(path) and method.lower() in item:
            operation: dict[str, Any] = item[method.lower()]
            return operation
    return None


@cache
def validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(
        {**json.loads(schema), "components": document()["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


async def described(response: httpx.Response) -> None:
    """For `event_hooks` of a client. Streams and addresses that are no part of the API are passed over."""
    operation = operation_of(response.request)
    if operation is None or response.headers.get("content-type", "").startswith("text/"):
        return
    await response.aread()
    place = f"{response.request.method} {response.request.url.path} -> {response.status_code}"
    answer = operation["responses"].get(str(response.status_code))
    assert answer is not None, f"{place}: the description does not name this status"
    media_type = response.headers["content-type"].partition(";")[0]
    content = answer.get("content", {}).get(media_type)
    assert content is not None, f"{place}: the description does not name {media_type}"
    fault = best_match(validator(json.dumps(content["schema"])).iter_errors(response.json()))
    assert fault is None, f"{place}: {fault.json_path} {fault.message}"
