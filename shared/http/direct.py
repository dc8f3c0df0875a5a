"""A route that skips FastAPI's dependency solving, for the most frequent calls."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.auth.tokens import Caller


class DirectRoute(APIRoute):
    """A described route whose endpoint takes the request and its caller, and returns the response.

    Both are known without asking FastAPI; what the endpoint raises is answered as everywhere. Raises TypeError for an
    endpoint that depends on anything else.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that FastAPI would build from the endpoint's dependencies, without solving them."""
        endpoint, caller = self.endpoint, _only_caller(self.dependant)

        async def answer(request: Request) -> Response:
            response: Response = await endpoint(request, caller.principal(request))
            return response

        return answer


def _only_caller(dependant: Dependant) -> Caller:
    callers = [item.call for item in dependant.dependencies if isinstance(item.call, Caller)]
    parameters = (
        *dependant.path_params,
        *dependant.query_params,
        *dependant.header_params,
        *dependant.cookie_params,
        *dependant.body_params,
    )
    if len(callers) != 1 or len(dependant.dependencies) != 1 or parameters:
        raise TypeError("a direct route takes the request and its caller alone")
    return callers[0]
