"""The inbox: processes a batch of records in one transaction, with deduplication and in order per subject."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TypeAlias
from uuid import UUID

import structlog

from shared.contracts.events.event import Event
from shared.delivery.cloudevents import Message, Raw, Unreadable, read
from shared.delivery.inbox import letters, store
from shared.delivery.inbox.bisect import apply_apart, patiently
from shared.delivery.inbox.releasing import release
from shared.delivery.inbox.replay import ReplayRaw, replay_next
from shared.delivery.inbox.sequencer import Apply, Sequencer, SubjectProgress, load_progress
from shared.delivery.inbox.store import Letter
from shared.delivery.spans import ProcessingSpans
from shared.observability.metrics import VERSION_CONFLICTS
from shared.observability.redaction import reason_of
from shared.observability.tracing import Tracer
from shared.runtime.database import Connection, Database

__all__ = ["Apply", "Inbound", "Message", "ReplayRaw"]

log = structlog.get_logger()

SWEEP_SECONDS = 5.0
SWEEP_LIMIT = 100

Item: TypeAlias = Message | Unreadable


class Inbound:
    """The inbox of one service: `applies` has the handler of each topic's events, in the order to apply them.

    `replays` says the same of letters from topics that hold no events of ours.
    """

    def __init__(
        self,
        db: Database,
        service: str,
        applies: Mapping[str, Apply],
        events: Mapping[str, type[Event]],
        replays: Mapping[str, ReplayRaw] | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._db = db
        self._replays = replays or {}
        self._sequencer = Sequencer(service, applies, events)
        self._tracer = tracer
        self._swept = -SWEEP_SECONDS
        for topic in applies:
            # A counter that is not there before its first increase does not increase.
            VERSION_CONFLICTS.labels(service, topic)

    @property
    def topics(self) -> list[str]:
        """The consumed topics, in the order to apply them."""
        return list(self._sequencer.applies)

    async def process(self, raws: Sequence[Raw]) -> None:
        """Process records durably in one transaction; afterwards they may be acknowledged.

        Raises only when the infrastructure failed for longer than the patience of a batch.
        """
        taking = ProcessingSpans(self._tracer, f"liaison.{self._sequencer.service}")
        items = taking.messages([read(raw, self._sequencer.events) for raw in raws])
        await patiently(partial(self._process_once, items, taking), len(items))
        taking.export()

    async def _process_once(self, items: Sequence[Item], taking: ProcessingSpans) -> None:
        try:
            async with self._db.transaction() as conn:
                await self._apply(conn, items)
        except Exception as fault:  # noqa: BLE001 - one item's fault is no reason to stop the others
            set_aside = partial(self._set_aside, taking)
            await apply_apart(self._db, items, self._apply, set_aside, fault)

    async def _apply(self, conn: Connection, items: Sequence[Item]) -> None:
        fresh = await self._claim(conn, items)
        progress = await load_progress(
            conn, (item.subject for item in fresh if item.subject is not None)
        )
        for item in fresh:
            if isinstance(item, Unreadable):
                await self._bury(conn, progress, item)
        messages = [item for item in fresh if isinstance(item, Message)]
        await self._sequencer.follow(conn, progress, messages)
        for message in progress.conflicts:
            await letters.bury_conflict(conn, self._sequencer.service, message)
        for waiting in progress.waiting:
            letter = letters.held(waiting.message, waiting.fate, waiting.reason)
            await store.set_aside(conn, letter)
        await store.save_seen(conn, progress.changed)
        if subjects := progress.advanced_with_letters():
            await release(conn, self._sequencer, subjects)

    async def _claim(self, conn: Connection, items: Sequence[Item]) -> list[Item]:
        ids: dict[UUID, Item] = {}
        for item in items:
            ids.setdefault(letters.identity(item), item)
        taken = await store.claim(conn, list(ids), [item.raw for item in ids.values()])
        return [item for identity, item in ids.items() if identity in taken]

    async def _bury(self, conn: Connection, progress: SubjectProgress, item: Unreadable) -> None:
        if item.subject is not None:
            progress.park((item.subject, item.raw.topic))
        letter = Letter(item.fate, item.reason, item.raw, item.subject, item.version)
        await letters.bury(conn, self._sequencer.service, letter)

    async def _set_aside(
        self, taking: ProcessingSpans, conn: Connection, item: Item, fault: Exception
    ) -> None:
        taking.fail(item.raw)
        reason = reason_of(fault)
        place = {"topic": item.raw.topic, "offset": item.raw.offset}
        log.error("event.failed", fault=reason, subject=item.subject, **place)
        await store.claim(conn, [letters.identity(item)], [item.raw])
        version = item.sequence if isinstance(item, Message) else item.version
        letter = Letter("failed", reason, item.raw, item.subject, version)
        if item.subject is not None:
            progress = await load_progress(conn, [item.subject])
            progress.park((item.subject, item.raw.topic))
            await store.save_seen(conn, progress.changed)
        await letters.bury(conn, self._sequencer.service, letter)

    async def replay_next(self) -> bool:
        """Replay or discard one dead letter that an operator requested; return whether there was one.

        Every 5 s it also gives letters a new try whose turn may have come unnoticed.
        """
        if time.monotonic() - self._swept >= SWEEP_SECONDS:
            await self._sweep()
        async with self._db.transaction() as conn:
            return await replay_next(conn, self._sequencer, self._replays)

    async def _sweep(self) -> None:
        async with self._db.transaction() as conn:
            await store.ask_known(conn, list(self._sequencer.events), self._sequencer.service)
            if subjects := sorted(await store.load_forgotten(conn, SWEEP_LIMIT)):
                # Locked before their letters are read, as a batch does it.
                await load_progress(conn, subjects)
                await release(conn, self._sequencer, subjects)
        self._swept = time.monotonic()
