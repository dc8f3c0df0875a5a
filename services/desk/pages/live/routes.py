"""The live page and its stream."""

from dataclasses import dataclass

import structlog
from fastapi import APIRouter, Request, Response

from services.desk.pages import visitors
from services.desk.pages.layout import page, to_sign_in
from services.desk.pages.live.first import first_command
from services.desk.pages.live.updates import (
    HEARTBEAT_SECONDS,
    SEND_SECONDS,
    STRANGER,
    Audience,
    Live,
)
from services.desk.pages.live.view_models import Board
from shared.auth.brute_force import place_of
from shared.auth.tokens import Principal, bearer_token
from shared.http.routes import CheckedRoute
from shared.http.streams.guard import GuardedStream, Holder
from shared.runtime.database import is_transient
from shared.runtime.errors import Problem, busy

log = structlog.get_logger()

router = APIRouter(route_class=CheckedRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class LivePage:
    """What the routes work with, in `app.state.live_page`; `is_open` lets everybody look."""

    live: Live
    is_open: bool


def live_page_of(request: Request) -> LivePage:
    """The live page of the app that serves `request`."""
    found: LivePage = request.app.state.live_page
    return found


@router.get("/")
async def live(request: Request) -> Response:
    """The live page as it is now; 503 with the health alone while followup or the desk's database does not answer."""
    pages, lang = live_page_of(request), visitors.language(request)
    try:
        member = await _who_looks(request, pages)
    except Exception as fault:
        if not is_transient(fault):
            raise
        # Who that is cannot be found out, and the health alone is no secret.
        log.warning("desk.no_session", fault=type(fault).__name__)
        return _live_page(request, pages.live.health(lang), may_leave=False)
    if member is None and not pages.is_open:
        if bearer_token(request) is not None:
            raise _not_signed_in()
        return to_sign_in(request)
    board = await pages.live.board(_audience(lang, member))
    return _live_page(
        request, board, may_leave=member is not None and bearer_token(request) is None
    )


def _live_page(request: Request, board: Board, *, may_leave: bool) -> Response:
    return page(
        request,
        "live.html",
        200 if board.whole else 503,
        here="live",
        board=board,
        first=first_command(str(request.base_url), visitors.language(request)),
        may_leave=may_leave,
    )


@router.get("/live/stream")
async def stream(request: Request) -> Response:
    """The live page's regions as they change. Raises Problem 401, or 503 when too many streams are open."""
    pages = live_page_of(request)
    member = await _who_looks(request, pages)
    if member is None and not pages.is_open:
        raise _not_signed_in()
    if pages.live.is_full:
        raise busy(60, {"connection": "close"})

    async def may_read() -> bool:
        if live_page_of(request).is_open:
            return True
        try:
            return member is not None and await visitors.staff_member(request) == member
        except Exception as fault:
            if is_transient(fault):
                return False
            raise

    return GuardedStream(
        pages.live.news(_audience(visitors.language(request), member)),
        request,
        Holder.of(member, place_of(request)),
        may_read,
        # The page's own signs of life are events, which scripts see; comments would come on top of them.
        heartbeat_seconds=2 * HEARTBEAT_SECONDS,
        send_seconds=SEND_SECONDS,
    )


async def _who_looks(request: Request, pages: LivePage) -> Principal | None:
    """The member of staff who looks, or None. On an open page everybody is a stranger while sessions are away."""
    try:
        return await visitors.staff_member(request)
    except Exception as fault:
        if pages.is_open and is_transient(fault):
            return None
        raise


def _audience(lang: str, member: Principal | None) -> Audience:
    return Audience(lang, STRANGER if member is None else member)


def _not_signed_in() -> Problem:
    return Problem(401, "not_signed_in", headers={"www-authenticate": "Bearer"})
