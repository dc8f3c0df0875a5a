"""Joins the services' OpenAPI documents into one."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from deploy.jobs.migrations import FIRST_SERVICES
from services import followup, intake, routing
from services.followup.app import build as build_followup
from services.followup.settings import Settings as FollowupSettings
from services.intake.api.bodies import COMPONENTS
from services.intake.app import build as build_intake
from services.intake.settings import Settings as IntakeSettings
from services.routing.app import build as build_routing
from services.routing.settings import Settings as RoutingSettings
from shared.auth.tokens import Caller
from tools.openapi.components import (
    Json,
    add_titles,
    join_components,
    objects_in,
    say_defaults,
    simplify_names,
)
from tools.openapi.examples import add_examples
from tools.openapi.operations import describe
from tools.openapi.problems import add_problem_types

PACKAGES: Final = {"intake": intake, "routing": routing, "followup": followup}
FILE: Final = Path(__file__).parents[2] / "shared" / "web" / "openapi.json"

DESCRIPTION: Final = """\
Requests of a town's enterprises, whom they go to, and how they are followed to their end.

Every error is a problem document (RFC 9457) with a stable `type`, the field at fault and what to do, in Chinese or
English by `Accept-Language` or `?lang=`. Lists are `{"items": […], "next": cursor or null}`: give `next` back as
`cursor`. Every write takes `Idempotency-Key`: the same key with the same content gets the first answer again.
Writes on a matter take `If-Match` with its version, and answer 412 when it has moved on. Who asks more often than the
town allows is answered 429 with `Retry-After`; nothing was done then.\
"""

INFO: Final[Json] = {
    "title": "Liaison",
    "version": "1",
    "description": DESCRIPTION,
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
SERVERS: Final = [
    {
        "url": "{origin}",
        "description": "The town's gateway",
        "variables": {
            "origin": {
                "default": "http://127.0.0.1:8000",
                "description": "As `make up` starts it on one machine",
            }
        },
    }
]


def joined() -> Json:
    """The one document: every path of every service, and the components that they use.

    Raises ValueError when two services answer the same path or one name means two things.
    """
    documents = {service: _document(service, app) for service, app in _apps().items()}
    for document in documents.values():
        simplify_names(document)
    schemas = join_components(documents)
    whole: Json = {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": SERVERS,
        "tags": [
            {"name": service, "description": PACKAGES[service].__doc__}
            for service in FIRST_SERVICES
        ],
        "paths": _union(document["paths"] for document in documents.values()),
        "components": {
            "schemas": schemas,
            "securitySchemes": _union(
                document["components"].get("securitySchemes", {}) for document in documents.values()
            ),
        },
    }
    add_problem_types(whole)
    say_defaults(whole)
    add_titles(whole)
    add_examples(whole)
    return whole


def _apps() -> dict[str, FastAPI]:
    # Building connects to nothing: these addresses are never used.
    database_url, kafka = "postgresql://nowhere/liaison", "nowhere:9092"
    return {
        "intake": build_intake(IntakeSettings(database_url=database_url, kafka=kafka)),
        "routing": build_routing(RoutingSettings(database_url=database_url, kafka=kafka)),
        "followup": build_followup(FollowupSettings(database_url=database_url, kafka=kafka)),
    }


def _document(service: str, app: FastAPI) -> Json:
    document = app.openapi()
    for path, method, roles in _routes(app):
        describe(document["paths"][path][method.lower()], method, service, roles)
    schemas: Json = document["components"]["schemas"]
    if service == "intake":
        # What a direct route reads is known to itself alone.
        schemas |= COMPONENTS
    # What was defined inside an operation goes beside the others.
    for inner in list(objects_in(document["paths"])):
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


def _union(parts: Iterable[Json]) -> Json:
    union: Json = {}
    for part in parts:
        if twice := [name for name in part if union.get(name, part[name]) != part[name]]:
            raise ValueError(f"two services define {', '.join(twice)}")
        union |= part
    return union


def written() -> str:
    """The document as it is committed."""
    return json.dumps(joined(), ensure_ascii=False, indent=1) + "\n"
