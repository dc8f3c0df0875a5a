"""Reads one system's feed in pages or as a stream, without gaps."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson

from services.intake import domain
from services.intake.handlers.feed_watching import FeedWatch
from services.intake.store import feed as store
from services.intake.store.feed import FeedEntry
from shared.runtime.database import Connection, Database

PAGE: Final = 200
WAIT_SECONDS: Final = 30.0
TAG_LENGTH: Final = 8


@dataclass(frozen=True, slots=True)
class FeedReader:
    """A system that reads its feed: its party, the names of its requests, and whether it speaks for staff."""

    party: str
    names: tuple[str, ...]
    is_for_staff: bool


@dataclass(frozen=True, slots=True)
class FeedPlace:
    """A position in a feed. `tag` identifies the event there: positions are assigned anew after a restore."""

    position: int = 0
    tag: str = ""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One event for its reader: `data` is what it may see, `is_excerpt` when that is less than the event."""

    place: FeedPlace
    entry: FeedEntry
    data: dict[str, Any]
    receipt: str | None
    is_excerpt: bool


@dataclass(frozen=True, slots=True)
class FeedPart:
    """A part of a feed, the position after it, and whether there is more already."""

    items: Sequence[FeedItem]
    place: FeedPlace
    has_more: bool


@dataclass(frozen=True, slots=True)
class Reset:
    """The events after the given position are not kept; all that are kept follow."""


@dataclass(frozen=True, slots=True)
class Current:
    """All existing events were sent, up to this position; new ones follow."""

    place: FeedPlace


Happening: TypeAlias = FeedItem | Reset | Current


class Expired(Exception):
    """The events after the given position are not kept any more, or the position belongs to another history."""


async def read_part(
    conn: Connection, reader: FeedReader, after: FeedPlace | None, limit: int
) -> FeedPart:
    """Return up to `limit` items after a position; None starts with the oldest kept.

    Without any the place is the same again. Raises Expired.
    """
    place, has_more = after or FeedPlace(), True
    items: list[FeedItem] = []
    while not items and has_more:
        entries = await store.load_entries(conn, reader.names, place.position, limit)
        has_more = bool(entries)
        place = _place(entries[-1]) if entries else place
        items = [_item(reader, entry) for entry in entries if not entry.repeated]
    # Afterwards: what is dropped while it is read is missed too.
    found = await store.load_place(
        conn, reader.names, place.position if after is None else after.position
    )
    forgotten = found.forgotten or 0
    if after is None:
        # The first page may be empty where all has been dropped; it is gone on from there.
        return FeedPart(items, place if items else FeedPlace(forgotten), has_more)
    if not _is_kept(after, found):
        raise Expired
    return FeedPart(items, place if items else after, has_more)


def _is_kept(after: FeedPlace, found: store.FeedPosition) -> bool:
    """Return whether all events after a position are kept, and the position belongs to this history and these names.

    A place is an event of the reader's, or the last that was dropped. Anything else was given to another reader, or
    before the database was restored: its positions have been given to other events since.
    """
    forgotten = found.forgotten or 0
    if forgotten > after.position:
        return False
    if found.id is None:
        return after.position == forgotten
    return _tag(found.id) == after.tag


async def follow(
    db: Database, watch: FeedWatch, reader: FeedReader, place: FeedPlace | None
) -> AsyncIterator[Happening]:
    """Yield a reader's events after `place`, or all that are kept, then new ones for ever.

    No connection is held while nothing comes.
    """
    with watch.watching(reader.names) as moved:
        is_current = False
        while True:
            try:
                async with db.reading() as conn:
                    part = await read_part(conn, reader, place, PAGE)
            except Expired:
                yield Reset()
                place = None
                continue
            for item in part.items:
                yield item
            place = part.place
            if not part.has_more:
                if not is_current:
                    yield Current(part.place)
                    is_current = True
                await moved.beyond(part.place.position, WAIT_SECONDS)


def _item(reader: FeedReader, entry: FeedEntry) -> FeedItem:
    data: dict[str, Any] = orjson.loads(entry.data)
    actor = data.get("actor", {})
    receipt = entry.receipt
    if receipt is not None and not domain.may_have_receipt(
        reader.party, reader.is_for_staff, actor, entry.submitted_by or ""
    ):
        receipt = None
    is_excerpt = entry.followed or (
        entry.source is not None and domain.is_anothers(entry.subject, actor)
    )
    shown = domain.excerpt(data) if is_excerpt else data
    return FeedItem(_place(entry), entry, shown, receipt, is_excerpt)


def _place(entry: FeedEntry) -> FeedPlace:
    return FeedPlace(entry.position, _tag(entry.id))


def _tag(event_id: object) -> str:
    # The first characters of an id are its time.
    return str(event_id)[-TAG_LENGTH:]
