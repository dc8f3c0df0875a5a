"""What every page of the staff has in common: who looks, the head of the page, what was done last."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.desk.clients.services import ServiceProblem, Services
from services.desk.pages import visitors
from services.desk.pages.visitors import Person
from shared.auth.tokens import Principal
from shared.contracts.vocabulary import Role
from shared.messages.catalogue import text
from shared.runtime.errors import Problem
from shared.web.look import SECURITY_HEADERS, render

PARTIAL: Final = "hx-request"
"""The header by which a script asks for a part of a page."""

BESIDE: Final = {
    "hx-retarget": "#trouble",
    "hx-reswap": "innerHTML",
    "hx-reselect": ".trouble",
}
"""Has a script show a problem at the head of the page, instead of what it asked for or of the form that it sent."""

OVER: Final = frozenset({403, 404, 409})
"""Refusals after which a form is of no use; the problem stands in its place."""

NOT_KEPT: Final[Mapping[str, str]] = {**SECURITY_HEADERS, "cache-control": "no-store"}

PASSING: Final = frozenset({"lang", "done", "left"})
"""Query parameters that hold for one look at a page."""


class SignInNeeded(Exception):
    """Nobody is signed in, or somebody without pages."""


async def member(request: Request) -> Person:
    """The member of staff who looks. Raises SignInNeeded."""
    person = await visitors.signed_in(request)
    if person is None or person.principal.role not in visitors.STAFF:
        raise SignInNeeded
    return person


def services_of(request: Request) -> Services:
    """The other services, as the app that serves `request` reaches them."""
    services: Services = request.app.state.services
    return services


def is_partial(request: Request) -> bool:
    """Whether a script of ours asks, which puts the response into the page."""
    return PARTIAL in request.headers


def page(request: Request, template: str, status: int = 200, **context: object) -> HTMLResponse:
    """A whole page, or a part of one, in the reader's language; never kept by a cache."""
    context.setdefault("query", _lasting_query(request))
    return rendered(request, template, status, NOT_KEPT, context)


def rendered(
    request: Request,
    template: str,
    status: int,
    headers: Mapping[str, str],
    context: Mapping[str, object],
) -> HTMLResponse:
    """A template in the reader's language, which is remembered where the request names it."""
    html = render(template, visitors.language(request), **context)
    response = HTMLResponse(html, status, headers=dict(headers))
    visitors.remember_language(request, response)
    return response


def _lasting_query(request: Request) -> str:
    """What the links to the other language carry on of the page's address: its view, filters and opened form."""
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] not in PASSING]
    return f"{urlencode(pairs)}&" if pairs else ""


def to_sign_in(request: Request) -> Response:
    """The way to the form, and back to where the visitor wanted to go.

    A script is told in a part of the page, which leaves what was typed where it is.
    """
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if is_partial(request):
        response = page(request, "desk/expired.html", 401, next=quote(here, safe=""))
        response.headers.update(BESIDE)
        return response
    if request.method != "GET":
        here = "/desk"
    return RedirectResponse(f"/sign-in?next={quote(here, safe='')}", 303)


def trouble(request: Request, problem: Problem | ServiceProblem) -> Response:
    """A problem as a page: what is wrong, what to do, and the way on."""
    lang = visitors.language(request)
    if isinstance(problem, ServiceProblem):
        status = problem.status
        title = str(problem.document.get("title") or text("problem.http.title", lang))
        detail, errors = str(problem.document.get("detail") or ""), problem.document.get("errors")
    else:
        body = problem.body(lang)
        status, title, detail = problem.status, str(body["title"]), str(body["detail"])
        errors = body.get("errors")
    template = "desk/trouble_part.html" if is_partial(request) else "desk/trouble.html"
    response = page(
        request,
        template,
        status,
        here="problem",
        person=None,
        title=title,
        detail=detail,
        errors=[str(error["detail"]) for error in errors or ()],
    )
    headers = problem.headers
    if isinstance(problem, ServiceProblem):
        headers = {name: headers[name] for name in ("retry-after",) if name in headers}
    response.headers.update(headers)
    if is_partial(request) and (request.method != "POST" or status not in OVER):
        response.headers.update(BESIDE)
    return response


def acts_for(principal: Principal, party: str, kind: str) -> bool:
    """Whether who looks may answer in a party's place: it is the party, or coordinates the town's desk."""
    if principal.role is Role.COORDINATOR:
        return kind == "desk"
    return principal.party == party
