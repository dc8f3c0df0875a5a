"""Problem details (RFC 9457): validation errors by field, and a problem document for every error of an app."""

import re
from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import SkipJsonSchema
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.contracts.fields.types import FORMS
from shared.http.middleware.containment import ContainmentMiddleware
from shared.http.middleware.methods import allowed_methods
from shared.http.responses import as_json
from shared.messages.catalogue import catalogue, choose_language
from shared.observability.redaction import reason_of
from shared.runtime.database import is_transient
from shared.runtime.errors import FieldError, Problem, busy

log = structlog.get_logger()

UNSTORABLE = (
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
    UnicodeEncodeError,
)
"""What a text with U+0000 or half a surrogate pair comes to, where no field refused it before."""

FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

MEDIA_TYPE = "application/problem+json"
_CHOICE = re.compile(r"'([^']*)'")
_JSON_PLACE = re.compile(r"at line ([0-9]+) column ([0-9]+)")
LONGEST_STEP = 200
"""Characters of one step of a pointer; a caller chooses the names of unknown fields."""


class FieldProblem(BaseModel):
    """One thing wrong with what was sent: where (a JSON pointer), which rule, and what to do."""

    pointer: str
    code: str
    detail: str


class ProblemDocument(BaseModel):
    """How every error looks (RFC 9457); further members depend on its type."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | SkipJsonSchema[None] = None


PROBLEM_RESPONSE: Final[dict[str, Any]] = {
    "model": ProblemDocument,
    "content": {MEDIA_TYPE: {}},
}
"""How a route's description shows a response that is a problem document."""


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return `problem` responses for several statuses, as a route's `responses`."""
    return dict.fromkeys(statuses, PROBLEM_RESPONSE)


def language(request: Request) -> str:
    """Return the caller's language: `?lang=`, else Accept-Language, else Chinese."""
    return choose_language(request.query_params.get("lang"), request.headers.get("accept-language"))


def field_errors(fault: ValidationError | RequestValidationError, lang: str) -> list[FieldError]:
    """Return the errors by field, in words that say what to do; submitted values are never repeated."""
    known = catalogue(lang)
    found: list[FieldError] = []
    for error in list(fault.errors())[:50]:
        place = "/".join(_escaped(step) for step in _place_of(error))
        code = str(error["type"])
        limits = _limits_of(error.get("ctx") or {}, lang)
        if (form := FORMS.get(str(limits.get("pattern")))) is not None:
            limits |= {"rule": form.rule, "example": form.example}
        # The same code may need other words for each rule that it stands for.
        named = (f"field.{code}.{limits.get('rule')}", f"field.{code}", "field.other")
        words = next(known[name] for name in named if name in known)
        found.append(FieldError(f"/{place}", code, words.format_map(_Lenient(limits))))
    return found


def _limits_of(context: Mapping[str, Any], lang: str) -> dict[str, object]:
    """Return the parameters of an error's message: limits, allowed values, and the place of a JSON error."""
    limits = {key: value for key, value in context.items() if key != "error"}
    if (expected := limits.get("expected")) and (choices := _CHOICE.findall(str(expected))):
        limits["expected"] = ("、" if lang == "zh" else ", ").join(choices)
    if place := _JSON_PLACE.search(str(context.get("error", ""))):
        limits |= {"rule": "place", "line": place[1], "column": place[2]}
    return limits


def _place_of(error: Mapping[str, Any]) -> tuple[object, ...]:
    """Return an error's JSON pointer. A model's own rule names the field in its context, as `field`."""
    inner = (error.get("ctx") or {}).get("field")
    place = tuple(error["loc"])
    if error["type"] == "json_invalid" and place and isinstance(place[-1], int):
        # FastAPI adds the number of the character, which is no step to a field.
        return place[:-1]
    return (*place, *str(inner).split("/")) if inner else place


def _escaped(step: object) -> str:
    # A name that was sent may hold half a surrogate pair, which no answer can carry.
    name = str(step)[:LONGEST_STEP].encode("utf-8", "replace").decode()
    return name.replace("~", "~0").replace("/", "~1")


class _Lenient(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"


def invalid(fault: ValidationError | RequestValidationError, lang: str) -> Problem:
    """Return the 422 for an invalid body, path or query."""
    return Problem(422, "invalid", errors=field_errors(fault, lang))


def as_response(problem: Problem, lang: str) -> Response:
    """Return the problem as an HTTP response in a language."""
    return as_json(problem.body(lang), problem.status, problem.headers, MEDIA_TYPE)


def _log_context(request: Request) -> dict[str, str]:
    """Return a request's route template and matter id for the log. A raw path may contain a receipt's code."""
    taken = request.path_params
    # A request and its matter have one id.
    matter = taken.get("matter_id") or taken.get("request_id")
    route = {"route": getattr(request.scope.get("route"), "path", "none")}
    return route | ({"matter": matter} if matter else {})


async def on_fault(request: Request, fault: Exception) -> Response:
    """Log an unhandled error and return its response: 503 for one of the infrastructure, else 500."""
    log.error("request.failed", **_log_context(request), fault=reason_of(fault))
    problem = busy(5) if is_transient(fault) else Problem(500, "internal")
    return as_response(problem, language(request))


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""

    async def on_problem(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, Problem)  # noqa: S101 - registered for this class only
        return as_response(fault, language(request))

    async def on_invalid(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, RequestValidationError)  # noqa: S101 - registered for this class only
        lang = language(request)
        return as_response(invalid(fault, lang), lang)

    async def on_http(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, HTTPException)  # noqa: S101 - registered for this class only
        codes = {400: "unreadable_body", 404: "no_such_address", 405: "method_not_allowed"}
        code, headers = codes.get(fault.status_code, "http"), fault.headers
        if fault.status_code == 405:
            # Starlette names the methods of the first route alone.
            allowed = allowed_methods(request.app.routes, request.scope["path"])
            headers = {"allow": ", ".join(allowed)}
        return as_response(Problem(fault.status_code, code, headers=headers), language(request))

    async def on_unstorable(request: Request, fault: Exception) -> Response:
        log.warning("request.unstorable", **_log_context(request), fault=reason_of(fault))
        return as_response(Problem(422, "unstorable_text"), language(request))

    async def on_disconnect(request: Request, fault: Exception) -> Response:
        # Nobody reads the answer; what was sent was not whole, so nothing of it was kept.
        return Response(status_code=400)

    app.add_middleware(ContainmentMiddleware, on_fault=on_fault)
    app.add_exception_handler(ClientDisconnect, on_disconnect)
    handlers = {kind: on_unstorable for kind in UNSTORABLE} | {kind: on_fault for kind in FAULTS}
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
