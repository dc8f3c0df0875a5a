"""Processes other systems' records, whose order does not matter: deduplication without versions."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

import structlog

from shared.delivery.cloudevents import Raw
from shared.delivery.content_modes import trace_given
from shared.delivery.inbox import letters, store
from shared.delivery.inbox.bisect import apply_apart, patiently
from shared.delivery.inbox.store import Letter
from shared.delivery.spans import ProcessingSpans
from shared.observability.redaction import reason_of
from shared.observability.tracing import Tracer, trace_of
from shared.runtime.database import Connection, Database

log = structlog.get_logger()

Item = TypeVar("Item")

Read = Callable[[Raw, str], Item | Letter]
ApplyItems = Callable[[Connection, Sequence[Item]], Awaitable[None]]


class Unordered(Generic[Item]):
    """The inbox of records that are not our events: `read` parses each into an item or a dead letter.

    It is given the record and the traceparent of what follows from it.
    """

    def __init__(
        self,
        db: Database,
        service: str,
        read: Read[Item],
        apply: ApplyItems[Item],
        group: str,
        tracer: Tracer | None = None,
    ) -> None:
        self._db = db
        self._service = service
        self._read = read
        self._apply = apply
        self._group = group
        self._tracer = tracer

    async def process(self, raws: Sequence[Raw]) -> None:
        """Process records durably; afterwards they may be acknowledged."""
        taking = ProcessingSpans(self._tracer, self._group)
        found = [(raw, self._read_safely(raw, taking.record(raw))) for raw in raws]
        await patiently(partial(self._process_once, found, taking), len(found))
        taking.export()

    async def _process_once(
        self, found: Sequence[tuple[Raw, Item | Letter]], taking: ProcessingSpans
    ) -> None:
        try:
            async with self._db.transaction() as conn:
                await self._apply_fresh(conn, found)
        except Exception as fault:  # noqa: BLE001 - one record's fault is no reason to stop the others
            set_aside = partial(self._set_aside, taking)
            await apply_apart(self._db, found, self._apply_fresh, set_aside, fault)

    def _read_safely(self, raw: Raw, trace: str) -> Item | Letter:
        try:
            return self._read(raw, trace)
        except Exception as fault:  # noqa: BLE001 - a stranger's record must not stop the others
            return Letter("poison", reason_of(fault), raw, None, None)

    async def _apply_fresh(
        self, conn: Connection, found: Sequence[tuple[Raw, Item | Letter]]
    ) -> None:
        ids = {letters.place_id(raw): (raw, item) for raw, item in found}
        fresh = await store.claim(conn, list(ids), [raw for raw, _ in ids.values()])
        items = [item for identity, (_, item) in ids.items() if identity in fresh]
        for letter in (item for item in items if isinstance(item, Letter)):
            await letters.bury(conn, self._service, letter)
        if due := [item for item in items if not isinstance(item, Letter)]:
            await self._apply(conn, due)

    async def _set_aside(
        self,
        taking: ProcessingSpans,
        conn: Connection,
        found: tuple[Raw, Item | Letter],
        fault: Exception,
    ) -> None:
        raw, _ = found
        taking.fail(raw)
        await store.claim(conn, [letters.place_id(raw)], [raw])
        reason = reason_of(fault)
        log.error("record.failed", fault=reason, topic=raw.topic, offset=raw.offset)
        await letters.bury(conn, self._service, Letter("failed", reason, raw, None, None))

    async def replay(self, conn: Connection, letter: Letter) -> bool:
        """Process a dead letter again inside the caller's transaction; return whether it was applied."""
        item = self._read_safely(letter.raw, trace_of(trace_given(letter.raw)))
        if isinstance(item, Letter):
            return False
        await self._apply(conn, [item])
        return True
