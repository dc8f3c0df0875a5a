"""How HTTP calls to a service leave this process: what goes wrong under way is always an httpx error."""

import httpx


class Transport(httpx.AsyncHTTPTransport):
    """httpx's own, but for a connection that closes at the moment at which it opens.

    anyio then finds no socket where uvloop has already given it back, and says so with an AttributeError.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.ConnectError, with nothing of the request sent, where anyio loses the socket."""
        try:
            return await super().handle_async_request(request)
        except AttributeError as fault:
            raise httpx.ConnectError("closed while it opened", request=request) from fault
