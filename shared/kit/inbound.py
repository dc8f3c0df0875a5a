"""Takes batches of records in: each event once, each subject in order, nothing dropped. It knows no event's meaning."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import structlog

from shared.contracts.event import Event
from shared.kit import inbox, letters
from shared.kit.cloudevents import Message, Raw, Unreadable, read
from shared.kit.db import Connection, Database
from shared.kit.inbox import Letter, Seen, StoredLetter
from shared.kit.isolation import isolate, settle_batch

log = structlog.get_logger()

Apply: TypeAlias = Callable[[Connection, Sequence[Message]], Awaitable[Sequence[Message]]]
"""Applies messages inside the open transaction and returns those whose subject is not known here yet."""

ReplayRaw: TypeAlias = Callable[[Connection, Letter], Awaitable[bool]]
"""Tries a letter of a topic that holds no events of ours again; whether it could be applied."""

RELEASE_LIMIT = 500
RELEASE_PASSES = 20

Item: TypeAlias = Message | Unreadable
Place: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class _Batch:
    """What one attempt at a batch has learned: versions to save, subjects touched, letters to set aside."""

    seen: dict[Place, Seen]
    changed: dict[Place, Seen] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)

    def at(self, place: Place) -> Seen:
        return self.changed.get(place) or self.seen.get(place) or Seen(0, held=False)

    def advance(self, message: Message) -> None:
        place = (message.subject, message.raw.topic)
        self.changed[place] = Seen(message.sequence, self.at(place).held)

    def hold(self, message: Message, fate: str, reason: str) -> None:
        place = (message.subject, message.raw.topic)
        self.changed[place] = Seen(self.at(place).version, held=True)
        self.letters.append(Letter(fate, reason, message.raw, message.subject, message.sequence))

    def subjects_with_letters(self) -> list[str]:
        touched = {subject for subject, _ in self.changed}
        known = self.seen | self.changed
        return sorted({subject for (subject, _), state in known.items() if state.held} & touched)


class Inbound:
    """The way in of one service: `applies` says, by topic and in the order to apply them, what is done with events.

    `replays` says the same of letters from topics that hold no events of ours.
    """

    def __init__(
        self,
        db: Database,
        service: str,
        applies: Mapping[str, Apply],
        events: Mapping[str, type[Event]],
        replays: Mapping[str, ReplayRaw] | None = None,
    ) -> None:
        self._db = db
        self._replays = replays or {}
        self._service = service
        self._applies = applies
        self._events = events

    async def take(self, raws: Sequence[Raw]) -> None:
        """Take records in, durably, in one transaction; returns when they may be acknowledged.

        Raises only when the infrastructure failed for longer than the patience of a batch.
        """
        items = [read(raw, self._events) for raw in raws]
        await settle_batch(self._db, items, self._apply, self._set_aside)

    async def _apply(self, conn: Connection, items: Sequence[Item]) -> None:
        fresh = await self._claim(conn, items)
        subjects = sorted({item.subject for item in fresh if item.subject is not None})
        batch = _Batch(await inbox.load_seen(conn, subjects) if subjects else {})
        for item in fresh:
            if isinstance(item, Unreadable):
                await self._bury(conn, batch, item)
        await self._follow(conn, batch, [item for item in fresh if isinstance(item, Message)])
        for letter in batch.letters:
            await inbox.set_aside(conn, letter)
        await inbox.save_seen(conn, batch.changed)
        if waiting := batch.subjects_with_letters():
            await self._release(conn, waiting)

    async def _claim(self, conn: Connection, items: Sequence[Item]) -> list[Item]:
        ids = {letters.identity(item): item for item in items}
        taken = await inbox.claim(conn, list(ids), [item.raw for item in ids.values()])
        return [item for identity, item in ids.items() if identity in taken]

    async def _follow(self, conn: Connection, batch: _Batch, messages: Iterable[Message]) -> None:
        by_topic: dict[str, list[Message]] = {topic: [] for topic in self._applies}
        expected: dict[Place, int] = {}
        for message in messages:
            place = (message.subject, message.raw.topic)
            next_version = expected.get(place, batch.at(place).version + 1)
            if message.sequence == next_version:
                by_topic[message.raw.topic].append(message)
                expected[place] = next_version + 1
            elif message.sequence > next_version:
                batch.hold(message, "gap", f"version {next_version} has not been applied")
            else:
                log.info("event.stale", subject=message.subject, version=message.sequence)
        for topic, due in by_topic.items():
            if due:
                self._note(batch, due, await self._applies[topic](conn, due))

    @staticmethod
    def _note(batch: _Batch, due: Sequence[Message], early: Sequence[Message]) -> None:
        waiting = {message.id for message in early}
        blocked: set[str] = set()
        for message in due:
            if message.id in waiting or message.subject in blocked:
                blocked.add(message.subject)
                batch.hold(message, "early", "its subject is not known here yet")
            else:
                batch.advance(message)

    async def _bury(self, conn: Connection, batch: _Batch, item: Unreadable) -> None:
        letter = Letter(item.fate, item.reason, item.raw, item.subject, item.version)
        if item.subject is not None:
            place = (item.subject, item.raw.topic)
            batch.changed[place] = Seen(batch.at(place).version, held=True)
        await letters.bury(conn, self._service, letter)

    async def _set_aside(self, conn: Connection, item: Item, fault: Exception) -> None:
        log.error(
            "event.failed", fault=type(fault).__name__, topic=item.raw.topic, offset=item.raw.offset
        )
        await inbox.claim(conn, [letters.identity(item)], [item.raw])
        subject, version = (
            (item.subject, item.version)
            if isinstance(item, Unreadable)
            else (item.subject, item.sequence)
        )
        if subject is not None:
            place = (subject, item.raw.topic)
            version_seen = (await inbox.load_seen(conn, [subject])).get(place, Seen(0, held=False))
            await inbox.save_seen(conn, {place: Seen(version_seen.version, held=True)})
        reason = f"{type(fault).__name__}: {fault}".replace("\0", "")[:2000]
        await letters.bury(
            conn, self._service, Letter("failed", reason, item.raw, subject, version)
        )

    async def _release(self, conn: Connection, subjects: Sequence[str]) -> None:
        """Apply letters whose turn has come; a bounded number now, the rest when their subject is touched next."""
        for _ in range(RELEASE_PASSES):
            held = await inbox.load_held(conn, subjects, RELEASE_LIMIT)
            if not await self._release_pass(conn, held):
                break
        remaining = await inbox.still_held(conn, subjects)
        seen = await inbox.load_seen(conn, subjects)
        await inbox.save_seen(
            conn, {place: Seen(state.version, place in remaining) for place, state in seen.items()}
        )

    async def _release_pass(self, conn: Connection, held: Sequence[StoredLetter]) -> bool:
        if not held:
            return False
        subjects = sorted({stored.letter.subject for stored in held if stored.letter.subject})
        batch = _Batch(await inbox.load_seen(conn, subjects))
        by_id = {stored.id: read(stored.letter.raw, self._events) for stored in held}
        before = dict(batch.seen)

        async def apply(connection: Connection, items: Sequence[StoredLetter]) -> None:
            found = [by_id[item.id] for item in items]
            await self._follow(
                connection, batch, [item for item in found if isinstance(item, Message)]
            )

        async def fail(connection: Connection, item: StoredLetter, fault: Exception) -> None:
            reason = f"{type(fault).__name__}: {fault}".replace("\0", "")[:2000]
            letter = item.letter
            await letters.bury(
                connection,
                self._service,
                Letter("failed", reason, letter.raw, letter.subject, letter.version),
            )

        await isolate(conn, held, apply, fail)
        await inbox.save_seen(conn, batch.changed)
        after = before | batch.changed
        done = [
            stored.id
            for stored in held
            if stored.letter.version is not None
            and after[(stored.letter.subject or "", stored.letter.raw.topic)].version
            >= stored.letter.version
        ]
        await inbox.forget(conn, done)
        return bool(done)

    async def settle_next_asked(self) -> bool:
        """Replay or discard one dead letter that an operator asked for; whether there was one."""
        async with self._db.transaction() as conn:
            stored = await inbox.next_asked(conn)
            if stored is None:
                return False
            if stored.asked == "discard":
                await self._discard(conn, stored)
            else:
                await self._replay(conn, stored)
        return True

    async def _discard(self, conn: Connection, stored: StoredLetter) -> None:
        letter = stored.letter
        await letters.settle(conn, self._service, stored, "discarded")
        if letter.subject is not None:
            place = (letter.subject, letter.raw.topic)
            state = (await inbox.load_seen(conn, [letter.subject])).get(place, Seen(0, held=True))
            # Whoever discards a version lets its subject go on after it.
            skipped = state.version + 1 == letter.version
            await inbox.save_seen(conn, {place: Seen(state.version + skipped, held=True)})
            await self._release(conn, [letter.subject])

    async def _replay_raw(
        self, conn: Connection, stored: StoredLetter, replay: ReplayRaw
    ) -> None:
        done = False

        async def apply(connection: Connection, items: Sequence[StoredLetter]) -> None:
            nonlocal done
            done = await replay(connection, items[0].letter)

        async def fail(connection: Connection, item: StoredLetter, fault: Exception) -> None:
            log.error("replay.failed", fault=type(fault).__name__, letter=str(item.id))

        await isolate(conn, [stored], apply, fail)
        if done:
            await letters.settle(conn, self._service, stored, "replayed")
        else:
            await letters.bury(conn, self._service, stored.letter)

    async def _replay(self, conn: Connection, stored: StoredLetter) -> None:
        if (replay := self._replays.get(stored.letter.raw.topic)) is not None:
            await self._replay_raw(conn, stored, replay)
            return
        item = read(stored.letter.raw, self._events)
        if isinstance(item, Unreadable):
            await letters.bury(
                conn,
                self._service,
                Letter(item.fate, item.reason, item.raw, item.subject, item.version),
            )
            return
        batch = _Batch(await inbox.load_seen(conn, [item.subject]))

        async def apply(connection: Connection, items: Sequence[Message]) -> None:
            await self._follow(connection, batch, items)

        async def fail(connection: Connection, message: Message, fault: Exception) -> None:
            await self._set_aside(connection, message, fault)

        failed_before = len(batch.letters)
        await isolate(conn, [item], apply, fail)
        await inbox.save_seen(conn, batch.changed)
        place = (item.subject, item.raw.topic)
        if batch.at(place).version >= item.sequence:
            await letters.settle(conn, self._service, stored, "replayed")
            await self._release(conn, [item.subject])
        elif len(batch.letters) > failed_before:
            for letter in batch.letters:
                await inbox.set_aside(conn, letter)
