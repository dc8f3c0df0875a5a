"""Which traces are told, what is said of them, and that nobody waits for whoever collects them."""

import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import example
from hypothesis import given as drawn
from hypothesis import strategies as st
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from pydantic import ValidationError

from shared.contracts.events.event import Actor
from shared.contracts.events.requests import RequestAmended
from shared.contracts.vocabulary import Role
from shared.delivery.cloudevents import Message, Raw, Recorded
from shared.delivery.spans import ProcessingSpans, departing, export_sent
from shared.http.middleware.tracing import make_tracer
from shared.observability.opentelemetry import OpenTelemetry
from shared.observability.tracing import Tracer, continued, is_sampled, trace_of, valid_trace
from shared.runtime.ids import made_at, new_id
from shared.service.settings import ServiceSettings
from tests.support.collecting import collecting
from tests.unit.observability.conftest import GIVEN, NOWHERE, Kept, span

pytestmark = pytest.mark.thorough
"""Processes of their own."""

NO_TRACE = "00-00000000000000000000000000000000-00f067aa0ba902b7-01"
UNSAMPLED = GIVEN[:-1] + "0"
LIMIT_SECONDS = 10.0
ROUND_THE_SERVICES = """
import importlib, sys
for service in ("intake", "routing", "followup"):
    settings = importlib.import_module(f"services.{service}.settings").Settings(
        database_url="postgresql://nobody@127.0.0.1/none", kafka="127.0.0.1:1"
    )
    importlib.import_module(f"services.{service}.app").build(settings)
print(*(name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "google."))))
"""


