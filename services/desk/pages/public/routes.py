"""What the pages for strangers share: a form's fields, how often one address may send, and problems as pages."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.requests import ClientDisconnect

from services.desk.clients.services import ServiceProblem, Visitor
from services.desk.pages.forms import read_body
from services.desk.pages.layout import rendered
from services.desk.pages.routing import problem_of
from services.desk.pages.visitors import language, remember_language
from shared.auth.brute_force import place_of
from shared.auth.rate_limiter import RateLimiter
from shared.http.media import BodyForm
from shared.http.routes import CheckedRoute
from shared.messages.catalogue import text
from shared.runtime.errors import Problem
from shared.web.look import SECURITY_HEADERS

MAX_FORM_BYTES: Final = 128 * 1024
"""The longest text that intake takes (10,000 characters) has up to 120,000 bytes in a form: 12 for one of an emoji."""
MOST_FIELDS: Final = 40
SENDS_PER_MINUTE: Final = 60
"""For one address, which a whole business park may share; 10 of them at once."""

HEADERS: Final[Mapping[str, str]] = {
    **SECURITY_HEADERS,
    # The address of a receipt is as good as the receipt.
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-robots-tag": "noindex, nofollow",
}
"""A receipt's code is in the address: nobody keeps the page, names its address elsewhere or puts it in an index."""

_FORM: Final = BodyForm(("application/x-www-form-urlencoded",))


class UnusableForm(Exception):
    """A form that no page of ours sends; `ask.<key>` are its words. No interface answers so: it is no Problem."""

    def __init__(self, status: int, key: str) -> None:
        super().__init__(key)
        self.status = status
        self._key = key

    def words(self, lang: str) -> Mapping[str, str]:
        """`title` and `detail`."""
        return {part: text(f"ask.{self._key}.{part}", lang) for part in ("title", "detail")}


class PublicRoute(CheckedRoute):
    """A route whose problems are pages in words, as browsers show them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler; what it raises becomes a page."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except UnusableForm as fault:
                return _trouble_page(request, fault.status, fault.words(language(request)))
            except Exception as fault:
                if isinstance(fault, ClientDisconnect):
                    raise
                problem = problem_of(request, fault)
                if isinstance(problem, ServiceProblem):
                    raise
                document = problem.body(language(request))
                response = _trouble_page(request, problem.status, document)
                response.headers.update(problem.headers)
                return response

        return answer


def _trouble_page(request: Request, status: int, words: Mapping[str, str]) -> HTMLResponse:
    return page(request, "ask/problem.html", status, here="ask", problem=words)


def page(request: Request, template: str, status: int = 200, **context: object) -> HTMLResponse:
    """A whole page in the visitor's language, which nobody may keep or list."""
    return rendered(request, template, status, HEADERS, context)


def redirect(request: Request, path: str) -> RedirectResponse:
    """On to another page of ours by GET, as after a form that was taken in."""
    response = RedirectResponse(path, 303, headers=HEADERS)
    remember_language(request, response)
    return response


def stranger(request: Request) -> Visitor:
    """For whom calls are made: somebody without an account, known by the address alone."""
    return Visitor(None, language(request), place_of(request))


async def read_public_form(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name; line ends are U+000A.

    Raises Problem 415 for a body of another form, UnusableForm above 128 KiB or 40 fields.
    """
    _FORM.check(request.scope["headers"], language(request))
    body = await read_body(request, MAX_FORM_BYTES)
    if body is None:
        raise UnusableForm(413, "form_too_large")
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"),
            keep_blank_values=True,
            errors="replace",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise UnusableForm(400, "form_unreadable") from None
    # A browser counts a line end of a text area as one character and sends it as two.
    return {name: value.replace("\r\n", "\n") for name, value in reversed(pairs)}


def seconds_to_wait(request: Request) -> int | None:
    """Count one form of the visitor's address; seconds until the next may come where this is one too many."""
    limiter: RateLimiter = request.app.state.form_limiter
    try:
        limiter.spend(place_of(request))
    except Problem as problem:
        return int(problem.headers["retry-after"])
    return None


def require_form_of_ours(request: Request) -> None:
    """Raises Problem 403 for a form that a browser says another site sent.

    These forms act in nobody's name: no cookie counts, and what can be done to a receipt takes its code. So Origin is
    not asked, which pages with `referrer-policy: no-referrer` send as `null`; by plain HTTP browsers send nothing else.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise Problem(403, "from_elsewhere")


def drawn_key(given: str = "") -> str:
    """`given` if it is a UUID as this function draws them, else a new one (version 4: nobody can guess it)."""
    try:
        return str(UUID(given))
    except ValueError:
        return str(uuid4())
