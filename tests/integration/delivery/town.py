"""A service that has the kit's tables and two of its own, and does as little as can be seen."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.contracts import topics
from shared.contracts.events.assignments import ObjectionRuled
from shared.contracts.events.event import Actor, Event
from shared.contracts.events.published import EVENTS
from shared.contracts.events.requests import RequestAmended, RequestWithdrawn
from shared.contracts.vocabulary import Role, Ruling
from shared.delivery.cloudevents import Message, Raw, Recorded, headers_of
from shared.delivery.inbox.consumer import Inbound
from shared.runtime.database import Connection, Database
from shared.runtime.ids import new_id

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ACTOR = Actor(role=Role.SYSTEM, party="urn:test:sender")

INSERT_EFFECT = """
insert into effect (event_id, topic, subject, version, words) values ($1, $2, $3, $4, $5)"""
INSERT_KNOWN = "insert into known (subject) values ($1) on conflict do nothing"
SELECT_KNOWN = "select subject from known where subject = any($1::text[])"


def amended(subject: str, words: str = "a fact") -> RequestAmended:
    return RequestAmended(actor=ACTOR, matter_id=subject, message=words)


def withdrawn(subject: str) -> RequestWithdrawn:
    return RequestWithdrawn(actor=ACTOR, matter_id=subject, reason=None)


def ruled(subject: str, note: str = "as it was") -> ObjectionRuled:
    return ObjectionRuled(
        actor=ACTOR,
        matter_id=subject,
        objection_id="o1",
        round=1,
        ruling=Ruling.OVERRULED,
        note=note,
    )


@dataclass
class Records:
    """Makes records as Kafka would give them: each with a place of its own."""

    offsets: Any = field(default_factory=itertools.count)

    def __call__(
        self, event: Event, subject: str, version: int, *, event_id: UUID | None = None
    ) -> Raw:
        row = Recorded(
            seq=0,
            id=event_id or UUID(new_id()),
            subject=subject,
            version=version,
            type=event.wire_type(),
            topic=event.TOPIC,
            at=AT,
            causation_id=None,
            traceparent=None,
            data=event.model_dump_json(),
        )
        headers = tuple(headers_of(row, "urn:liaison:elsewhere"))
        return self.raw(event.TOPIC, row.data.encode(), headers, key=subject.encode())

    def raw(
        self,
        topic: str,
        value: bytes | None,
        headers: tuple[tuple[str, bytes | None], ...] = (),
        *,
        key: bytes | None = None,
    ) -> Raw:
        return Raw(topic, 0, next(self.offsets), key, value, headers)

    def matter(self, subject: str, versions: Sequence[int], words: str = "a fact") -> list[Raw]:
        """Facts added to a request, one record a version."""
        return [self(amended(subject, words), subject, version) for version in versions]


class Refused(Exception):
    """What the town's handler raises for words that it is told not to bear."""


@dataclass
class Town:
    """The service under test: its handlers write down what they applied, and fail when told to."""

    db: Database
    url: str
    inbound: Inbound = field(init=False)
    bad_words: set[str] = field(default_factory=set)
    before_apply: list[Callable[[Connection, Sequence[Message]], Any]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inbound = self.make_inbound()

    def make_inbound(self, events: Any = EVENTS) -> Inbound:
        """Another replica's way in, on the same tables."""
        applies = {topics.REQUESTS: self.requests, topics.ASSIGNMENTS: self.assignments}
        return Inbound(self.db, "town", applies, events)

    async def requests(self, conn: Connection, messages: Sequence[Message]) -> list[Message]:
        """Facts make their subject known."""
        await self._write(conn, messages)
        for message in messages:
            await conn.execute(INSERT_KNOWN, message.subject)
        return []

    async def assignments(self, conn: Connection, messages: Sequence[Message]) -> list[Message]:
        """Rulings are early until their subject is known."""
        subjects = [message.subject for message in messages]
        known = {row["subject"] for row in await conn.fetch(SELECT_KNOWN, subjects)}
        await self._write(conn, [m for m in messages if m.subject in known])
        return [message for message in messages if message.subject not in known]

    async def _write(self, conn: Connection, messages: Sequence[Message]) -> None:
        self.batches.append(len(messages))
        for hook in self.before_apply:
            await hook(conn, messages)
        for message in messages:
            words = getattr(message.event, "message", None) or getattr(message.event, "note", None)
            await conn.execute(
                INSERT_EFFECT,
                message.id,
                message.raw.topic,
                message.subject,
                message.sequence,
                words,
            )
            if words in self.bad_words:
                raise Refused(f"the words {words!r} of {message.subject}")

    async def fetch(self, statement: str, *values: object) -> list[asyncpg.Record]:
        async with self.db.reading() as conn:
            return await conn.fetch(statement, *values)

    async def execute(self, statement: str, *values: object) -> None:
        async with self.db.transaction() as conn:
            await conn.execute(statement, *values)

    async def applied(self, subject: str | None = None) -> list[tuple[str, int]]:
        """(subject, version) of every application, in order, on both topics."""
        rows = await self.fetch(
            "select subject, version from effect where $1::text is null or subject = $1 order by place",
            subject,
        )
        return [(row["subject"], row["version"]) for row in rows]

    async def versions(self, subject: str, topic: str = topics.REQUESTS) -> list[int]:
        """The versions of a subject that were applied, in order."""
        rows = await self.fetch(
            "select version from effect where subject = $1 and topic = $2 order by place",
            subject,
            topic,
        )
        return [row["version"] for row in rows]

    async def letters(self, state: str = "waiting") -> list[asyncpg.Record]:
        """The dead letters in a state, oldest place first."""
        return await self.fetch(
            'select * from dead_letter where state = $1 order by topic, "offset"', state
        )

    async def fates(self) -> list[tuple[str, str | None, int | None]]:
        """(fate, subject, version) of the letters that wait."""
        return [(row["fate"], row["subject"], row["version"]) for row in await self.letters()]

    async def ask(self, what: str, *letter_ids: UUID, because: str = "mended") -> None:
        """Ask as an operator would, and let the service do it."""
        await self.execute(
            """update dead_letter set asked = $2, asked_by = 'operator', asked_because = $3
               where id = any($1::uuid[])""",
            letter_ids,
            what,
            because,
        )
        await self.settle()

    async def settle(self) -> int:
        """Let the service do all that is asked of it; how often it found something."""
        done = 0
        while await self.inbound.replay_next():
            done += 1
            assert done < 1000, "what is asked must come to an end"
        return done
