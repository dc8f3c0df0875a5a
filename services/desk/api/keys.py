"""The JWKS that the services verify the desk's tokens with."""

from fastapi import APIRouter, Request, Response

from services.desk.clients.signing import SigningKeyFile
from shared.http.responses import as_json
from shared.http.routes import CheckedRoute

router = APIRouter(route_class=CheckedRoute, include_in_schema=False)


@router.get("/desk/jwks.json")
async def jwks(request: Request) -> Response:
    """The public keys (RFC 7517)."""
    keys: SigningKeyFile = request.app.state.signing_keys
    return as_json(keys.published(), headers={"cache-control": "public, max-age=60"})
