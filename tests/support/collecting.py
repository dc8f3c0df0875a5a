"""A collector of spans for tests: takes what OpenTelemetry sends by OTLP over HTTP, and says what came."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

KINDS = {Sent.SPAN_KIND_SERVER: "server", Sent.SPAN_KIND_CONSUMER: "consumer"}


@dataclass(frozen=True)
class Told:
    """A span as it arrived; its ids in hexadecimal digits, `parent` empty for the first of a trace."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    begun: int
    ended: int
    said: dict[str, str | int]
    failed: bool


@dataclass
class Collector:
    """What has come, and where it is to be sent."""

    endpoint: str
    bodies: list[bytes] = field(default_factory=list)
    spans: list[Told] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)
    """Cleared, a collector that says nothing."""

    def of(self, trace: str) -> list[Told]:
        return [span for span in self.spans if span.trace == trace]

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        request = ExportTraceServiceRequest.FromString(body)
        for of_service in request.resource_spans:
            service = _said(of_service.resource.attributes)["service.name"]
            for of_scope in of_service.scope_spans:
                self.spans += [_told(str(service), span) for span in of_scope.spans]


def _told(service: str, span: Sent) -> Told:
    return Told(
        service,
        span.name,
        KINDS.get(span.kind, "producer"),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _said(span.attributes),
        span.status.code == 2,
    )


def _said(attributes: "Iterator[KeyValue]") -> dict[str, str | int]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value")
        for each in attributes
    }


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == "/v1/traces"
            collector.answers.wait(30)
            collector.take(gzip.decompress(body))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing: what matters is what came."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    collector.answers.set()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.answers.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