def test_services_that_send_nowhere_do_not_even_read_the_library():
    done = subprocess.run(
        [sys.executable, "-c", ROUND_THE_SERVICES], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_a_tracer_needs_somewhere_to_send_spans():
    assert make_tracer("desk", None, 1) is None
    tracer = make_tracer("desk", NOWHERE, 1)
    assert tracer is not None
    assert is_sampled(tracer.begin())
    tracer._exporting.stop()


@pytest.mark.parametrize(
    "changed",
    [
        {"otlp_endpoint": "traces:4318"},
        {"otlp_endpoint": "http://traces:4318/?a=b"},
        {"trace_share": 1.01},
        {"trace_share": -0.01},
    ],
)
def test_settings_that_lead_nowhere_are_refused(changed: dict[str, object]):
    with pytest.raises(ValidationError):
        ServiceSettings(database_url="postgresql://a@b/c", kafka="k:1", **changed)


@pytest.mark.parametrize(
    ("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("03", True), ("ff", True)]
)
def test_the_callers_decision_is_the_last_bit_of_the_flags(kept: Kept, flags: str, sampled: bool):
    given = GIVEN[:-2] + flags
    assert is_sampled(given) is sampled
    trace, parent = continued(Tracer(0.0, kept), given)
    assert parent == (given if sampled else None)
    assert trace[:36] == given[:36]
    assert trace[-2:] == flags
    assert (trace == given) is not sampled


@pytest.mark.parametrize(("share", "sampled"), [(0.0, False), (1.0, True)])
@pytest.mark.parametrize(
    "given",
    [
        None,
        "no trace",
        GIVEN.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        "ff" + GIVEN[2:],
    ],
)
def test_a_trace_that_begins_here_is_told_by_its_share(
    kept: Kept, share: float, sampled: bool, given: str | None
):
    trace, parent = continued(Tracer(share, kept), given)
    assert trace == trace_of(trace)
    assert is_sampled(trace) is sampled
    assert parent == ("" if sampled else None)


def test_the_share_is_met(kept: Kept):
    tracer = Tracer(0.25, kept)
    told = sum(is_sampled(tracer.begin()) for _ in range(4000))
    # More than six standard deviations to either side.
    assert 800 < told < 1200


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
def test_traces_are_sampled_as_opentelemetry_samples_them(kept: Kept, share: float):
    tracer, sampler = Tracer(share, kept), TraceIdRatioBased(share)
    for trace in (tracer.begin() for _ in range(200)):
        decision = sampler.should_sample(None, int(trace[3:35], 16), "").decision
        assert is_sampled(trace) is decision.is_sampled()
        assert valid_trace(trace) == trace


@drawn(
    st.from_regex(
        r"(00|01|0f|f0|ff|FF|0)-(0{32}|[0-9a-f]{31,33}|[0-9A-F]{32})-(0{16}|[0-9a-f]{15,17})-[0-9a-fA]{1,3}",
        fullmatch=True,
    )
)
@example(GIVEN)
@example(NO_TRACE)
@example(UNSAMPLED)
@example("")
def test_a_traceparent_is_read_as_opentelemetry_reads_it(given: str):
    propagator, carrier = TraceContextTextMapPropagator(), dict[str, str]()
    propagator.inject(carrier, propagator.extract({"traceparent": given}, Context()))
    found = valid_trace(given)
    assert (found and f"00{found[2:]}") == carrier.get("traceparent")


def test_without_a_tracer_what_came_goes_on_as_it_was():
    assert continued(None, GIVEN) == (GIVEN, None)
    trace, parent = continued(None, None)
    assert trace.endswith("-00")
    assert parent is None


def recorded(traceparent: str | None) -> Recorded:
    return Recorded(
        7, UUID(new_id()), new_id(), 1, "liaison.request.amended.v1", "liaison.requests",
        datetime(2020, 1, 1, tzinfo=UTC), None, traceparent, "{}",
    )  # fmt: skip


def test_an_event_names_the_same_span_however_often_it_is_sent(kept: Kept):
    tracer, row = Tracer(0.0, kept), recorded(GIVEN)
    sent = departing(tracer, [row])
    assert sent == departing(tracer, [row])
    assert sent == [replace(row, traceparent=sent[0].traceparent)]
    export_sent(tracer, [row])
    [told] = kept.spans
    assert (told.name, told.kind) == ("send liaison.requests", "producer")
    assert (told.context, told.parent) == (sent[0].traceparent, GIVEN)
    assert trace_of(told.context) == told.context
    made = made_at(row.id)
    assert made is not None
    # From when it was recorded, whatever the town's clock says.
    assert told.begun == round(made.timestamp() * 1000) * 1_000_000
    assert told.begun <= told.ended


def test_what_is_not_sampled_goes_out_as_it_is_and_is_not_told(kept: Kept):
    rows = [recorded(UNSAMPLED), recorded(None)]
    tracer = Tracer(1.0, kept)
    assert all(a is b for a, b in zip(departing(tracer, rows), rows, strict=True))
    export_sent(tracer, rows)
    assert departing(None, [recorded(GIVEN)])[0].traceparent == GIVEN
    export_sent(None, [recorded(GIVEN)])
    assert kept.spans == []


def message(traceparent: str | None) -> Message:
    matter = new_id()
    event = RequestAmended(
        matter_id=matter, actor=Actor(role=Role.REQUESTER, party=matter), message="电话 13800138000"
    )
    raw = Raw("liaison.requests", 3, 41, None, b"{}")
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    return Message(UUID(new_id()), "urn:x", matter, 2, event, moment, None, traceparent, raw=raw)


def test_what_follows_from_a_message_goes_on_from_its_span_once_it_is_committed(kept: Kept):
    taking = ProcessingSpans(Tracer(0.0, kept), "liaison.routing")
    came, other = message(GIVEN), message(UNSAMPLED)
    [taken, same] = taking.messages([came, other])
    assert same is other
    assert isinstance(taken, Message)
    assert taken == replace(came, traceparent=taken.traceparent)
    assert kept.spans == []
    taking.export()
    [told] = kept.spans
    assert (told.name, told.kind) == ("process liaison.requests", "consumer")
    assert (told.context, told.parent) == (taken.traceparent, GIVEN)
    assert told.said == {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": "liaison.requests",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 41,
        "messaging.consumer.group.name": "liaison.routing",
        "cloudevents.event_id": str(came.id),
        "cloudevents.event_type": "liaison.request.amended.v1",
        "liaison.matter_id": came.subject,
    }


def test_a_record_that_was_set_aside_is_told_as_failed(kept: Kept):
    taking = ProcessingSpans(Tracer(0.0, kept), "liaison.routing")
    messages = [message(GIVEN), message(GIVEN)]
    taking.messages(messages)
    taking.fail(messages[1].raw)
    taking.export()
    assert [told.failed for told in kept.spans] == [False, True]


def test_of_a_strangers_record_no_word_is_repeated(kept: Kept):
    taking = ProcessingSpans(Tracer(0.0, kept), "liaison.intake.submissions")
    headers = (("traceparent", GIVEN.encode()), ("ce_id", b"13800138000"), ("ce_type", b"x"))
    trace = taking.record(Raw("liaison.submissions", 0, 1, b"key", b"13800138000", headers))
    assert taking.record(Raw("liaison.submissions", 0, 2, None, b"")).endswith("-00")
    taking.export()
    [told] = kept.spans
    assert told.context == trace
    assert "13800138000" not in str(told)


def test_spans_come_to_the_collector_with_their_service_and_what_waits_is_sent_at_the_end():
    with collecting() as collector:
        exporting = OpenTelemetry("desk", collector.endpoint + "/")
        sent = replace(span(), said={"http.response.status_code": 200}, failed=True, ended=0)
        exporting.export(sent)
        exporting.stop()
    [told] = collector.spans
    assert (told.service, told.name, told.kind, told.failed) == ("desk", "part 1", "server", True)
    assert f"00-{told.trace}-{told.id}-01" == sent.context
    assert told.parent == GIVEN[36:52]
    # A clock that was set back in between makes no span of less than nothing.
    assert (told.begun, told.ended) == (1, 1)
    assert told.said == {"http.response.status_code": 200}


def test_with_no_room_left_the_oldest_are_lost_and_nobody_waits():
    with collecting() as collector:
        collector.answers.clear()
        exporting = OpenTelemetry("desk", collector.endpoint, max_waiting=4)
        for number in range(40):
            exporting.export(span(number))
        assert len(exporting._processor._batch_processor._queue) <= 4
        collector.answers.set()
        exporting.stop()
    assert len(collector.spans) < 40
    assert collector.spans[-1].name == "part 39"


@pytest.mark.parametrize("silent", [True, False])
def test_a_collector_that_is_away_or_silent_holds_up_no_end(silent: bool):
    with collecting() as collector:
        collector.answers.clear()
        exporting = OpenTelemetry("desk", collector.endpoint if silent else NOWHERE)
        for number in range(2000):
            exporting.export(span(number))
        begun = time.monotonic()
        exporting.stop()
        assert time.monotonic() - begun < LIMIT_SECONDS
