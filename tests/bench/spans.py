"""Line 8: what a record's span costs the processor, made by us and by OpenTelemetry's own tracer.

Both in this process, into the same kind of processor, which hands spans to nobody; docs/decisions/0020 has the figures.
"""

import random
import time
from collections.abc import Callable, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.observability.opentelemetry import BATCH, GATHER_MS, MAX_WAITING, OpenTelemetry
from shared.observability.tracing import Span, Tracer, continued, now
from tests.bench.line import Line, Scope

RECORDS = 40_000
BRIEF_RECORDS = 400
ROUNDS = 7
SHARES = (0.01, 1.0)
NAME = "process liaison.requests"
SAID: dict[str, str | int] = {
    "messaging.system": "kafka",
    "messaging.operation.type": "process",
    "messaging.operation.name": "process",
    "messaging.destination.name": "liaison.requests",
    "messaging.consumer.group.name": "liaison.routing",
    "messaging.destination.partition.id": "3",
    "messaging.kafka.offset": 41,
    "cloudevents.event_id": "x" * 36,
    "cloudevents.event_type": "liaison.request.amended.v1",
    "liaison.matter_id": "y" * 36,
}


class Nobody(SpanExporter):
    """Takes every span and sends none."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


async def measure(scope: Scope) -> list[Line]:
    """One line for each share of sampled records."""
    records = BRIEF_RECORDS if scope.brief else RECORDS
    lines = []
    for share in SHARES:
        given = _traceparents(records, share)
        ours, theirs = _cost(given, _ours), _cost(given, _opentelemetry)
        name = f"a record's span, {share:.0%} sampled"
        lines.append(Line(8, name, "us", ours, {"OpenTelemetry's tracer": theirs}))
    return lines


def _traceparents(records: int, share: float) -> list[str]:
    drawn = random.Random(1)  # noqa: S311 - the same in every run
    return [
        f"00-{drawn.getrandbits(128):032x}-{drawn.getrandbits(64) | 1:016x}-{drawn.random() < share:02x}"
        for _ in range(records)
    ]


def _cost(
    given: Sequence[str], made: Callable[[BatchSpanProcessor], Callable[[str], str]]
) -> float:
    """Microseconds of the processor for each record: the best of seven rounds."""
    processor = BatchSpanProcessor(Nobody(), MAX_WAITING, GATHER_MS, BATCH)
    process = made(processor)
    rounds = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for traceparent in given:
            process(traceparent)
        rounds.append(time.process_time() - begun)
    processor.shutdown()
    return min(rounds) / len(given) * 1e6


def _ours(processor: BatchSpanProcessor) -> Callable[[str], str]:
    exporting = OpenTelemetry("bench", "http://127.0.0.1:1")
    exporting._processor.shutdown()
    exporting._processor = processor
    tracer = Tracer(0.01, exporting)

    def process(given: str) -> str:
        trace, parent = continued(tracer, given)
        if parent is not None:
            tracer.export(Span(NAME, "consumer", trace, parent, 1, now(), dict(SAID)))
        return trace

    return process


def _opentelemetry(processor: BatchSpanProcessor) -> Callable[[str], str]:
    sampler = ParentBased(TraceIdRatioBased(0.01))
    provider = TracerProvider(sampler, Resource({"service.name": "bench"}), shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer, propagator = provider.get_tracer("liaison"), TraceContextTextMapPropagator()

    def process(given: str) -> str:
        parent = propagator.extract({"traceparent": given}, Context())
        span = tracer.start_span(NAME, parent, SpanKind.CONSUMER, dict(SAID), start_time=1)
        carrier: dict[str, str] = {}
        propagator.inject(carrier, set_span_in_context(span, parent))
        span.end()
        return carrier["traceparent"]

    return process
