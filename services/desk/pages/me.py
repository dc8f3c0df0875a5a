"""My own page: who I am, language, password, second factor, devices and sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.desk.domain.accounts import Account
from services.desk.domain.passwords import LONGEST, SHORTEST
from services.desk.domain.second_factor import enrolment_url, spaced
from services.desk.domain.sessions import Session
from services.desk.domain.user_agents import Device, device_of
from services.desk.handlers.own_account import OwnAccount, Refusal
from services.desk.pages import layout, visitors
from services.desk.pages.forms import TypedForm, read_form
from services.desk.pages.routing import StaffRoute
from services.desk.pages.surroundings import surroundings_of
from shared.auth.brute_force import place_of
from shared.runtime.errors import Problem
from shared.web.qr import qr_code

router = APIRouter(route_class=StaffRoute, include_in_schema=False)

DONE: Final = frozenset(("password", "factor_on", "factor_off", "ended", "others_ended"))
"""What a page may say was done; anything else in `?done=` is passed over."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as the page shows it."""

    session: Session
    device: Device
    is_this: bool


@dataclass(frozen=True, slots=True)
class Mine:
    """Who looks at the page; `account` is None for who came by a token or a link."""

    person: visitors.Person
    account: Account | None

    @property
    def session(self) -> Session:
        """The session of the request."""
        return self.person.session


def own_account(request: Request) -> OwnAccount:
    """What changes accounts at the app that serves `request`."""
    found: OwnAccount = request.app.state.own_account
    return found


@router.get("/me")
async def me(request: Request) -> Response:
    """The page; a stranger is sent to sign in."""
    return await _page(request, await _mine(request))


@router.get("/me/{part}")
async def from_part(request: Request, part: str) -> Response:
    """The page: a language was chosen on the page that a form of it answered."""
    return RedirectResponse(f"/me?{urlencode({'lang': visitors.language(request)})}", 303)


@router.post("/me/password")
async def change_password(request: Request) -> Response:
    """Store a new password, and end the other sessions."""
    mine, account, fields = await _own(request)
    old, new, again = (fields.typed(name) for name in ("old", "new", "again"))
    refused: Refusal | None = Refusal.DIFFERENT
    if new == again:
        refused = await own_account(request).change_password(
            mine.session, account.login, old, new, place_of(request)
        )
    return await _answer(request, mine, "password", refused, "password")


@router.post("/me/second-factor")
async def begin_factor(request: Request) -> Response:
    """Make a secret, and show it as a QR code; it counts once a code has confirmed it."""
    mine, account, fields = await _own(request)
    refused = await own_account(request).begin_factor(
        account.login, fields.typed("password"), place_of(request)
    )
    return await _answer(request, mine, "factor", refused, "")


@router.post("/me/second-factor-code")
async def confirm_factor(request: Request) -> Response:
    """Turn the second factor on."""
    mine, account, fields = await _own(request)
    refused = await own_account(request).confirm_factor(
        account.id, fields.one("code"), mine.session
    )
    return await _answer(request, mine, "factor", refused, "factor_on")


@router.post("/me/second-factor-cancel")
async def cancel_factor(request: Request) -> Response:
    """Drop a second factor that was begun."""
    mine, account, _ = await _own(request)
    await own_account(request).cancel_factor(account.id)
    return await _answer(request, mine, "factor", None, "")


@router.post("/me/second-factor-off")
async def drop_factor(request: Request) -> Response:
    """Turn the second factor off."""
    mine, account, fields = await _own(request)
    refused = await own_account(request).drop_factor(
        account.login, fields.typed("password"), place_of(request)
    )
    return await _answer(request, mine, "factor", refused, "factor_off")


@router.post("/me/sessions-end")
async def end_session(request: Request) -> Response:
    """End one session of my own; a session that has ended meanwhile is none the less ended."""
    mine, fields = await _mine(request), await read_form(request)
    try:
        wanted = UUID(fields.one("session"))
    except ValueError as fault:
        raise Problem(404, "no_such_address") from fault
    await own_account(request).end_session(mine.session, wanted)
    if wanted == mine.session.id:
        return RedirectResponse("/sign-in?left=1", 303)
    return await _answer(request, mine, "sessions", None, "ended")


@router.post("/me/sessions-end-others")
async def end_others(request: Request) -> Response:
    """End all sessions of my own but this one."""
    mine = await _mine(request)
    await own_account(request).end_others(mine.session)
    return await _answer(request, mine, "sessions", None, "others_ended")


async def _mine(request: Request) -> Mine:
    """Who looks. Raises SignInNeeded."""
    person = await layout.member(request)
    account_id = person.session.account_id
    account = None if account_id is None else await own_account(request).load(account_id)
    return Mine(person, account)


async def _own(request: Request) -> tuple[Mine, Account, TypedForm]:
    """Who sends a form about an account, and the form. Raises SignInNeeded, or Problem 404 without an account."""
    mine = await _mine(request)
    if mine.account is None:
        raise Problem(404, "no_such_address")
    return mine, mine.account, await read_form(request)


async def _answer(
    request: Request, mine: Mine, part: str, refused: Refusal | None, done: str
) -> Response:
    """Go back to the page, which says what was done; or answer with it where nothing was."""
    if refused is not None:
        status = 403 if refused is Refusal.WRONG_PASSWORD else 422
        return await _page(request, mine, status, **{part: refused.value})
    query = f"?{urlencode({'done': done})}" if done else ""
    return RedirectResponse(f"/me{query}#{part}", 303)


async def _page(
    request: Request, mine: Mine, status: int = 200, password: str = "", factor: str = ""
) -> Response:
    account, done = mine.account, request.query_params.get("done", "")
    secret = None if account is None else account.totp_pending
    return layout.page(
        request,
        "me/page.html",
        status,
        here="me",
        person=mine.person,
        account=account,
        rows=_rows(await own_account(request).sessions(mine.session), mine.session),
        zone=surroundings_of(request).zone,
        done=done if done in DONE else "",
        password_fault=password,
        factor_fault=factor,
        secret=secret and spaced(secret),
        qr=qr_code(enrolment_url(secret, account.login)) if account and secret else None,
        shortest=SHORTEST,
        longest=LONGEST,
    )


def _rows(sessions: Sequence[Session], this: Session) -> list[SessionRow]:
    """This session first, the others by when they began, the newest first."""
    rows = [SessionRow(each, device_of(each.user_agent), each.id == this.id) for each in sessions]
    return sorted(rows, key=lambda row: not row.is_this)
