"""Joins the services' OpenAPI documents into the one that is committed and served; it adds nothing that no code says.

python -m deploy.openapi          write shared/web/openapi.json
python -m deploy.openapi --check  fail when it is not what the services say
"""

import json
import sys
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from deploy.migrations import SERVICES
from shared.kit.auth import Caller
from shared.kit.problems import MEDIA_TYPE, ProblemDocument

Json: TypeAlias = dict[str, Any]

FILE: Final = Path(__file__).parent.parent / "shared" / "web" / "openapi.json"

DESCRIPTION: Final = """\
Requests of a town's enterprises, whom they go to, and how they are followed to their end.

Every error is a problem document (RFC 9457) with a stable `type`, the field at fault and what to do, in Chinese or
English by `Accept-Language` or `?lang=`. Lists are `{"items": […], "next": cursor or null}`: give `next` back as
`cursor`. Every write takes `Idempotency-Key`: the same key with the same content gets the first answer again.
Writes on a matter take `If-Match` with its version, and answer 412 when it has moved on. Who asks more often than the
town allows is answered 429 with `Retry-After`; nothing was done then.\
"""

PROBLEM: Final = ProblemDocument.__name__
PLACE: Final = "#/components/schemas/"
SCHEME: Final = "HTTPBearer"
PHRASES: Final = {status: HTTPStatus(int(status)).phrase for status in ("401", "403", "429", "503")}


def joined() -> Json:
    """The one document: every path of every service, and the components that they use.

    Raises ValueError when two services answer the same path.
    """
    documents = {service: _document(service) for service in SERVICES}
    _name_apart(list(documents.values()))
    parts = [document["components"] for document in documents.values()]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Liaison", "version": "1", "description": DESCRIPTION},
        "tags": [
            {"name": service, "description": import_module(f"services.{service}").__doc__}
            for service in SERVICES
        ],
        "paths": _union(document["paths"] for document in documents.values()),
        "components": {
            "schemas": _union(part["schemas"] for part in parts),
            "securitySchemes": _union(part.get("securitySchemes", {}) for part in parts),
        },
    }


def _document(service: str) -> Json:
    # Building connects to nothing: these addresses are never used.
    settings = import_module(f"services.{service}.settings").Settings(
        database_url="postgresql://nowhere/liaison", kafka="nowhere:9092"
    )
    app: FastAPI = import_module(f"services.{service}.app").build(settings)
    document = app.openapi()
    for path, method, roles in _routes(app):
        _describe(document["paths"][path][method.lower()], service, roles)
    schemas: Json = document["components"]["schemas"]
    # What was defined inside an operation goes beside the others.
    for inner in list(_objects(document["paths"])):
        schemas |= inner.pop("$defs", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _routes(app: FastAPI) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for route in iter_route_contexts(app.routes):
        if getattr(route, "include_in_schema", False):
            for method in route.methods or ():
                yield route.path_format or "", method, _roles(route.dependant)


def _roles(dependant: Dependant) -> tuple[str, ...]:
    """The roles that a route asks for; none when it asks for no token."""
    if isinstance(dependant.call, Caller):
        return tuple(role.value for role in dependant.call.roles)
    return next(filter(None, map(_roles, dependant.dependencies)), ())


def _describe(operation: Json, service: str, roles: tuple[str, ...]) -> None:
    """Say whose operation it is and for which roles, and show its errors as what they are: problem documents."""
    operation["tags"] = [service]
    operation["security"] = [{SCHEME: list(roles)}] if roles else []
    who = f"Roles: {', '.join(roles)}." if roles else "Needs no token."
    operation["description"] = f"{operation.get('description', '').strip()}\n\n{who}".strip()
    answers: Json = operation["responses"]
    for status in PHRASES if roles else ("503",):
        answers.setdefault(status, {"description": PHRASES[status]})
    for status, answer in answers.items():
        answer["description"] = answer["description"].replace(
            "Successful Response", HTTPStatus(int(status)).phrase
        )
        if len(answer.get("content", {})) > 1:
            # FastAPI adds JSON of no form to what is said to be something else.
            _drop_empty(answer["content"])
        if int(status) >= 400:
            answer["content"] = {MEDIA_TYPE: {"schema": {"$ref": f"{PLACE}{PROBLEM}"}}}
    operation["responses"] = dict(sorted(answers.items()))


def _drop_empty(contents: Json) -> None:
    for media_type in [name for name, content in contents.items() if not content.get("schema")]:
        del contents[media_type]


def _objects(value: object) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def _name_apart(documents: list[Json]) -> None:
    """Put the service before the name of each schema that another service means something else by."""
    meanings: dict[str, list[Json]] = {}
    for document in documents:
        for name, schema in document["components"]["schemas"].items():
            meanings.setdefault(name, []).append(schema)
    shared = {name for name, found in meanings.items() if all(each == found[0] for each in found)}
    for service, document in zip(SERVICES, documents, strict=True):
        schemas = document["components"]["schemas"]
        names = {name: f"{service.capitalize()}{name}" for name in schemas if name not in shared}
        document["components"]["schemas"] = {
            names.get(name, name): schema for name, schema in schemas.items()
        }
        for inner in _objects(document):
            name = str(inner.get("$ref", "")).removeprefix(PLACE)
            if name in names:
                inner["$ref"] = f"{PLACE}{names[name]}"


def _union(parts: Iterable[Json]) -> Json:
    union: Json = {}
    for part in parts:
        if twice := [name for name in part if union.get(name, part[name]) != part[name]]:
            raise ValueError(f"two services define {', '.join(twice)}")
        union |= part
    return dict(sorted(union.items()))


def written() -> str:
    """The document as it is committed."""
    return json.dumps(joined(), ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write the document, or with `--check` exit with 1 when the committed one differs."""
    if sys.argv[1:] != ["--check"]:
        FILE.write_text(written(), encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != written():
        sys.exit(f"{FILE} is not what the services say: run python -m deploy.openapi")


if __name__ == "__main__":
    main()
