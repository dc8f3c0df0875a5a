"""The route class of the staff's pages: sign-in, forms of our own alone, and problems as pages."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from services.desk.clients.services import ServiceProblem
from services.desk.pages import layout, visitors
from services.desk.pages.layout import SignInNeeded
from shared.http.routes import CheckedRoute
from shared.runtime.errors import Problem


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

        return answer
