"""Reads the OpenAPI document into what the docs page renders."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.messages.catalogue import catalogue
from shared.web.schema import Field, Json, Schemas

FILE: Final = "openapi.json"

_BLANK: Final = re.compile(r"\{[^}]*\}")
METHODS: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Content:
    """A body in one media type."""

    media_type: str
    type: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something in the path, the query or a header."""

    name: str
    place: str
    type: str
    required: bool
    limits: str
    description: str


@dataclass(frozen=True, slots=True)
class DocumentedResponse:
    """What is answered with one status; a problem has no fields of its own."""

    status: str
    description: str
    contents: tuple[Content, ...]
    is_problem: bool


@dataclass(frozen=True, slots=True)
class DocumentedOperation:
    """One method of one path. `roles` is empty where no token is needed."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    roles: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    bodies: tuple[Content, ...]
    answers: tuple[DocumentedResponse, ...]
    command: str


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of one service."""

    name: str
    description: str
    operations: tuple[DocumentedOperation, ...]


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A problem's stable name, and what it says."""

    code: str
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The whole API for people."""

    title: str
    version: str
    description: str
    groups: tuple[Group, ...]
    problems: tuple[ProblemType, ...]


def read(document: Json, lang: str) -> Reference:
    """The reference of an OpenAPI 3.1 document whose operations have one tag each."""
    schemas = Schemas(document, lang)
    operations = [
        (operation["tags"][0], _operation(path, method, operation, schemas))
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]
    groups = tuple(
        Group(
            tag["name"],
            tag["description"],
            tuple(operation for name, operation in operations if name == tag["name"]),
        )
        for tag in document["tags"]
    )
    info = document["info"]
    return Reference(
        info["title"], info["version"], info["description"], groups, problem_types(lang)
    )


def _operation(path: str, method: str, operation: Json, schemas: Schemas) -> DocumentedOperation:
    body = operation.get("requestBody", {}).get("content", {})
    return DocumentedOperation(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation["description"],
        roles=_roles(operation),
        parameters=tuple(
            _parameter(parameter, schemas) for parameter in operation.get("parameters", ())
        ),
        bodies=_contents(body, schemas),
        answers=tuple(
            _answer(status, answer, schemas) for status, answer in operation["responses"].items()
        ),
        command=_command(path, method, operation, schemas),
    )


def _roles(operation: Json) -> tuple[str, ...]:
    """OpenAPI 3.1 lets a requirement of any scheme name the roles that it takes."""
    return tuple(
        role
        for requirement in operation["security"]
        for roles in requirement.values()
        for role in roles
    )


def _parameter(parameter: Json, schemas: Schemas) -> Parameter:
    schema = schemas.resolve(parameter["schema"])
    return Parameter(
        parameter["name"],
        parameter["in"],
        schemas.type_of(schema),
        parameter.get("required", False),
        schemas.limits_of(schema),
        parameter.get("description") or schema.get("description", ""),
    )


def _contents(content: Mapping[str, Any], schemas: Schemas) -> tuple[Content, ...]:
    return tuple(
        Content(
            media_type,
            schemas.type_of(inner.get("schema", {})),
            tuple(schemas.fields(inner.get("schema", {}))),
        )
        for media_type, inner in content.items()
    )


def _answer(status: str, answer: Json, schemas: Schemas) -> DocumentedResponse:
    content = answer.get("content", {})
    is_problem = "application/problem+json" in content
    return DocumentedResponse(
        status,
        answer["description"],
        () if is_problem else _contents(content, schemas),
        is_problem,
    )


def _command(path: str, method: str, operation: Json, schemas: Schemas) -> str:
    """A line of curl with what has to be given; `$ORIGIN` and `$TOKEN` are the reader's."""
    parts = [f'curl -X {method.upper()} "$ORIGIN{path}"']
    if _roles(operation):
        parts.append('-H "Authorization: Bearer $TOKEN"')
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "header" and parameter.get("required"):
            parts.append(f'-H "{parameter["name"]}: …"')
    content = operation.get("requestBody", {}).get("content", {})
    for media_type, inner in list(content.items())[:1]:
        sample = json.dumps(schemas.sample(inner["schema"]), ensure_ascii=False)
        parts += [f'-H "Content-Type: {media_type}"', f"-d '{sample}'"]
    return " \\\n  ".join(parts)


def problem_types(lang: str) -> tuple[ProblemType, ...]:
    """Every problem in the catalogue of messages, by its code."""
    known = catalogue(lang)
    codes = sorted(
        key[8:-6] for key in known if key.startswith("problem.") and key.endswith(".title")
    )
    return tuple(
        ProblemType(
            code,
            known[f"problem.{code}.title"],
            _BLANK.sub("…", known[f"problem.{code}.detail"]),
        )
        for code in codes
    )
