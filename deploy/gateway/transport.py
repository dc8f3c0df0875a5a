"""HTTP transport to a service that maps every connection failure to an httpx error."""

import httpx


class Transport(httpx.AsyncHTTPTransport):
    """httpx's transport, with a fix for a connection that closes while it opens.

    anyio then finds no socket where uvloop has already given it back, and says so with an AttributeError.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.ConnectError, with nothing sent, when anyio has lost the socket."""
        try:
            return await super().handle_async_request(request)
        except AttributeError as fault:
            raise httpx.ConnectError("closed while it opened", request=request) from fault
