"""The services as they are built, with a token of every role and without servers; and their routes."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from deploy.jobs.migrations import FIRST_SERVICES
from services.desk.app import build as build_desk
from services.desk.settings import Settings as DeskSettings
from shared.auth.brute_force import BruteForceGuard
from shared.auth.tokens import Caller
from shared.contracts.vocabulary import Role
from tests.support.desks import some_desk_key

NOWHERE = {"database_url": "postgresql://nowhere/liaison", "kafka": "nowhere:9092"}
SOME_ID = "01890000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Operation:
    """A method of a path, as one of its callers asks for it."""

    service: str
    method: str
    path: str
    role: str | None
    route: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def built(tokens: Path | None = None) -> dict[str, FastAPI]:
    """The apps by service. Intake counts guesses of receipts before it reads a body."""
    apps: dict[str, FastAPI] = {
        service: import_module(f"services.{service}.app").build(
            import_module(f"services.{service}.settings").Settings(**NOWHERE, tokens_file=tokens)
        )
        for service in FIRST_SERVICES
    }
    desk = DeskSettings(**NOWHERE, tokens_file=tokens, desk_key_file=some_desk_key())
    apps["desk"] = build_desk(desk, apps)
    apps["intake"].state.edge = SimpleNamespace(brute_force_guard=BruteForceGuard(10_000))
    return apps


def written_tokens(folder: Path) -> Path:
    file = folder / "tokens.json"
    entries = [
        {"sha256": hashlib.sha256(role.encode()).hexdigest(), "role": role, "party": "P001"}
        for role in Role
    ]
    file.write_text(json.dumps(entries))
    return file


def operations() -> list[Operation]:
    """Every operation that the API's description has."""
    return [
        Operation(service, method, _filled(route), _role(route.dependant), route)
        for service, app in built().items()
        for route in iter_route_contexts(app.routes)
        if getattr(route, "include_in_schema", False)
        for method in route.methods or ()
    ]


def _filled(route: Any) -> str:
    path: str = route.path_format
    for name in route.param_convertors:
        path = path.replace(f"{{{name}}}", "1" if name == "version" else SOME_ID)
    return path


def _role(dependant: Any) -> str | None:
    return next(iter(_roles(dependant)), None)


def _roles(dependant: Any) -> Iterator[str]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Caller):
            yield inner.call.roles[0]
        yield from _roles(inner)


async def asked(
    apps: dict[str, FastAPI], operation: Operation, query: str = "", **options: Any
) -> httpx.Response:
    """The answer to an operation, in English."""
    transport = httpx.ASGITransport(apps[operation.service], raise_app_exceptions=False)
    headers = {"accept-language": "en"} | options.pop("headers", {})
    if operation.role:
        headers["authorization"] = f"Bearer {operation.role}"
    method = options.pop("method", operation.method)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, operation.path + query, headers=headers, **options)
