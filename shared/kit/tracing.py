"""Follows one request through the services: whose trace is told, and what is said of each part, in W3C's terms."""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Final, Literal, Protocol, TypeAlias

from shared.kit.cloudevents import trace_of
from shared.kit.settings import ServiceSettings

Kind: TypeAlias = Literal["server", "consumer", "producer"]
Said: TypeAlias = Mapping[str, str | int]

_ODD: Final = frozenset("13579bdf")
_ALL_TRACES: Final = 2**64


@dataclass(frozen=True, slots=True)
class Span:
    """One part of a trace that has ended; `begun` and `ended` in nanoseconds since 1970.

    `context` and `parent` are traceparents. `said` holds words of closed sets, numbers and ids, never what somebody
    wrote or who somebody is.
    """

    name: str
    kind: Kind
    context: str
    parent: str | None
    begun: int
    ended: int
    said: Said = field(default_factory=lambda: MappingProxyType({}))
    failed: bool = False


class Exporting(Protocol):
    """Where spans go. Nothing of it waits but `stop`."""

    def tell(self, span: Span) -> None:
        """Take a span; one more than there is room for is lost."""

    def stop(self) -> None:
        """Send what is left and end, within 2 s."""


class Tracer:
    """The spans of one service; without one a service carries traces on and tells nothing of them.

    Of the traces that begin here `share` (0 to 1) are told; those that a caller began as the caller decided.
    """

    def __init__(self, share: float, exporting: Exporting) -> None:
        self._below = round(share * _ALL_TRACES)
        self._exporting = exporting

    def begin(self) -> str:
        """The first traceparent of a new trace. The trace's id decides, so that every service would decide alike."""
        drawn = os.urandom(24).hex()
        flags = "01" if int(drawn[16:32], 16) < self._below else "00"
        return f"00-{drawn[:32]}-{drawn[32:]}-{flags}"

    def tell(self, span: Span) -> None:
        """Hand a span on; never waits and never fails."""
        self._exporting.tell(span)

    async def stop(self) -> None:
        """Send what is left, 2 s at most."""
        await asyncio.to_thread(self._exporting.stop)


def make_tracer(service: str, settings: ServiceSettings) -> Tracer | None:
    """The tracer of a service; None where its settings name nowhere to send spans."""
    if settings.otlp_endpoint is None:
        return None
    # What only these few services need is read by them alone: it would make every start longer.
    exporting: Exporting = import_module("shared.kit.exporting").OpenTelemetry(
        service, settings.otlp_endpoint
    )
    return Tracer(settings.trace_share, exporting)


def is_sampled(traceparent: str | None) -> bool:
    """Whether whoever began the trace wants it told: the last bit of its flags."""
    return traceparent is not None and traceparent[-1] in _ODD


def within(parent: str, span_id: str | None = None) -> str:
    """The traceparent of a new span in the trace of `parent`; `span_id` has 16 hexadecimal digits."""
    return f"00-{parent[3:35]}-{span_id or os.urandom(8).hex()}-{parent[53:]}"


def continued(tracer: Tracer | None, given: str | None) -> tuple[str, str | None]:
    """What goes on from a `traceparent` that came, and the parent of the span that is to be told, if one is.

    What has none of the right form begins a trace, whose first span has no parent: an empty one.
    """
    if tracer is None:
        return trace_of(given), None
    if given is None or (trace := trace_of(given)) != given:
        trace = tracer.begin()
        return trace, "" if is_sampled(trace) else None
    return (within(trace), trace) if is_sampled(trace) else (trace, None)


def now() -> int:
    """Nanoseconds since 1970, by this machine: a span is about the work, not about the town's time."""
    return time.time_ns()
