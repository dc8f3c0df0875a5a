"""The caller's preferences for a response (`Prefer`, RFC 7240)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

MINIMAL: Final = "return=minimal"

EVENTS_ALONE: Final = "reply"
"""What Knative's brokers and channels send: an answer is an event or empty, else the delivery has failed for them."""


def as_preferred(request: Request, response: Response) -> Response:
    """Return the response, without content for `return=minimal`; its status stays."""
    given = ",".join(request.headers.getlist("prefer")).lower()
    preferences = {
        each.partition(";")[0].replace(" ", "").replace('"', "") for each in given.split(",")
    }
    if preferences.isdisjoint((MINIMAL, EVENTS_ALONE)):
        return response
    applied = {"preference-applied": MINIMAL} if MINIMAL in preferences else None
    return Response(status_code=response.status_code, headers=applied)
