"""Streams one queue: its open offers first, then each change, without gaps."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from services.routing.handlers.queue_watch import QueueWatch
from services.routing.store import feed, queues
from services.routing.store.queues import Item, QueueChange
from shared.contracts.vocabulary import OfferState
from shared.runtime.database import Database

PAGE: Final = 200
WAIT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Broken:
    """The entries after the given position are no longer kept; a new beginning follows."""

    position: int


@dataclass(frozen=True, slots=True)
class QueuedOffer:
    """An open offer at the beginning of a stream; it cannot be resumed from."""

    item: Item


@dataclass(frozen=True, slots=True)
class Current:
    """All open offers were sent, up to this position."""

    position: int


Happening: TypeAlias = Broken | QueuedOffer | Current | QueueChange


async def follow(
    db: Database, watch: QueueWatch, party: str, after: int | None
) -> AsyncIterator[Happening]:
    """Yield a queue's open offers, then its changes for ever; with `after`, only the changes after it.

    No connection is held while nothing happens.
    """
    with watch.watching(party):
        if after is not None and not await _is_kept(db, party, after):
            yield Broken(after)
            after = None
        if after is None:
            # Taken before the offers are read: what changes meanwhile is told once more, afterwards.
            after = await _position(db, party)
            async for item in _state(db, party):
                yield QueuedOffer(item)
            yield Current(after)
        while True:
            async with db.reading() as conn:
                told = await queues.read_feed(conn, party, after, PAGE)
            for entry in told:
                yield entry
                after = entry.position
            if len(told) < PAGE:
                await watch.beyond(party, after, WAIT_SECONDS)


async def _is_kept(db: Database, party: str, position: int) -> bool:
    async with db.reading() as conn:
        return await feed.is_kept(conn, party, position)


async def _position(db: Database, party: str) -> int:
    async with db.reading() as conn:
        return (await feed.positions(conn, [party]))[party]


async def _state(db: Database, party: str) -> AsyncIterator[Item]:
    place = queues.FIRST
    more = True
    while more:
        async with db.reading() as conn:
            items = await queues.list_queue(conn, party, OfferState.OFFERED, place, PAGE)
        for item in items:
            yield item
        more = len(items) == PAGE
        if items:
            place = queues.place_of(items[-1])
