"""HTTP to the other services: inside this process by ASGI, elsewhere on kept connections."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import unquote_to_bytes

import aiohttp
import orjson
from starlette.types import ASGIApp, Message

CALL_SECONDS: Final = 15.0
CONNECT_SECONDS: Final = 2.0
CONNECTIONS: Final = 200
# Shorter than the services keep an idle connection (75 s), lest one closes while it is chosen.
IDLE_SECONDS: Final = 60.0


class ServiceAway(Exception):
    """A service did not answer: it could not be reached, or took longer than 15 s."""


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """One call: `path` as it goes on the wire, with its query."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    visitor: str = ""
    """The address that the call is made for: limits by address count it."""


@dataclass(frozen=True, slots=True)
class ServiceResponse:
    """What a service answered; `headers` by their names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether it is a success."""
        return 200 <= self.status < 300

    def json(self) -> Any:  # noqa: ANN401 - a JSON document has any shape
        """The body as JSON. Raises ServiceAway for a body that is none: no service of ours answers so."""
        try:
            return orjson.loads(self.body)
        except ValueError as fault:
            raise ServiceAway(f"no JSON, status {self.status}") from fault


class Transport(Protocol):
    """Sends calls to one service."""

    async def send(self, request: ServiceRequest) -> ServiceResponse:
        """Return the whole response. Raises ServiceAway."""

    async def close(self) -> None:
        """Close its connections."""


class InProcess:
    """A service that is an app of this process."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def send(self, request: ServiceRequest) -> ServiceResponse:
        """Return the app's response. Raises ServiceAway after 15 s."""
        exchange = _AsgiExchange(request.body)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await self._app(_scope(request), exchange.receive, exchange.send)
        except TimeoutError as fault:
            raise ServiceAway("no answer") from fault
        return exchange.response()

    async def close(self) -> None:
        """Nothing is kept."""


class _AsgiExchange:
    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._status = 0
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []

    async def receive(self) -> Message:
        if self._body is None:
            # Whoever asks again waits for the caller to leave, which it does not before it is answered.
            await asyncio.sleep(CALL_SECONDS)
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in message["headers"]
            }
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))

    def response(self) -> ServiceResponse:
        if not self._status:
            raise ServiceAway("no answer")
        return ServiceResponse(self._status, self._headers, b"".join(self._parts))


def _scope(request: ServiceRequest) -> dict[str, Any]:
    path, _, query = request.path.partition("?")
    headers = [
        (name.lower().encode(), value.encode("latin-1")) for name, value in request.headers.items()
    ]
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        headers.append((b"content-length", str(len(request.body)).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"desk"), *headers],
        "client": (request.visitor or "127.0.0.1", 0),
        "server": ("desk", 0),
        "state": {},
    }


class OverHttp:
    """A service at an address, such as http://intake:8000, that trusts who sends `key`."""

    def __init__(self, address: str, key: str = "") -> None:
        self._address = address
        self._key = key
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: ServiceRequest) -> ServiceResponse:
        """Return the service's response. Raises ServiceAway when there is none within 15 s."""
        headers = {**request.headers, "accept-encoding": "identity"}
        if request.visitor:
            headers |= {"x-forwarded-for": request.visitor, "x-forwarded-proto": "http"}
            if self._key:
                headers["x-liaison-gateway-key"] = self._key
        try:
            async with self._opened().request(
                request.method,
                self._address + request.path,
                data=request.body or None,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
                names = {name.lower(): value for name, value in answer.headers.items()}
                return ServiceResponse(answer.status, names, body)
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            raise ServiceAway(type(fault).__name__) from fault

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=CONNECTIONS, keepalive_timeout=IDLE_SECONDS, ttl_dns_cache=2
                ),
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS, connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                # Paths are sent as they are written.
                requote_redirect_url=False,
            )
        return self._session

    async def close(self) -> None:
        """Close the kept connections."""
        if self._session is not None:
            await self._session.close()
