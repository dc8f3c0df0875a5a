"""Routes of the live page, its stream, and the sign-in form."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.followup.pages import documents, visitors
from services.followup.pages.first import first_command
from services.followup.pages.live import HEARTBEAT_SECONDS, SEND_SECONDS, Live
from shared.auth.brute_force import place_of
from shared.http.routes import CheckedRoute
from shared.http.streams.guard import GuardedStream, Holder, current_principal
from shared.runtime.errors import Problem, busy
from shared.web.look import SECURITY_HEADERS, render

router = APIRouter(route_class=CheckedRoute, include_in_schema=False)
router.include_router(documents.router)

LONGEST_FORM: Final = 2048


@dataclass(frozen=True, slots=True)
class Pages:
    """Dependencies of the routes, in `app.state.pages`; with `is_open` no token is needed."""

    live: Live
    is_open: bool


def pages_of(request: Request) -> Pages:
    """The pages of the app that serves `request`."""
    pages: Pages = request.app.state.pages
    return pages


def page(request: Request, template: str, status: int = 200, **context: object) -> HTMLResponse:
    """A whole page in the visitor's language."""
    lang = visitors.language(request)
    response = HTMLResponse(
        render(template, lang, **context),
        status,
        headers={**SECURITY_HEADERS, "cache-control": "no-store"},
    )
    visitors.remember_language(request, response)
    return response


@router.get("/")
async def live(request: Request) -> Response:
    """Serve the live page; 503 with the health alone while the database does not answer."""
    pages = pages_of(request)
    member = visitors.signed_in(request)
    if not pages.is_open and member is None:
        return _ask(request, wrong=False)
    board = await pages.live.board(visitors.audience(request, member))
    return page(
        request,
        "live.html",
        200 if board.whole else 503,
        here="live",
        board=board,
        first=first_command(str(request.base_url), visitors.language(request)),
        may_leave=not pages.is_open,
    )


@router.get("/followup/live")
async def stream(request: Request) -> Response:
    """Stream the live page's regions. Raises Problem 401, or 503 when too many streams are open."""
    pages, member = pages_of(request), visitors.signed_in(request)
    if not pages.is_open and member is None:
        raise Problem(401, "not_signed_in", headers={"www-authenticate": "Bearer"})
    if pages.live.is_full:
        raise busy(60, {"connection": "close"})
    token = visitors.presented_token(request)

    async def may_read() -> bool:
        if pages_of(request).is_open:
            return True
        return member is not None and await current_principal(request, token) == member

    return GuardedStream(
        pages.live.news(visitors.audience(request, member)),
        request,
        Holder.of(member, place_of(request)),
        may_read,
        # The page's own signs of life are events, which scripts see; comments would come on top of them.
        heartbeat_seconds=2 * HEARTBEAT_SECONDS,
        send_seconds=SEND_SECONDS,
    )


@router.post("/followup/session")
async def sign_in(request: Request) -> Response:
    """Store the form's token in the cookie and redirect to the page."""
    if visitors.is_from_elsewhere(request):
        raise Problem(403, "from_elsewhere")
    body = await request.body()
    token = parse_qs(body[:LONGEST_FORM].decode("ascii", "replace")).get("token", [""])[0].strip()
    if visitors.staff(request, token) is None:
        return _ask(request, wrong=True)
    response = RedirectResponse("/", 303)
    visitors.sign_in(request, response, token)
    return response


@router.post("/followup/session/end")
async def sign_out(request: Request) -> Response:
    """Delete the cookie and redirect to the form."""
    if visitors.is_from_elsewhere(request):
        raise Problem(403, "from_elsewhere")
    response = RedirectResponse("/", 303)
    visitors.sign_out(response)
    return response


def _ask(request: Request, *, wrong: bool) -> Response:
    response = page(request, "token.html", 401, here="token", wrong=wrong)
    response.headers["www-authenticate"] = "Bearer"
    return response
