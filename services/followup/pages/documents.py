"""What describes the whole stack: the API and the events, for programs and for people, and the pages' own files."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from services.followup.pages import visitors
from shared.http.responses import as_json
from shared.http.routes import CheckedRoute
from shared.runtime.errors import Problem
from shared.web import api_document, event_document
from shared.web.guide import guide
from shared.web.look import SECURITY_HEADERS, assets, document, render

router = APIRouter(route_class=CheckedRoute, include_in_schema=False)

FOR_EVER: Final = "public, max-age=31536000, immutable"
BRIEFLY: Final = "public, max-age=300"


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """A file of the pages; under the address with its version it may be kept for ever."""
    asset = assets().get(name)
    if asset is None:
        raise Problem(404, "no_such_address")
    kept = request.query_params.get("v") == asset.version
    return Response(
        asset.content,
        media_type=asset.media_type,
        headers={
            "cache-control": FOR_EVER if kept else BRIEFLY,
            "x-content-type-options": "nosniff",
        },
    )


@router.get("/favicon.ico")
async def favicon() -> Response:
    """The mark, for what a browser shows that is no page of ours."""
    mark = assets()["mark.svg"]
    return Response(mark.content, media_type=mark.media_type, headers={"cache-control": BRIEFLY})


@router.get("/openapi.json")
async def openapi() -> Response:
    """The one OpenAPI document of the three services."""
    return as_json(document(api_document.FILE), headers={"cache-control": BRIEFLY})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The same for people."""
    lang = visitors.language(request)
    reference = api_document.read(document(api_document.FILE), lang)
    return _page(request, "docs.html", here="docs", api=reference)


@router.get("/docs/integrating")
async def integrating(request: Request) -> Response:
    """How a system submits requests and reads what becomes of them."""
    return _page(request, "guide.html", here="docs", guide=guide(visitors.language(request)))


@router.get("/asyncapi")
async def asyncapi(request: Request) -> Response:
    """The AsyncAPI document: for people when a browser asks, else as it is."""
    found: Any = event_document.found()
    if "text/html" not in request.headers.get("accept", ""):
        return as_json(found, headers={"cache-control": BRIEFLY, "vary": "accept"})
    reference = event_document.read(found, visitors.language(request))
    return _page(request, "asyncapi.html", here="asyncapi", events=reference)


@router.get("/asyncapi.json")
async def asyncapi_json() -> Response:
    """The AsyncAPI document as it is."""
    return as_json(event_document.found(), headers={"cache-control": BRIEFLY})


def _page(request: Request, template: str, **context: object) -> HTMLResponse:
    lang = visitors.language(request)
    response = HTMLResponse(
        render(template, lang, **context),
        headers={**SECURITY_HEADERS, "cache-control": "no-cache", "vary": "accept, cookie"},
    )
    visitors.remember_language(request, response)
    return response
