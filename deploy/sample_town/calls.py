"""HTTP client of the town's API, as another system has it: tokens, retries and time-outs."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from deploy.common.loopback import loopback_client
from deploy.common.tokens import SAMPLE
from deploy.sample_town.town import parties

TIMEOUT_SECONDS: Final = 30.0
CONNECTIONS: Final = 16
TRIES: Final = 8
LONGEST_PAUSE: Final = 5.0
NOT_NOW: Final = frozenset({429, 502, 503, 504})


class Refused(RuntimeError):
    """The API refused a call; `status` and the problem document say why."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        super().__init__(
            f"{response.request.method} {response.request.url.path}: "
            f"{response.status_code} {response.text[:300]}"
        )


@dataclass(frozen=True, slots=True)
class DemoTokens:
    """Bearer tokens by party; `system` submits requests, a coordinator acts for parties without a token."""

    by_party: Mapping[str, str]
    system: str
    coordinator: str = field(repr=False)

    @classmethod
    def of(cls, endpoints: Mapping[str, Any], more: Mapping[str, str]) -> Self:
        """Return the tokens of `endpoints.json`, and `more` of them by party."""
        found = endpoints["tokens"]
        known = {party: found[role] for role, party in SAMPLE.items() if role in found}
        return cls({**known, **more}, found["system"], found["coordinator"])

    @property
    def complete(self) -> bool:
        """Whether every party of the town has its own token."""
        return all(party in self.by_party for _, party in parties())

    def acting(self, party: str) -> str:
        """Return the token of `party`, else the coordinator's, who may act for it."""
        return self.by_party.get(party, self.coordinator)


def read_endpoints(file: Path) -> tuple[dict[str, Any], DemoTokens]:
    """Return the content of `endpoints.json`, with the tokens of `demo-tokens.json` beside it if it exists."""
    endpoints: dict[str, Any] = json.loads(file.read_bytes())
    beside = file.with_name("demo-tokens.json")
    more = json.loads(beside.read_bytes()) if beside.exists() else {}
    return endpoints, DemoTokens.of(endpoints, more)


class Calls:
    """Calls to one stack. A call is retried up to `TRIES` times while the server is busy or unreachable."""

    def __init__(self, web: str, tokens: DemoTokens) -> None:
        self.tokens = tokens
        self._client = loopback_client(web, timeout=TIMEOUT_SECONDS, connections=CONNECTIONS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def read(self, path: str, **params: str) -> dict[str, Any] | None:
        """GET `path` as a coordinator; None for a 404. Raises Refused."""
        headers = _bearer(self.tokens.coordinator)
        response = await self._send(
            self._client.build_request("GET", path, params=params, headers=headers)
        )
        return None if response.status_code == 404 else _answer(response)

    async def write(
        self,
        method: str,
        path: str,
        body: object,
        *,
        token: str | None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Write JSON, or bytes whose content type `headers` give; return the response. Raises Refused."""
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        sent = {"content-type": "application/json", **_bearer(token), **(headers or {})}
        return _answer(
            await self._send(
                self._client.build_request(method, path, content=content, headers=sent)
            )
        )

    async def _send(self, request: httpx.Request) -> httpx.Response:
        """Send a call, retried with pauses while the server is busy or unreachable; return or raise the last result."""
        for attempt in range(TRIES - 1):
            pause = min(0.2 * 2**attempt, LONGEST_PAUSE)
            try:
                response = await self._client.send(request)
            except httpx.TransportError:
                await asyncio.sleep(pause)
                continue
            if response.status_code not in NOT_NOW:
                return response
            await asyncio.sleep(min(_retry_after(response, pause), LONGEST_PAUSE))
        return await self._client.send(request)


def _retry_after(response: httpx.Response, pause: float) -> float:
    said = response.headers.get("retry-after", "")
    return float(said) if said.isdecimal() else pause


def _bearer(token: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def _answer(response: httpx.Response) -> dict[str, Any]:
    if not response.is_success:
        raise Refused(response)
    answer: dict[str, Any] = response.json() if response.content else {}
    return answer
