"""What is told of a request, of records that are taken in and of events that are sent; only of sampled traces."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.contracts.event import MatterEvent
from shared.delivery.content_modes import trace_given
from shared.kit import cloudevents
from shared.kit.cloudevents import Raw, Recorded, trace_of, valid_trace
from shared.kit.ids import made_at
from shared.kit.tracing import Span, Tracer, continued, is_sampled, now, within

TRACE: Final = "liaison.trace"
"""In a request's scope: the traceparent that all of what follows from it carries."""

_TRACEPARENTS: Final = (b"traceparent", b"ce-traceparent")

_READING: Final = frozenset(("GET", "HEAD", "OPTIONS"))


def trace_in(request: Request) -> str:
    """The traceparent that what is recorded for `request` carries on."""
    found: str | None = request.scope.get(TRACE)
    return found or trace_of(_traceparent(request.scope))


def trace_requests(app: FastAPI, tracer: Tracer | None) -> None:
    """Tell of the requests to `app`, and end the tracer with it; without a tracer the app stays as it is."""
    app.state.tracer = tracer
    if tracer is None:
        return
    app.add_middleware(_Traced, tracer=tracer)
    lifespan = app.router.lifespan_context

    @asynccontextmanager
    async def with_tracer(started: FastAPI) -> AsyncIterator[Any]:
        async with lifespan(started) as state:
            yield state
        await tracer.stop()

    app.router.lifespan_context = with_tracer


class _Traced:
    """Goes on with the caller's trace or begins one, and tells of the request by its route's template.

    What only reads begins none: nothing follows from it, and there is much of it.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = _traceparent(scope)
        if given is None and scope["method"] in _READING:
            await self._app(scope, receive, send)
            return
        scope[TRACE], parent = continued(self._tracer, given)
        if parent is None:
            await self._app(scope, receive, send)
        else:
            await self._told(scope, receive, send, parent)

    async def _told(self, scope: Scope, receive: Receive, send: Send, parent: str) -> None:
        begun, status = now(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._tracer.tell(_served(scope, parent, begun, status))


def _traceparent(scope: Scope) -> str | None:
    """The header of the last hop, else the one of a CloudEvent in binary mode, which names the trace it began in."""
    given: dict[bytes, str] = {
        name: value.decode("latin-1") for name, value in scope["headers"] if name in _TRACEPARENTS
    }
    forms = [found for name in _TRACEPARENTS if (found := valid_trace(given.get(name)))]
    return forms[0] if forms else given.get(_TRACEPARENTS[0])


def _served(scope: Scope, parent: str, begun: int, status: int) -> Span:
    method = scope["method"]
    said: dict[str, str | int] = {
        "http.request.method": method,
        "url.scheme": scope["scheme"],
        "http.response.status_code": status,
    }
    # Its template: a path may hold a receipt, which is as good as its holder.
    route = getattr(scope.get("route"), "path", None)
    if route is not None:
        said["http.route"] = route
    if status >= 500:
        said["error.type"] = str(status)
    name = method if route is None else f"{method} {route}"
    return Span(name, "server", scope[TRACE], parent, begun, now(), said, failed=status >= 500)


class Taking:
    """One batch of records: what is recorded for each goes on from its own span, told once all of it is committed.

    A batch that is given up tells nothing: nothing was recorded, and it comes again.
    """

    def __init__(self, tracer: Tracer | None, group: str) -> None:
        self._tracer = tracer
        self._group = group
        self._begun = 0 if tracer is None else now()
        self._taken: list[tuple[Raw, str, str, dict[str, str | int]]] = []
        self._failed: set[int] = set()

    def messages(
        self, items: Sequence[cloudevents.Message | cloudevents.Unreadable]
    ) -> Sequence[cloudevents.Message | cloudevents.Unreadable]:
        """The same items, the sampled ones each with the traceparent of its own span."""
        if self._tracer is None:
            return items
        return [
            self._message(item)
            if isinstance(item, cloudevents.Message) and is_sampled(item.traceparent)
            else item
            for item in items
        ]

    def _message(self, message: cloudevents.Message) -> cloudevents.Message:
        parent = message.traceparent or ""
        said: dict[str, str | int] = {
            "cloudevents.event_id": str(message.id),
            "cloudevents.event_type": message.event.wire_type(),
        }
        if isinstance(message.event, MatterEvent):
            said["liaison.matter_id"] = message.subject
        trace = within(parent)
        self._taken.append((message.raw, trace, parent, said))
        return replace(message, traceparent=trace)

    def record(self, raw: Raw) -> str:
        """What goes on from a record that is none of our events; its span repeats none of its sender's words."""
        trace, parent = continued(self._tracer, trace_given(raw))
        if parent is not None:
            self._taken.append((raw, trace, parent, {}))
        return trace

    def fail(self, raw: Raw) -> None:
        """The record could not be handled and is set aside."""
        self._failed.add(id(raw))

    def tell(self) -> None:
        """All of it is committed."""
        if self._tracer is None or not self._taken:
            return
        ended = now()
        for raw, trace, parent, said in self._taken:
            placed = _message_said("process", raw.topic) | {
                "messaging.consumer.group.name": self._group,
                "messaging.destination.partition.id": str(raw.partition),
                "messaging.kafka.offset": raw.offset,
            }
            place, failed = f"process {raw.topic}", id(raw) in self._failed
            self._tracer.tell(
                Span(place, "consumer", trace, parent, self._begun, ended, placed | said, failed)
            )


def departing(tracer: Tracer | None, rows: Sequence[Recorded]) -> Sequence[Recorded]:
    """The rows as they are sent: a sampled one names its own span, which is the same however often it is sent."""
    if tracer is None:
        return rows
    return [
        replace(row, traceparent=_sent(row)) if is_sampled(row.traceparent) else row for row in rows
    ]


def tell_sent(tracer: Tracer | None, rows: Iterable[Recorded]) -> None:
    """Tell of rows, as they were recorded, that Kafka has by now: from when each was recorded until then."""
    if tracer is None:
        return
    ended = now()
    for row in rows:
        if is_sampled(row.traceparent):
            said = _message_said("send", row.topic) | {
                "cloudevents.event_id": str(row.id),
                "cloudevents.event_type": row.type,
                "cloudevents.event_subject": row.subject,
            }
            name, begun = f"send {row.topic}", _recorded_at(row)
            span = Span(name, "producer", _sent(row), row.traceparent, begun, ended, said)
            tracer.tell(span)


def _message_said(operation: str, topic: str) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.type": operation,
        "messaging.operation.name": operation,
        "messaging.destination.name": topic,
    }


def _sent(row: Recorded) -> str:
    return within(row.traceparent or "", row.id.hex[16:])


def _recorded_at(row: Recorded) -> int:
    # Its id was drawn then, by the machine's clock; `at` is the town's time.
    return round((made_at(row.id) or row.at).timestamp() * 1000) * 1_000_000
