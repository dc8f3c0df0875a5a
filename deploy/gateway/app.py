"""The gateway's app: sends each request to a service by its path, and merges health and metrics of all."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from deploy.gateway.lifespan import lifespan_of
from deploy.gateway.metrics import merge
from deploy.gateway.target import Target, ask
from shared.http.responses import as_json


class Origin:
    """The gateway's ASGI app. The last target gets every path that no other target has."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = tuple(targets)
        self._by_prefix = {target.name: target for target in targets}
        self._states: dict[str, dict[str, Any]] = {target.name: {} for target in targets}
        self._own_paths = frozenset(("/healthz", "/readyz", "/metrics"))
        self._own = Starlette(
            routes=[
                Route("/healthz", self._alive),
                Route("/readyz", self._ready),
                Route("/metrics", self._metrics),
            ],
            lifespan=self._lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._own_paths:
            await self._own(scope, receive, send)
            return
        target = self._target(scope["path"])
        if target.shares_process:
            scope = dict(scope, state=dict(self._states[target.name]))
        await target.app(scope, receive, send)

    def _target(self, path: str) -> Target:
        first = path.split("/", 2)[1] if path.startswith("/") else ""
        return self._by_prefix.get(first, self._targets[-1])

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for target in self._targets:
                stack.push_async_callback(target.client.aclose)
                if target.shares_process:
                    state = await stack.enter_async_context(lifespan_of(target.app))
                    self._states[target.name] = state
            yield

    async def _alive(self, request: Request) -> Response:
        return as_json({"status": "alive"}, 200)

    async def _ready(self, request: Request) -> Response:
        answers = await self._ask_all("/readyz")
        parts = {name: readiness(answer) for name, answer in answers.items()}
        ready = all(part["ready"] for part in parts.values())
        return as_json({"ready": ready, "parts": parts}, 200 if ready else 503)

    async def _metrics(self, request: Request) -> Response:
        texts = {"": generate_latest().decode()}
        if not all(target.shares_process for target in self._targets):
            answers = await self._ask_all("/metrics")
            texts = {"origin": texts[""]} | {
                name: answer.text for name, answer in succeeded(answers).items()
            }
        return Response(merge(texts), media_type=CONTENT_TYPE_LATEST)

    async def _ask_all(self, path: str) -> dict[str, httpx.Response | None]:
        answers = await asyncio.gather(*(ask(target, path) for target in self._targets))
        return {target.name: answer for target, answer in zip(self._targets, answers, strict=True)}


def succeeded(answers: Mapping[str, httpx.Response | None]) -> dict[str, httpx.Response]:
    return {name: answer for name, answer in answers.items() if answer and answer.is_success}


def readiness(answer: httpx.Response | None) -> dict[str, Any]:
    """Return a service's readiness; a service that does not answer is not ready."""
    if answer is None:
        return {"ready": False, "checks": {}}
    try:
        said: Mapping[str, Any] = answer.json()
    except ValueError:
        said = {}
    return {"ready": answer.status_code == 200, "checks": said.get("checks", {})}
