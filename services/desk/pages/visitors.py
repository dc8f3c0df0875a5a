"""Who looks at a page: the session of the cookie, the language, and whether a form was sent by a page of ours."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request, Response

from services.desk.clients.services import Visitor
from services.desk.domain.sessions import Session
from services.desk.handlers.sessions import Sessions
from shared.auth.brute_force import place_of
from shared.auth.tokens import Principal, bearer_token
from shared.contracts.vocabulary import Role
from shared.http.streams.guard import current_principal
from shared.messages.catalogue import LANGUAGES
from shared.runtime.errors import Problem

SESSION_COOKIE: Final = "liaison_session"
# A browser takes a cookie of this name from the host itself alone, by TLS, for all paths (RFC 6265bis, 4.1.3).
SECURE_SESSION_COOKIE: Final = "__Host-liaison_session"
LANGUAGE_COOKIE: Final = "liaison_lang"
LANGUAGE_SECONDS: Final = 365 * 24 * 3600

STAFF: Final = frozenset({Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR, Role.OPERATOR})

PERSON: Final = "liaison.person"
"""In a request's scope: the Person of its session, once that was looked up."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in."""

    principal: Principal
    name: str
    session: Session

    @property
    def session_id(self) -> str:
        """The id of the session, which is no secret."""
        return str(self.session.id)

    def goes_on(self, later: "Person | None") -> bool:
        """Whether a later look-up found the same session, whatever it was used for meanwhile."""
        return later is not None and (later.session.id, later.principal) == (
            self.session.id,
            self.principal,
        )


async def signed_in(request: Request) -> Person | None:
    """The person whose session the cookie is of; None for a stranger. One look-up a request."""
    if PERSON not in request.scope:
        request.scope[PERSON] = await _look_up(request)
    found: Person | None = request.scope[PERSON]
    return found


async def _look_up(request: Request) -> Person | None:
    cookie = session_cookie(request)
    if not cookie:
        return None
    sessions: Sessions = request.app.state.sessions
    session = await sessions.find(cookie)
    if session is None:
        return None
    return Person(Principal(session.role, session.party), session.name, session)


async def still_signed_in(request: Request) -> Person | None:
    """The same looked up again, for a stream that goes on."""
    return await _look_up(request)


async def staff_member(request: Request) -> Principal | None:
    """The member of staff who looks by now: by the token of a program's Authorization header, else by the session."""
    token = bearer_token(request)
    if token is not None:
        found = await current_principal(request, token)
    else:
        person = await still_signed_in(request)
        found = None if person is None else person.principal
    return found if found is not None and found.role in STAFF else None


def session_cookie(request: Request) -> str | None:
    """The value of the session's cookie."""
    return request.cookies.get(_cookie_name(request))


async def visitor(request: Request) -> Visitor:
    """For whom calls of other services are made."""
    person = await signed_in(request)
    principal = None if person is None else person.principal
    return Visitor(principal, language(request), place_of(request))


def language(request: Request) -> str:
    """`?lang=`, else the cookie that remembers the last one, else Chinese."""
    for wanted in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    return LANGUAGES[0]


def remember_language(request: Request, response: Response) -> None:
    """Keep the language that this request names in `?lang=`."""
    wanted = request.query_params.get("lang")
    if wanted in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            wanted,
            max_age=LANGUAGE_SECONDS,
            secure=is_secure(request),
            httponly=True,
            samesite="lax",
        )


def remember_session(request: Request, response: Response, cookie: str, seconds: int) -> None:
    """Keep the session where no script can read it. Lax: a link in a message must find the session."""
    response.set_cookie(
        _cookie_name(request),
        cookie,
        max_age=seconds,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )


def forget_session(request: Request, response: Response) -> None:
    """Drop the session's cookie."""
    response.delete_cookie(
        _cookie_name(request), path="/", secure=is_secure(request), httponly=True, samesite="lax"
    )


def require_same_origin(request: Request) -> None:
    """Raises Problem 403 for a form that a page of another site sent (CSRF).

    Browsers say so in Sec-Fetch-Site; one that does not must name its own host in Origin. A program that sends neither
    has no cookies of somebody else.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
        raise Problem(403, "from_elsewhere")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Problem(403, "from_elsewhere")


def is_secure(request: Request) -> bool:
    """Whether the browser came by TLS."""
    return request.url.scheme == "https"


def _cookie_name(request: Request) -> str:
    return SECURE_SESSION_COOKIE if is_secure(request) else SESSION_COOKIE
