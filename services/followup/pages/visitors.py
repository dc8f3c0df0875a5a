"""Access to the pages: a session cookie with a token, set by a form protected against CSRF (SameSite=Strict,
Origin).
"""

from typing import Final

from fastapi import Request, Response

from services.followup.domain.access import SEES_ALL
from services.followup.domain.moment import ActingParty
from services.followup.pages.live import Audience
from shared.auth.tokens import SIGNED, Principal, Tokens
from shared.contracts.vocabulary import Role
from shared.messages.catalogue import LANGUAGES

TOKEN_COOKIE: Final = "liaison_token"  # noqa: S105 - a name
LANGUAGE_COOKIE: Final = "liaison_lang"
TOKEN_SECONDS: Final = 12 * 3600
LANGUAGE_SECONDS: Final = 365 * 24 * 3600

STAFF: Final = frozenset({Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR, Role.OPERATOR})


def language(request: Request) -> str:
    """Return the language of `?lang=`, else of the cookie, else Chinese."""
    for asked in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if asked in LANGUAGES:
            return asked
    return LANGUAGES[0]


def remember_language(request: Request, response: Response) -> None:
    """Store the language of this request in a cookie."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            asked,
            max_age=LANGUAGE_SECONDS,
            secure=_is_secure(request),
            httponly=True,
            samesite="lax",
        )


def staff(request: Request, token: str | None) -> Principal | None:
    """Return the principal of a token if it is one of the staff."""
    tokens: Tokens = request.app.state.tokens
    return _of_staff(tokens.principal(token) if token else None)


def signed_in(request: Request) -> Principal | None:
    """Return the member of staff by the cookie's token or, for programs, that of the Authorization header."""
    if SIGNED in request.scope:
        return _of_staff(request.scope[SIGNED])
    return staff(request, presented_token(request))


def presented_token(request: Request) -> str | None:
    """Return the token of the Authorization header, else of the cookie."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given if scheme.lower() == "bearer" else request.cookies.get(TOKEN_COOKIE)


def audience(request: Request, member: Principal | None) -> Audience:
    """Return whose matters a visitor sees: a liaison or a department its own, as through the API.

    Others who may look at the page at all are shown everybody's: coordinators, operators, strangers where it is open.
    """
    if member is None or member.role in SEES_ALL:
        return Audience(language(request))
    return Audience(language(request), ActingParty(member.role, member.party))


def _of_staff(found: object) -> Principal | None:
    return found if isinstance(found, Principal) and found.role in STAFF else None


def sign_in(request: Request, response: Response, token: str) -> None:
    """Store the token in a cookie that no script can read and no other site can send (HttpOnly, SameSite=Strict)."""
    response.set_cookie(
        TOKEN_COOKIE,
        token,
        max_age=TOKEN_SECONDS,
        secure=_is_secure(request),
        httponly=True,
        samesite="strict",
    )


def sign_out(response: Response) -> None:
    """Delete the cookie."""
    response.delete_cookie(TOKEN_COOKIE, httponly=True, samesite="strict")


def is_from_elsewhere(request: Request) -> bool:
    """CSRF check: return whether a page of another site sent this form."""
    return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"
