"""The route class of the staff's pages: sign-in, forms of our own alone, and problems as pages."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from services.desk.clients.services import ServiceProblem
from services.desk.clients.transport import ServiceAway
from services.desk.pages import layout, visitors
from services.desk.pages.layout import SignInNeeded
from shared.http.middleware.methods import allowed_methods
from shared.http.problems import UNSTORABLE, invalid
from shared.http.routes import CheckedRoute
from shared.observability.redaction import reason_of
from shared.runtime.database import is_transient
from shared.runtime.errors import Problem, busy

log = structlog.get_logger()

BUSY_SECONDS: Final = 5
ADDRESS_PROBLEMS: Final = {404: "no_such_address", 405: "method_not_allowed"}


class StaffRoute(CheckedRoute):
    """A page for who is signed in; without a session the visitor is sent to sign in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the check of the form's origin, with every problem made a page."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                if request.method == "POST":
                    visitors.require_same_origin(request)
                return await handler(request)
            except SignInNeeded:
                return layout.to_sign_in(request)
            except Exception as fault:
                if isinstance(fault, ClientDisconnect):
                    raise
                return layout.trouble(request, problem_of(request, fault))

        return answer


def problem_of(request: Request, fault: Exception) -> Problem | ServiceProblem:
    """What a page says of any exception: one that is no refusal is logged, and is 503 where it may pass, else 500."""
    if isinstance(fault, (Problem, ServiceProblem)):
        return fault
    if isinstance(fault, RequestValidationError):
        return invalid(fault, visitors.language(request))
    if isinstance(fault, UNSTORABLE):
        return Problem(422, "unstorable_text")
    if isinstance(fault, ServiceAway):
        log.warning("desk.service_away", fault=str(fault))
        return Problem(503, "service_away", headers={"retry-after": str(BUSY_SECONDS)})
    route = getattr(request.scope.get("route"), "path", "none")
    log.error("request.failed", route=route, fault=reason_of(fault))
    return busy(BUSY_SECONDS) if is_transient(fault) else Problem(500, "internal")


def show_unknown_addresses(app: FastAPI) -> None:
    """Give a browser a page where `app` has no such address or method; a program goes on with the document."""
    as_document: Any = app.exception_handlers[HTTPException]

    async def on_http(request: Request, fault: Exception) -> Response:
        status = fault.status_code if isinstance(fault, HTTPException) else 0
        code = ADDRESS_PROBLEMS.get(status)
        if code is None or "text/html" not in request.headers.get("accept", ""):
            document: Response = await as_document(request, fault)
            return document
        allowed = allowed_methods(request.app.routes, request.scope["path"])
        headers = {"allow": ", ".join(allowed)} if status == 405 else {}
        return layout.trouble(request, Problem(status, code, headers=headers))

    app.add_exception_handler(HTTPException, on_http)
