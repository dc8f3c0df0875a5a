"""Steps over HTTP and by Kafka command: one entry makes the route and serves the command."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from shared.auth.tokens import Caller, Principal
from shared.http.empty import refuse_members_of
from shared.http.middleware.tracing import trace_in
from shared.http.problems import language
from shared.http.writes.idempotency import KeyUse, WriteResponse, if_match, use_of


@dataclass(frozen=True, slots=True)
class StepRequest:
    """One request for a step, by HTTP or by a command.

    `ids` are those of the path, `body` is the entry's model (None where it takes none or none was sent), `versions`
    are those of If-Match (None: any), `lang` is the language of the answer.
    """

    principal: Principal
    ids: Mapping[str, UUID]
    body: Any
    key: KeyUse | None
    versions: frozenset[int] | None
    traceparent: str
    lang: str


Perform: TypeAlias = Callable[[Any, StepRequest], Awaitable[WriteResponse]]
"""Takes the step, given the service's edge, in a transaction of its own. Raises Problem where it is refused."""


class StepOperation(NamedTuple):
    """The OpenAPI operation of a step."""

    id: str
    summary: str
    description: str


@dataclass(frozen=True, slots=True)
class StepEntry:
    """One step: command type, path, roles, body and handler.

    `optional` says that the body may be left out.
    """

    command: str
    path: str
    operation: StepOperation
    caller: Caller
    response: type[BaseModel]
    perform: Perform
    body: type[BaseModel] | None = None
    optional: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the ids in the path, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    def read_body(self, sent: Mapping[str, Any], lang: str) -> BaseModel | None:
        """The body of a command. Raises RequestValidationError, or Problem 422 for members where none are taken."""
        if self.body is None:
            refuse_members_of(sent, lang)
            return None
        try:
            return self.body.model_validate(dict(sent))
        except ValidationError as fault:
            errors = fault.errors(include_url=False)
            raise RequestValidationError(
                [{**each, "loc": ("body", *each["loc"])} for each in errors]
            ) from None


def add_steps(
    router: APIRouter,
    entries: Iterable[StepEntry],
    edge_of: Callable[[Request], Any],
    problems: Mapping[int | str, dict[str, Any]],
) -> None:
    """Add a POST route for each entry; `edge_of` returns the dependencies of `perform`."""
    for entry in entries:
        router.add_api_route(
            entry.path,
            _endpoint(entry, edge_of),
            methods=["POST"],
            operation_id=entry.operation.id,
            summary=entry.operation.summary,
            description=entry.operation.description,
            responses={200: {"model": entry.response}, **problems},
        )


def _endpoint(
    entry: StepEntry, edge_of: Callable[[Request], Any]
) -> Callable[..., Awaitable[Response]]:
    names = entry.names

    async def endpoint(**given: Any) -> Response:  # noqa: ANN401 - what the signature below says
        request, principal = given["request"], given["caller"]
        wanted = StepRequest(
            principal,
            {name: given[name] for name in names},
            given.get("body"),
            await use_of(request, principal),
            if_match(request),
            trace_in(request),
            language(request),
        )
        return (await entry.perform(edge_of(request), wanted)).response()

    # FastAPI reads parameters off the signature.
    endpoint.__signature__ = inspect.Signature(list(_parameters(entry)))  # type: ignore[attr-defined]
    return endpoint


def _parameters(entry: StepEntry) -> Iterable[inspect.Parameter]:
    yield _parameter("request", Request)
    for name in entry.names:
        yield _parameter(name, UUID)
    yield _parameter("caller", Annotated[Principal, Depends(entry.caller)])
    if entry.body is not None and entry.optional:
        yield _parameter("body", Annotated[entry.body | None, Body()], None)
    elif entry.body is not None:
        yield _parameter("body", entry.body)


_REQUIRED: Final = inspect.Parameter.empty


def _parameter(name: str, annotation: object, default: object = _REQUIRED) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)
