"""The route class of the API: checks the caller, the query and the body's form before it reads a body."""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import ParamTypes
from fastapi.routing import APIRoute

from shared.auth.brute_force import place_of
from shared.auth.rate_limiter import RateLimiter
from shared.auth.tokens import Caller
from shared.http.direct import DirectRoute
from shared.http.empty import refuse_members
from shared.http.media import JSON, BodyForm
from shared.http.problems import language
from shared.messages.catalogue import text
from shared.runtime.errors import FieldError, invalid_because

SHARED_PARAMETERS: Final = ("lang",)
"""Query parameters that every route reads."""

WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

ALSO_TAKES: Final = "x-also-takes"
"""In a route's description: media types that it goes on taking, and that new callers send elsewhere."""

LONGEST_NAME: Final = 100
MOST_ERRORS: Final = 50


class CheckedRoute(APIRoute):
    """A route that takes only the query parameters, media types and codings that its description names."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the checks of the caller (401, 403, 429), the query (422) and the body's form (415).

        A write that takes no body refuses the members of one (422), which would be lost unnoticed.
        """
        handler, checks = super().get_route_handler(), RouteChecks(self)

        async def answer(request: Request) -> Response:
            checks.check(request)
            if checks.takes_no_body:
                await refuse_members(request)
            return await handler(request)

        return answer


class CheckedDirectRoute(CheckedRoute, DirectRoute):
    """A checked route for an endpoint that takes only the request and its caller."""


class RouteChecks:
    """The parameters, media types and roles that one route accepts, read from its description."""

    def __init__(self, route: APIRoute) -> None:
        self._callers = tuple(_callers(route.dependant))
        # A page is opened by links that others decorate (`?from=timeline`); an interface is not.
        self._parameters = _parameters(route) if route.include_in_schema else None
        self._form = _form_of(route)
        writes = bool((route.methods or set()) & WRITES)
        self.takes_no_body = writes and route.include_in_schema and self._form is None
        if self.takes_no_body:
            self._form = BodyForm((JSON,))

    def check(self, request: Request) -> None:
        """Raises Problem 401, 403 or 429 for the caller, 422 for the query, 415 for the body's form."""
        for caller in self._callers:
            caller.principal(request)
        rate_limiter: RateLimiter | None = request.app.state.rate_limiter
        if rate_limiter is not None and not self._callers:
            rate_limiter.spend(place_of(request))
        query: bytes = request.scope["query_string"]
        if query and self._parameters is not None:
            _check_query(query, self._parameters, language(request))
        if self._form is not None:
            self._form.check(request.scope["headers"], language(request))


def _callers(dependant: Dependant) -> Iterator[Caller]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Caller):
            yield inner.call
        yield from _callers(inner)


def _parameters(route: APIRoute) -> dict[str, bool]:
    """Return the names of the query parameters, and whether each may be repeated."""
    known = {
        field.alias: _is_list(field.field_info.annotation)
        for field in get_flat_params(route.dependant)
        # The fields of a model of query parameters do not say where they are.
        if getattr(field.field_info, "in_", ParamTypes.query) is ParamTypes.query
    }
    return known | dict.fromkeys(SHARED_PARAMETERS, False)


def _is_list(annotation: object) -> bool:
    return "list[" in str(annotation) or "tuple[" in str(annotation)


def _form_of(route: APIRoute) -> BodyForm | None:
    extra = route.openapi_extra or {}
    described = extra.get("requestBody", {}).get("content", {})
    if JSON in described:
        return BodyForm((*described, *extra.get(ALSO_TAKES, ())))
    if described:
        return BodyForm()
    return BodyForm((JSON,)) if route.body_field is not None else None


def _check_query(query: bytes, known: dict[str, bool], lang: str) -> None:
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    counts = Counter(name for name, _ in given)
    names = ", ".join(sorted(known))
    errors = [
        _error(name, "unknown_parameter", lang, names) for name in counts if name not in known
    ]
    errors += [
        _error(name, "repeated_parameter", lang)
        for name, count in counts.items()
        if count > 1 and known.get(name) is False
    ]
    if errors:
        raise invalid_because(errors[:MOST_ERRORS])


def _error(name: str, code: str, lang: str, known: str = "") -> FieldError:
    place = name[:LONGEST_NAME].replace("~", "~0").replace("/", "~1")
    return FieldError(f"/query/{place}", code, text(f"field.{code}", lang, known=known))
