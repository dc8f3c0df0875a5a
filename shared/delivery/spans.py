"""Spans of processed batches and of published events, for sampled traces only."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from shared.contracts.events.event import MatterEvent
from shared.delivery import cloudevents
from shared.delivery.cloudevents import Raw, Recorded
from shared.delivery.content_modes import trace_given
from shared.observability.tracing import Span, Tracer, continued, is_sampled, now, within
from shared.runtime.ids import made_at


class ProcessingSpans:
    """Spans of one batch of records: events recorded for a record continue its span; exported after the commit.

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
        """Return the same items, sampled ones with the traceparent of their own span."""
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
        """Return the traceparent for a record that is not our event; its span has none of the sender's texts."""
        trace, parent = continued(self._tracer, trace_given(raw))
        if parent is not None:
            self._taken.append((raw, trace, parent, {}))
        return trace

    def fail(self, raw: Raw) -> None:
        """Mark the record's span as failed."""
        self._failed.add(id(raw))

    def export(self) -> None:
        """Export the spans after the commit."""
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
            self._tracer.export(
                Span(place, "consumer", trace, parent, self._begun, ended, placed | said, failed)
            )


def departing(tracer: Tracer | None, rows: Sequence[Recorded]) -> Sequence[Recorded]:
    """Return the rows to publish: a sampled one has its own span's id, equal at each attempt."""
    if tracer is None:
        return rows
    return [
        replace(row, traceparent=_sent(row)) if is_sampled(row.traceparent) else row for row in rows
    ]


def export_sent(tracer: Tracer | None, rows: Iterable[Recorded]) -> None:
    """Export spans of published rows, from their recording until now."""
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
            tracer.export(span)


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
