"""The route class of the staff's pages: sign-in, forms of our own alone, and problems as pages."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog
from fastapi import Request, Response

from services.desk.clients.services import ServiceProblem
from services.desk.pages import layout, visitors
from services.desk.pages.layout import SignInNeeded
from shared.http.problems import FAULTS
from shared.http.routes import CheckedRoute
from shared.observability.redaction import reason_of
from shared.runtime.database import is_transient
from shared.runtime.errors import Problem, busy

log = structlog.get_logger()

BUSY_SECONDS: Final = 5


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
            except (Problem, ServiceProblem) as problem:
                return layout.trouble(request, problem)
            except FAULTS as fault:
                route = getattr(request.scope.get("route"), "path", "none")
                log.error("request.failed", route=route, fault=reason_of(fault))
                if not is_transient(fault):
                    return layout.trouble(request, Problem(500, "internal"))
                return layout.trouble(request, busy(BUSY_SECONDS))

        return answer
