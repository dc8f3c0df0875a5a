"""Releases parked messages, in order, when the gap before them has closed."""

from collections.abc import Sequence
from uuid import UUID

from shared.delivery.cloudevents import Message, read
from shared.delivery.inbox import letters, store
from shared.delivery.inbox.bisect import isolate
from shared.delivery.inbox.sequencer import Sequencer, SubjectProgress, load_progress, place_of
from shared.delivery.inbox.store import Seen, StoredLetter
from shared.runtime.database import Connection

LIMIT = 500
PASSES = 20


async def release(conn: Connection, follower: Sequencer, subjects: Sequence[str]) -> None:
    """Apply parked letters of these subjects whose turn has come, 10,000 at most; the sweep applies the rest.

    A subject whose letters must go on waiting does not keep the others from their turn.
    """
    rest = list(subjects)
    for _ in range(PASSES):
        due = await store.load_due(conn, rest, LIMIT) if rest else []
        if not due:
            break
        settled = await _pass(conn, follower, due)
        stuck = {stored.letter.subject for stored in due if stored.id not in settled}
        rest = [subject for subject in rest if subject not in stuck]
    remaining = await store.still_held(conn, subjects)
    seen = await store.load_seen(conn, subjects)
    await store.save_seen(
        conn, {place: Seen(state.version, place in remaining) for place, state in seen.items()}
    )


async def _pass(conn: Connection, follower: Sequencer, due: Sequence[StoredLetter]) -> set[UUID]:
    settled: set[UUID] = set()

    # An attempt may be rolled back, so each begins with what the database knows then.
    async def apply(connection: Connection, items: Sequence[StoredLetter]) -> None:
        settled.update(await _apply(connection, follower, items))

    async def fail(connection: Connection, item: StoredLetter, fault: Exception) -> None:
        await letters.bury(connection, follower.service, letters.failed(item.letter, fault))

    await isolate(conn, due, apply, fail)
    return settled


async def _apply(
    conn: Connection, follower: Sequencer, items: Sequence[StoredLetter]
) -> list[UUID]:
    found = {item.id: read(item.letter.raw, follower.events) for item in items}
    messages = {key: item for key, item in found.items() if isinstance(item, Message)}
    progress = await load_progress(conn, (item.letter.subject or "" for item in items))
    await follower.follow(conn, progress, list(messages.values()))
    await store.save_seen(conn, progress.changed)
    settled = [
        key
        for key, message in messages.items()
        if progress.at(place_of(message)).version >= message.sequence
    ]
    conflicts = {message.id: message for message in progress.conflicts}
    for message in conflicts.values():
        await letters.bury_conflict(conn, follower.service, message)
    turned = [key for key in settled if messages[key].id not in conflicts]
    await store.forget(conn, turned)
    unreadable = [
        (key, item.fate, item.reason)
        for key, item in found.items()
        if not isinstance(item, Message)
    ]
    await store.renew(conn, unreadable + _still_waiting(progress, messages))
    return settled


def _still_waiting(
    progress: SubjectProgress, messages: dict[UUID, Message]
) -> list[tuple[UUID, str, str]]:
    keys = {message.id: key for key, message in messages.items()}
    return [(keys[item.message.id], item.fate, item.reason) for item in progress.waiting]
