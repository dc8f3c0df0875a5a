"""Calls to intake, routing and followup in somebody's name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import orjson
import structlog
from starlette.types import ASGIApp

from services.desk.clients.minting import TokenMinter
from services.desk.clients.transport import (
    InProcess,
    OverHttp,
    ServiceAway,
    ServiceRequest,
    ServiceResponse,
    Transport,
)
from shared.auth.tokens import Principal
from shared.runtime.errors import Problem

log = structlog.get_logger()

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Visitor:
    """For whom a call is made. `principal` is None for who is not signed in; `address` is the browser's."""

    principal: Principal | None
    lang: str
    address: str = ""


class ServiceProblem(Exception):
    """A response that is no success, with the problem document (RFC 9457) that it carries."""

    def __init__(self, response: ServiceResponse) -> None:
        super().__init__(f"status {response.status}")
        self.status = response.status
        self.headers = response.headers
        found = response.json()
        self.document: dict[str, Any] = found if isinstance(found, dict) else {}


class Services:
    """The other services as their public interfaces."""

    def __init__(self, transports: Mapping[str, Transport], minter: TokenMinter) -> None:
        """`transports` by the name of the service."""
        self._transports = transports
        self._minter = minter

    async def call(
        self,
        visitor: Visitor,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> ServiceResponse:
        """Return what the service answered to `path`, whatever its status.

        The first step of `path` names the service. Raises Problem 503 when it does not answer.
        """
        service = path.split("/", 2)[1]
        sent = {"accept": JSON, "accept-language": visitor.lang, **(headers or {})}
        if visitor.principal is not None:
            sent["authorization"] = f"Bearer {self._minter.token(visitor.principal)}"
        if body is not None:
            sent["content-type"] = JSON
        written = b"" if body is None else orjson.dumps(body)
        request = ServiceRequest(method, path, sent, written, visitor.address)
        try:
            return await self._transports[service].send(request)
        except ServiceAway as fault:
            log.warning("desk.service_away", service=service, fault=str(fault))
            raise Problem(503, "service_away", headers={"retry-after": "2"}) from fault

    async def get(self, visitor: Visitor, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON of a GET. Raises Problem with the service's own words where it is no success."""
        wanted = {name: value for name, value in query.items() if value is not None}
        answer = await self.call(visitor, "GET", f"{path}?{urlencode(wanted)}" if wanted else path)
        if not answer.ok:
            raise ServiceProblem(answer)
        return answer.json()

    async def post(
        self,
        visitor: Visitor,
        path: str,
        body: object,
        key: str | None = None,
        version: int | None = None,
    ) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON of a POST; `key` makes a repetition safe, `version` refuses a matter that has moved on.

        Raises Problem 503 when the service does not answer, ServiceProblem where it refuses.
        """
        headers = {} if key is None else {"idempotency-key": key}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        answer = await self.call(visitor, "POST", path, body, headers)
        if not answer.ok:
            raise ServiceProblem(answer)
        return answer.json()

    async def close(self) -> None:
        """Close all kept connections."""
        for transport in self._transports.values():
            await transport.close()


def services_at(
    urls: Mapping[str, str | None],
    apps: Mapping[str, ASGIApp],
    key: str,
    minter: TokenMinter,
) -> Services:
    """Return the services at `urls`; one without a URL is an app of this process.

    Raises ValueError for a service that is neither.
    """
    transports: dict[str, Transport] = {}
    for name, url in urls.items():
        if url is not None:
            transports[name] = OverHttp(url, key)
        elif name in apps:
            transports[name] = InProcess(apps[name])
        else:
            raise ValueError(f"LIAISON_{name.upper()}_URL says where {name} is; it is not set")
    return Services(transports, minter)
