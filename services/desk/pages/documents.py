"""Documents of the whole stack: OpenAPI and AsyncAPI, their pages, the guide, and static files."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from services.desk.pages import visitors
from services.desk.pages.layout import rendered
from shared.http.responses import as_json
from shared.http.routes import CheckedRoute
from shared.runtime.errors import Problem
from shared.web import api_document, event_document
from shared.web.guide import guide
from shared.web.look import SECURITY_HEADERS, assets, document

router = APIRouter(route_class=CheckedRoute, include_in_schema=False)

FOR_EVER: Final = "public, max-age=31536000, immutable"
BRIEFLY: Final = "public, max-age=300"
HEADERS: Final = {**SECURITY_HEADERS, "cache-control": "no-cache", "vary": "accept, cookie"}


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """Serve a static file; under its versioned address it is cacheable for ever."""
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
    """Serve the icon."""
    mark = assets()["mark.svg"]
    return Response(mark.content, media_type=mark.media_type, headers={"cache-control": BRIEFLY})


@router.get("/openapi.json")
async def openapi() -> Response:
    """Serve the OpenAPI document of the three services."""
    return as_json(document(api_document.FILE), headers={"cache-control": BRIEFLY})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Serve the API's documentation page."""
    lang = visitors.language(request)
    reference = api_document.read(document(api_document.FILE), lang)
    return _page(request, "docs.html", here="docs", api=reference)


@router.get("/docs/integrating")
async def integrating(request: Request) -> Response:
    """Serve the guide to integrating a system."""
    return _page(request, "guide.html", here="docs", guide=guide(visitors.language(request)))


@router.get("/asyncapi")
async def asyncapi(request: Request) -> Response:
    """Serve the AsyncAPI documentation page to a browser, else the document."""
    found: Any = event_document.found()
    if "text/html" not in request.headers.get("accept", ""):
        return as_json(found, headers={"cache-control": BRIEFLY, "vary": "accept"})
    reference = event_document.read(found, visitors.language(request))
    return _page(request, "asyncapi.html", here="asyncapi", events=reference)


@router.get("/asyncapi.json")
async def asyncapi_json() -> Response:
    """Serve the AsyncAPI document."""
    return as_json(event_document.found(), headers={"cache-control": BRIEFLY})


def _page(request: Request, template: str, **context: object) -> HTMLResponse:
    return rendered(request, template, 200, HEADERS, context)
