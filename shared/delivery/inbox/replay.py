"""Replays or discards dead letters that an operator requested."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

import structlog

from shared.delivery.cloudevents import Message, Unreadable, read
from shared.delivery.inbox import letters, store
from shared.delivery.inbox.bisect import isolate
from shared.delivery.inbox.releasing import release
from shared.delivery.inbox.sequencer import Sequencer, load_progress, place_of
from shared.delivery.inbox.store import Letter, StoredLetter
from shared.observability.redaction import reason_of
from shared.runtime.database import Connection

log = structlog.get_logger()

ReplayRaw: TypeAlias = Callable[[Connection, Letter], Awaitable[bool]]
"""Tries a letter of a topic that holds no events of ours again; whether it could be applied."""


async def replay_next(
    conn: Connection, follower: Sequencer, replays: Mapping[str, ReplayRaw]
) -> bool:
    """Replay or discard one requested letter, the lowest version of a subject first; return whether there was one."""
    asked = await store.next_asked(conn)
    if asked is None:
        return False
    if asked.letter.subject is not None:
        # Its subject is locked before the letter, as a batch does it.
        await load_progress(conn, [asked.letter.subject])
    stored = await store.lock_asked(conn, asked.id)
    if stored is None:
        return True
    if stored.asked == "discard":
        await letters.close(conn, follower.service, stored, "discarded")
        if stored.letter.subject is not None:
            await release(conn, follower, [stored.letter.subject])
    elif (replay := replays.get(stored.letter.raw.topic)) is not None:
        await _replay_raw(conn, follower.service, stored, replay)
    else:
        await _replay(conn, follower, stored)
    return True


async def _replay_raw(
    conn: Connection, service: str, stored: StoredLetter, replay: ReplayRaw
) -> None:
    done = False

    async def apply(connection: Connection, items: Sequence[StoredLetter]) -> None:
        nonlocal done
        done = await replay(connection, items[0].letter)

    async def fail(connection: Connection, item: StoredLetter, fault: Exception) -> None:
        log.error("replay.failed", fault=reason_of(fault), letter=str(item.id))

    await isolate(conn, [stored], apply, fail)
    if done:
        await letters.close(conn, service, stored, "replayed")
    else:
        await letters.bury(conn, service, stored.letter)


async def _replay(conn: Connection, follower: Sequencer, stored: StoredLetter) -> None:
    item = read(stored.letter.raw, follower.events)
    if isinstance(item, Unreadable):
        letter = Letter(item.fate, item.reason, item.raw, item.subject, item.version)
        await letters.bury(conn, follower.service, letter)
        return

    async def apply(connection: Connection, items: Sequence[Message]) -> None:
        await _apply(connection, follower, stored, items[0])

    async def fail(connection: Connection, message: Message, fault: Exception) -> None:
        letter = letters.held(message, "failed", reason_of(fault))
        await letters.bury(connection, follower.service, letter)

    await isolate(conn, [item], apply, fail)
    await release(conn, follower, [item.subject])


async def _apply(
    conn: Connection, follower: Sequencer, stored: StoredLetter, message: Message
) -> None:
    progress = await load_progress(conn, [message.subject])
    await follower.follow(conn, progress, [message])
    await store.save_seen(conn, progress.changed)
    if progress.at(place_of(message)).version >= message.sequence:
        await letters.close(conn, follower.service, stored, "replayed")
    for item in progress.waiting:
        await store.set_aside(conn, letters.held(item.message, item.fate, item.reason))
