"""Trace context (W3C traceparent) and spans: sampling, propagation, export."""

import asyncio
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, Protocol, TypeAlias

Kind: TypeAlias = Literal["server", "consumer", "producer"]
Said: TypeAlias = Mapping[str, str | int]

# Neither id is all zeros, and the version is not ff. OpenTelemetry's propagator reads the same values in six times the
# time, once for each record (docs/decisions/0020); a test compares the two.
_TRACEPARENT: Final = re.compile(
    r"^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z"
)
_ODD: Final = frozenset("13579bdf")


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
    """Destination of spans. Only `stop` waits."""

    def export(self, span: Span) -> None:
        """Queue a span; above the capacity it is lost."""

    def stop(self) -> None:
        """Send the remaining spans and end, within 2 s."""


class Tracer:
    """Tracer of one service; without one a service propagates traces and exports nothing.

    Samples `share` (0 to 1) of the traces that begin here; for others the caller's decision counts.
    """

    def __init__(self, share: float, exporting: Exporting) -> None:
        # Imported only where spans are exported: the SDK costs a start 50 ms and 5 MiB.
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased  # noqa: PLC0415

        self._ids = RandomIdGenerator()
        self._sampler = TraceIdRatioBased(share)
        self._sampled = Decision.RECORD_AND_SAMPLE
        self._exporting = exporting

    def begin(self) -> str:
        """Return the first traceparent of a new trace, sampled by its id, so that every service decides alike."""
        trace_id = self._ids.generate_trace_id()
        decision = self._sampler.should_sample(None, trace_id, "").decision
        sampled = decision is self._sampled
        return f"00-{trace_id:032x}-{self._ids.generate_span_id():016x}-{sampled:02x}"

    def export(self, span: Span) -> None:
        """Queue a span; never waits and never fails."""
        self._exporting.export(span)

    async def stop(self) -> None:
        """Send what is left, 2 s at most."""
        await asyncio.to_thread(self._exporting.stop)


def valid_trace(given: str | None) -> str | None:
    """Return `given` if it is a valid `traceparent` (W3C Trace Context), else None."""
    return given if given is not None and _TRACEPARENT.match(given) else None


def trace_of(given: str | None) -> str:
    """Return the caller's `traceparent` (W3C Trace Context), else the first of a new trace.

    All that follows from a request carries it on, so that what belongs together is found in logs and on topics.
    """
    if (found := valid_trace(given)) is not None:
        return found
    return f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-00"


def is_sampled(traceparent: str | None) -> bool:
    """Return whether the trace is sampled: the last bit of its flags."""
    return traceparent is not None and traceparent[-1] in _ODD


def within(parent: str, span_id: str | None = None) -> str:
    """Return the traceparent of a new span in the trace of `parent`; `span_id` has 16 hexadecimal digits."""
    return f"00-{parent[3:35]}-{span_id or os.urandom(8).hex()}-{parent[53:]}"


def continued(tracer: Tracer | None, given: str | None) -> tuple[str, str | None]:
    """Return the traceparent that continues an incoming one, and the parent for a sampled span.

    What has none of the right form begins a trace, whose first span has no parent: an empty one.
    """
    if tracer is None:
        return trace_of(given), None
    if given is None or (trace := trace_of(given)) != given:
        trace = tracer.begin()
        return trace, "" if is_sampled(trace) else None
    return (within(trace), trace) if is_sampled(trace) else (trace, None)


def now() -> int:
    """Return nanoseconds since 1970 by this machine: spans do not use the town's clock."""
    return time.time_ns()
