"""Sign-in and sign-out: by password and second factor, by token, by a link that counts once."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.desk.domain.returning import HOME, local_target
from services.desk.handlers.attempts import Result
from services.desk.handlers.sessions import Sessions
from services.desk.handlers.sign_in import (
    CODE_SECONDS,
    CodeNeeded,
    NotOpened,
    Opened,
    Origin,
    SignIn,
)
from services.desk.pages import visitors
from services.desk.pages.forms import read_form
from services.desk.pages.layout import page
from services.desk.pages.routing import StaffRoute
from shared.auth.brute_force import place_of

router = APIRouter(route_class=StaffRoute, include_in_schema=False)

PENDING_COOKIE: Final = "liaison_pending"
LOCAL_HOSTS: Final = frozenset(("127.0.0.1", "localhost", "::1"))


def sign_in_of(request: Request) -> SignIn:
    """What signs in at the app that serves `request`."""
    found: SignIn = request.app.state.sign_in
    return found


def origin_of(request: Request) -> Origin:
    """Where a request comes from."""
    host = "" if request.client is None else request.client.host
    return Origin(host, place_of(request), request.headers.get("user-agent", ""))


@router.get("/sign-in")
async def form(request: Request) -> Response:
    """The form; who is signed in already may go on or sign in as somebody else."""
    person = await visitors.signed_in(request)
    return _form(request, request.query_params.get("next"), person=person)


@router.post("/sign-in")
async def by_password(request: Request) -> Response:
    """Check login and password; go to the wanted page, or to the second step. 401 with the form for wrong ones."""
    fields = await read_form(request)
    login, password, wanted = (fields.typed(name) for name in ("login", "password", "next"))
    outcome = await sign_in_of(request).by_password(login, password, origin_of(request))
    match outcome:
        case Opened():
            return await _enter(request, outcome, wanted)
        case CodeNeeded(pending):
            response = RedirectResponse(_with_next("/sign-in/code", wanted), 303)
            response.set_cookie(
                PENDING_COOKIE,
                pending,
                max_age=CODE_SECONDS,
                path="/sign-in",
                secure=visitors.is_secure(request),
                httponly=True,
                samesite="lax",
            )
            return response
        case NotOpened():
            return _form(request, wanted, status=401, wrong="password", login=login)


@router.post("/sign-in/token")
async def by_token(request: Request) -> Response:
    """Check a token of the tokens file. 401 with the form for one that is not known."""
    fields = await read_form(request)
    token, wanted = fields.one("token"), fields.one("next")
    outcome = await sign_in_of(request).by_token(token, origin_of(request))
    if isinstance(outcome, Opened):
        return await _enter(request, outcome, wanted)
    return _form(request, wanted, status=401, wrong="token")


@router.get("/sign-in/token")
async def from_token(request: Request) -> Response:
    """The form: a language was chosen on the page of a wrong token."""
    return RedirectResponse(f"/sign-in?{urlencode({'lang': visitors.language(request)})}", 303)


@router.get("/sign-in/code")
async def code_form(request: Request) -> Response:
    """The second step; the first one again where its five minutes are over."""
    wanted = request.query_params.get("next")
    if not await sign_in_of(request).has_pending(_pending(request)):
        return _form(request, wanted, status=401, wrong="expired")
    return _code_form(request, wanted)


@router.post("/sign-in/code")
async def by_code(request: Request) -> Response:
    """Check the code of the second factor, which counts once."""
    fields = await read_form(request)
    code, wanted = fields.one("code"), fields.one("next")
    outcome = await sign_in_of(request).by_code(_pending(request), code, origin_of(request))
    if isinstance(outcome, Opened):
        response = await _enter(request, outcome, wanted)
        response.delete_cookie(PENDING_COOKIE, path="/sign-in", httponly=True, samesite="lax")
        return response
    if outcome == NotOpened(Result.EXPIRED):
        return _form(request, wanted, status=401, wrong="expired")
    return _code_form(request, wanted, status=401, is_wrong=True)


@router.get("/sign-in/link/{code}")
async def by_link(request: Request, code: str) -> Response:
    """Sign in by a link of `liaison up`, once, on the machine that it was made on."""
    if not _is_on_this_machine(request):
        return page(request, "sign_in/link.html", 403, here="sign_in", state="elsewhere")
    outcome = await sign_in_of(request).by_link(code, origin_of(request))
    if isinstance(outcome, Opened):
        return await _enter(request, outcome, HOME)
    state = "used" if outcome == NotOpened(Result.USED) else "unknown"
    return page(request, "sign_in/link.html", 401, here="sign_in", state=state)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session, and go to the form."""
    sessions: Sessions = request.app.state.sessions
    if cookie := visitors.session_cookie(request):
        await sessions.end(cookie)
    response = RedirectResponse("/sign-in?left=1", 303)
    visitors.forget_session(request, response)
    # Drafts of whoever used this browser until now.
    response.headers["clear-site-data"] = '"storage"'
    return response


async def _enter(request: Request, opened: Opened, wanted: str) -> Response:
    """Go on with a new cookie; the session that this browser had before ends."""
    sessions: Sessions = request.app.state.sessions
    if old := visitors.session_cookie(request):
        await sessions.end(old)
    response = RedirectResponse(local_target(wanted), 303)
    seconds = int(sessions.life.total_seconds())
    visitors.remember_session(request, response, opened.cookie, seconds)
    response.headers["cache-control"] = "no-store"
    return response


def _form(
    request: Request,
    wanted: str | None,
    status: int = 200,
    wrong: str = "",
    login: str = "",
    person: visitors.Person | None = None,
) -> Response:
    response = page(
        request,
        "sign_in/form.html",
        status,
        here="sign_in",
        target=local_target(wanted),
        query=_query(wanted),
        wrong=wrong,
        login=login[:100],
        person=person,
        has_left=request.method == "GET" and "left" in request.query_params,
    )
    if status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


def _code_form(
    request: Request, wanted: str | None, status: int = 200, *, is_wrong: bool = False
) -> Response:
    return page(
        request,
        "sign_in/code.html",
        status,
        here="sign_in",
        target=local_target(wanted),
        query=_query(wanted),
        is_wrong=is_wrong,
    )


def _query(wanted: str | None) -> str:
    """What the links to the other language must carry on."""
    target = local_target(wanted)
    return "" if target == HOME else urlencode({"next": target}) + "&"


def _with_next(path: str, wanted: str) -> str:
    query = _query(wanted)
    return f"{path}?{query[:-1]}" if query else path


def _pending(request: Request) -> str:
    return request.cookies.get(PENDING_COOKIE, "")


def _is_on_this_machine(request: Request) -> bool:
    """Whether the browser runs here and used a name of this machine.

    Another name may be a page's that points here (DNS rebinding), an address in X-Forwarded-For a proxy's caller.
    """
    host = "" if request.client is None else request.client.host
    forwarded = request.headers.get("x-forwarded-for", "").split(",")
    addresses = [host, *(part.strip() for part in forwarded if part.strip())]
    name = urlsplit(f"//{request.headers.get('host', '')}").hostname
    return name in LOCAL_HOSTS and all(map(_is_loopback, addresses))


def _is_loopback(text: str) -> bool:
    try:
        return ip_address(text).is_loopback
    except ValueError:
        return False
