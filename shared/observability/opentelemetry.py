"""Exports spans by OpenTelemetry's OTLP exporter, in a thread of its own; `export` never waits."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final
from uuid import uuid4

import requests
import structlog
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from shared.observability.tracing import Kind, Span

log = structlog.get_logger()

MAX_WAITING: Final = 8192
"""Spans that wait to be sent; with one more the oldest is lost."""
BATCH: Final = 512
GATHER_MS: Final = 1000
SEND_SECONDS: Final = 2.0
STOP_SECONDS: Final = 1.5
CUT_SECONDS: Final = 0.5
TELL_AGAIN_SECONDS: Final = 300.0

KINDS: Final[Mapping[Kind, SpanKind]] = MappingProxyType(
    {"server": SpanKind.SERVER, "consumer": SpanKind.CONSUMER, "producer": SpanKind.PRODUCER}
)
_SCOPE: Final = InstrumentationScope("liaison")


class OpenTelemetry:
    """The spans of `service`, sent to a collector at `endpoint` by OTLP over HTTP."""

    def __init__(self, service: str, endpoint: str, max_waiting: int = MAX_WAITING) -> None:
        # Its own words for a collector that is away are one for each batch: see `_Sparing`.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._resource = Resource(
            {
                "service.namespace": "liaison",
                "service.name": service,
                "service.instance.id": str(uuid4()),
            }
        )
        self._exporter = _Sparing(service, _exporter(endpoint))
        self._processor = BatchSpanProcessor(
            self._exporter,
            max_queue_size=max_waiting,
            schedule_delay_millis=GATHER_MS,
            max_export_batch_size=min(BATCH, max_waiting),
        )

    def export(self, span: Span) -> None:
        """Queue a span for sending."""
        self._processor.on_end(
            ReadableSpan(
                span.name,
                _context(span.context, is_remote=False),
                _context(span.parent, is_remote=True) if span.parent else None,
                self._resource,
                span.said,
                kind=KINDS[span.kind],
                status=Status(StatusCode.ERROR if span.failed else StatusCode.UNSET),
                start_time=span.begun,
                end_time=max(span.begun, span.ended),
                instrumentation_scope=_SCOPE,
            )
        )

    def stop(self) -> None:
        """Send queued spans for up to 1.5 s, then drop the rest."""
        # The library's own end takes 30 s where nobody listens.
        ending = threading.Thread(target=self._processor.shutdown, daemon=True)
        ending.start()
        ending.join(STOP_SECONDS)
        if ending.is_alive():
            self._exporter.shutdown()
            ending.join(CUT_SECONDS)


def _exporter(endpoint: str) -> OTLPSpanExporter:
    # What the environment says of proxies and the like is not ours: all that is set is in the settings.
    session = requests.Session()
    session.trust_env = False
    return OTLPSpanExporter(
        f"{endpoint.rstrip('/')}/v1/traces",
        timeout=SEND_SECONDS,
        compression=Compression.Gzip,
        session=session,
    )


class _Sparing(SpanExporter):
    """Exporter that sends each batch once, and logs lost batches at intervals."""

    def __init__(self, service: str, exporter: SpanExporter) -> None:
        self._service = service
        self._exporter = exporter
        self._lost = 0
        self._told_at = -TELL_AGAIN_SECONDS
        self._ended = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; it is lost unless accepted within 2 s."""
        result = SpanExportResult.FAILURE if self._ended else self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            if time.monotonic() - self._told_at >= TELL_AGAIN_SECONDS:
                log.warning("traces.lost", service=self._service, spans=self._lost)
                self._told_at, self._lost = time.monotonic(), 0
        return result

    def shutdown(self) -> None:
        """Stop sending, without waiting."""
        if not self._ended:
            self._ended = True
            self._exporter.shutdown()


def _context(traceparent: str, is_remote: bool) -> SpanContext:
    return SpanContext(
        int(traceparent[3:35], 16),
        int(traceparent[36:52], 16),
        is_remote,
        TraceFlags(int(traceparent[53:], 16)),
    )
