"""Errors as problem details (RFC 9457): a stable type, the field at fault and what to do, in the reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.kit.answers import as_json
from shared.kit.db import is_transient
from shared.kit.faults import reason_of
from shared.kit.messages import catalogue, choose_language, text

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong: where (a JSON pointer), which rule, and what to do."""

    pointer: str
    code: str
    message: str


class Problem(Exception):
    """An answer that is no success. `code` names its catalogue entries `problem.<code>.title` and `.detail`."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        params: Mapping[str, object] | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.params = params or {}
        self.errors = errors
        self.headers = headers or {}
        self.members = members or {}

    def body(self, lang: str) -> dict[str, Any]:
        """The problem document in a language."""
        document: dict[str, Any] = {
            "type": f"urn:liaison:problem:{self.code}",
            "title": text(f"problem.{self.code}.title", lang),
            "status": self.status,
            "detail": text(f"problem.{self.code}.detail", lang, **self.params),
        }
        if self.errors:
            document["errors"] = [
                {"pointer": error.pointer, "code": error.code, "detail": error.message}
                for error in self.errors
            ]
        return document | dict(self.members)

    def response(self, lang: str) -> Response:
        """The problem as an HTTP answer."""
        return as_json(self.body(lang), self.status, self.headers, MEDIA_TYPE)


class ProblemDocument(BaseModel):
    """How every error looks (RFC 9457); further members depend on its type."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] | None = None


def language(request: Request) -> str:
    """The language that the caller reads: `?lang=`, else Accept-Language, else Chinese."""
    return choose_language(request.query_params.get("lang"), request.headers.get("accept-language"))


def field_errors(fault: ValidationError | RequestValidationError, lang: str) -> list[FieldError]:
    """What is wrong where, in words that say what to do; the values themselves are never repeated."""
    known = catalogue(lang)
    found: list[FieldError] = []
    for error in list(fault.errors())[:50]:
        place = "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in error["loc"])
        code = str(error["type"])
        words = known.get(f"field.{code}", known["field.other"])
        limits = {key: value for key, value in (error.get("ctx") or {}).items() if key != "error"}
        found.append(FieldError(f"/{place}", code, words.format_map(_Lenient(limits))))
    return found


class _Lenient(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"


def invalid(fault: ValidationError | RequestValidationError, lang: str) -> Problem:
    """The 422 for a body, path or query that does not fit."""
    return Problem(422, "invalid", errors=field_errors(fault, lang))


def busy(seconds: int) -> Problem:
    """The 503 that asks to come again in `seconds`; nothing was kept."""
    return Problem(503, "busy", params={"seconds": seconds}, headers={"retry-after": str(seconds)})


def _asked_for(request: Request) -> dict[str, str]:
    """Which route a request took, and which matter it was about. A path whole may hold a receipt's code."""
    taken = request.path_params
    # A request and its matter have one id.
    matter = taken.get("matter_id") or taken.get("request_id")
    route = {"route": getattr(request.scope.get("route"), "path", "none")}
    return route | ({"matter": matter} if matter else {})


def install(app: FastAPI) -> None:
    """Answer every error of `app` as a problem document."""

    async def on_problem(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, Problem)  # noqa: S101 - registered for this class only
        return fault.response(language(request))

    async def on_invalid(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, RequestValidationError)  # noqa: S101 - registered for this class only
        lang = language(request)
        return invalid(fault, lang).response(lang)

    async def on_http(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, HTTPException)  # noqa: S101 - registered for this class only
        codes = {400: "unreadable_body", 404: "no_such_address", 405: "method_not_allowed"}
        code = codes.get(fault.status_code, "http")
        return Problem(fault.status_code, code, headers=fault.headers).response(language(request))

    async def on_fault(request: Request, fault: Exception) -> Response:
        log.error("request.failed", **_asked_for(request), fault=reason_of(fault))
        problem = busy(5) if is_transient(fault) else Problem(500, "internal")
        return problem.response(language(request))

    async def on_disconnect(request: Request, fault: Exception) -> Response:
        # Nobody reads the answer; what was sent was not whole, so nothing of it was kept.
        return Response(status_code=400)

    app.add_exception_handler(ClientDisconnect, on_disconnect)
    for kind in (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, Exception):
        app.add_exception_handler(kind, on_fault)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
