"""The order of the feed under every interleaving of commits, and the stream of it with nothing missed."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.intake.app import build
from services.intake.handlers import feed_order
from services.intake.handlers.feed_order import FeedSequencer
from services.intake.handlers.feed_reading import FeedPlace, FeedReader, read_part
from services.intake.handlers.progress import follow_matters
from services.intake.handlers.registration import Arrival, Refusal, refuse, register
from services.intake.settings import Settings
from services.intake.store import feed as feed_store
from services.intake.store import feed_order as order_store
from shared.contracts.events.event import Actor
from shared.contracts.events.matters import MatterFedBack
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import MatterState, Role
from shared.delivery.cloudevents import Message, Raw
from shared.runtime.database import Database, open_database
from tests.integration.intake.samples import submission
from tests.support.plans import plan_of
from tests.support.streaming import WAYS, reading, served

SOURCE = "https://one-stop.example/hotline"
READER = FeedReader(SOURCE, (SOURCE,), is_for_staff=False)
SYSTEM = Actor(role=Role.SYSTEM, party=SOURCE)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url, "intake", max_size=8)
    yield database
    await database.close()


def fed_back(matter: str, version: int) -> Message:
    event = MatterFedBack(
        matter_id=matter, actor=Actor(role=Role.LIAISON, party="L001"), text=str(version),
        state=MatterState.IN_PROGRESS, round=1,
    )  # fmt: skip
    raw = Raw("liaison.matters", 0, version, None, event.model_dump_json().encode())
    now = datetime.now(UTC)
    return Message(uuid4(), "urn:liaison:followup", matter, version, event, now, raw=raw)


class Poller:
    """A reader that asks again and again with what it was given."""

    def __init__(self, db: Database, limit: int) -> None:
        self._db, self._limit = db, limit
        self._place: FeedPlace | None = None
        self.found: list[tuple[str, str, int]] = []

    async def poll(self) -> int:
        async with self._db.reading() as conn:
            part = await read_part(conn, READER, self._place, self._limit)
        self._place = part.place
        self.found += [
            (str(item.entry.id), item.entry.subject, item.entry.version) for item in part.items
        ]
        return len(part.items)

    async def poll_for_ever(self) -> None:
        while True:
            await self.poll()
            await asyncio.sleep(0.001)


async def write(db: Database, seed: int) -> set[tuple[str, int]]:
    """One writer among others: registers, holds its transaction, rolls some back; then news in order of version."""
    random, written = Random(seed), set()  # noqa: S311 - a drawing, no secret
    for _ in range(6):
        sent = [Submission.model_validate(submission(source=SOURCE)) for _ in range(3)]
        try:
            async with db.transaction() as conn:
                now = datetime.now(UTC)
                made = await register(conn, [Arrival(each, SYSTEM) for each in sent], now)
                await asyncio.sleep(random.random() / 50)
                await refuse(conn, [Refusal(SOURCE, "x", "invalid")], now)
                if random.random() < 0.25:
                    raise asyncio.CancelledError
        except asyncio.CancelledError:
            continue
        matters = [each.request_id for each in made]
        for version in range(1, 4):
            async with db.transaction() as conn:
                await follow_matters(conn, [fed_back(each, version) for each in matters])
                await asyncio.sleep(random.random() / 50)
        written |= {(each, version) for each in matters for version in (1, 2, 3)}
    return written


@pytest.mark.parametrize("seed", range(4))
async def test_each_reader_finds_each_event_once_and_in_order_whenever_it_asks(
    db: Database, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_order, "LINGER_SECONDS", 0.0)
    pollers = [Poller(db, limit) for limit in (1, 3, 500)]
    sequencers = [FeedSequencer(db, most) for most in (2, 500)]
    meanwhile = [asyncio.create_task(each.poll_for_ever()) for each in pollers]
    meanwhile += [asyncio.create_task(each.run()) for each in sequencers]
    written = await asyncio.gather(*(write(db, seed * 10 + number) for number in range(4)))
    expected = set().union(*written)
    async with db.reading() as conn:
        ids = {str(row["id"]) for row in await conn.fetch("select id from event")}
        ids |= {str(row["id"]) for row in await conn.fetch("select id from matter_event")}
    async with asyncio.timeout(30):
        while any(len(each.found) < len(ids) for each in pollers):
            await asyncio.sleep(0.02)
    for task in meanwhile:
        task.cancel()
    await asyncio.gather(*meanwhile, return_exceptions=True)
    late = Poller(db, 7)
    while await late.poll():
        pass
    for each in (*pollers, late):
        assert [found[0] for found in each.found] == [found[0] for found in late.found]
        assert {found[0] for found in each.found} == ids
        assert len(each.found) == len(ids)
        for matter, _ in expected:
            # The registration, then what happened: 1, then 1, 2, 3.
            assert [found[2] for found in each.found if found[1] == matter] == [1, 1, 2, 3]


async def test_a_number_that_was_drawn_and_not_committed_holds_the_feed_back(db: Database) -> None:
    sequencer, poller = FeedSequencer(db), Poller(db, 500)
    first, second = (Submission.model_validate(submission(source=SOURCE)) for _ in range(2))
    async with db.transaction() as slow:
        await register(slow, [Arrival(first, SYSTEM)], datetime.now(UTC))
        async with db.transaction() as quick:
            await register(quick, [Arrival(second, SYSTEM)], datetime.now(UTC))
        for _ in range(3):
            assert await sequencer.step() is False
        assert await poller.poll() == 0
    await sequencer.step()
    assert await poller.poll() == 2


async def test_the_feed_costs_what_is_new_and_not_what_there_is(db: Database) -> None:
    async with db.reading() as conn:
        await conn.execute(
            "insert into event (id, subject, version, type, topic, at, data)"
            " select uuidv7(), uuidv7()::text, 1, 'liaison.request.rejected.v1', '', now(),"
            " json_build_object('source', 's' || number % 50) from generate_series(1, 20000) as number"
        )
        sequencer = FeedSequencer(db, 5000)
        while await sequencer.step():
            pass
        await conn.execute("vacuum analyze event, feed, matter_event, progress, request, timeline")
        assert await conn.fetchval("select count(*) from feed") == 20_000
        await conn.execute("delete from feed where event_seq > 19950")
        names = ["s1", "s2", "nobody"]
        asked = {
            "a page": (feed_store.SELECT_ENTRIES, names, 10_000, 50, 10**6),
            "a place": (feed_store.SELECT_PLACE, 10_000, names),
            "the last": (feed_store.SELECT_LAST, names),
            "numbering": (order_store.NUMBER_EVENTS, 20_000, 19_950, 20_000, 500, [], []),
            "rejections": (order_store.SELECT_REJECTED, 19_950, 20_000, 500),
            "numbering matters": (order_store.NUMBER_MATTERS, 20_000, 0, 0, 500),
        }
        for name, (statement, *arguments) in asked.items():
            async with db.transaction() as inside:
                plan = await plan_of(inside, statement, *arguments)
            reads = [
                (
                    node["Relation Name"],
                    node.get("Index Name"),
                    node["Actual Rows"],
                    node["Actual Loops"],
                )
                for node in plan.nodes
                if "Relation Name" in node
            ]
            assert plan.rows_read <= 1000, (name, reads)


def stream_events(seen: bytes) -> list[tuple[str, dict[str, Any]]]:
    """What a reader of a stream makes of it: the id and the data of each message."""
    found = []
    for block in seen.decode().replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" not in fields and fields.get("data", "").endswith("}"):
            found.append((fields.get("id", ""), json.loads(fields["data"])))
    return found


async def send(db: Database, count: int) -> None:
    for _ in range(count):
        async with db.transaction() as conn:
            sent = Submission.model_validate(submission(source=SOURCE))
            await register(conn, [Arrival(sent, SYSTEM)], datetime.now(UTC))


async def stored(conn: asyncpg.Connection) -> list[str]:
    return [str(row["id"]) for row in await conn.fetch("select id from event order by seq")]


async def test_a_stream_goes_on_from_any_event_with_nothing_missed(
    settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.http.streams.routes.HEARTBEAT_SECONDS", 0.3)
    headers = {"authorization": "Bearer system"}
    tokens = settings.tokens_file
    assert tokens is not None
    with_sources(tokens, [SOURCE])
    app = build(settings)
    async with app.router.lifespan_context(app), served(app) as address:
        await send(db, 3)
        async with reading(address, "/intake/feed/stream", headers) as first:
            assert b"retry: 3000" in await first.until(b"retry:")
            async with db.reading() as conn:
                ids = await stored(conn)
            await first.until(ids[-1].encode())
            await send(db, 2)
            async with db.reading() as conn:
                ids = await stored(conn)
            seen = stream_events(await first.until(ids[-1].encode() + b'"') + b"}\n\n")
            await first.until(b"heartbeat")
        seen = stream_events(first.seen)
        assert [event["id"] for _, event in seen] == ids
        assert first.seen.count(b"event: current") == 1
        assert all(event["receipt"] for _, event in seen)
        for number, (cursor, _) in enumerate(seen[:-1]):
            again = headers | {"last-event-id": cursor}
            assert await told_until(address, again, ids[-1]) == ids[number + 1 :]
        async with reading(
            address, f"/intake/feed/stream?cursor={seen[1][0]}", headers
        ) as by_query:
            await by_query.until(ids[-1].encode())
        assert ids[1] not in by_query.seen.decode()
        async with reading(address, "/intake/feed/stream", headers | {"last-event-id": "x"}) as bad:
            assert b'"/header/last-event-id"' in await bad.until(b"feed_cursor")
        async with db.reading() as conn:
            await conn.execute("insert into feed_forgotten values ($1, 2)", SOURCE)
        await begins_anew(address, headers, seen[0][0], ids[-1])
        await loses_its_right(address, headers, tokens)


async def begins_anew(address: Any, headers: dict[str, str], cursor: str, last: str) -> None:
    """A stream from an expired cursor says so, and tells all that is kept."""
    async with reading(address, f"/intake/feed/stream?cursor={cursor}", headers) as reset:
        await reset.until(last.encode())
    assert b"event: reset" in reset.seen


async def told_until(address: Any, headers: dict[str, str], last: str) -> list[str]:
    """The ids of what a stream tells up to that one, and until it has nothing more to tell."""
    async with reading(address, "/intake/feed/stream?cursor=", headers) as after:
        await after.until(last.encode())
        await after.until(b"heartbeat")
    return [event["id"] for _, event in stream_events(after.seen)]


def with_sources(tokens: Path, sources: list[str]) -> None:
    """Give the first token of the file these sources."""
    entries = json.loads(tokens.read_bytes())
    entries[0]["sources"] = sources
    tokens.write_text(json.dumps(entries))


async def loses_its_right(address: Any, headers: dict[str, str], tokens: Path) -> None:
    """A stream ends when the token has other sources, and when it is revoked."""
    async with reading(address, "/intake/feed/stream", headers) as stream:
        await stream.until(b"heartbeat")
        with_sources(tokens, ["https://elsewhere.example"])
        await stream.rest(5)
    with_sources(tokens, [SOURCE])
    async with reading(address, "/intake/feed/stream", headers) as stream:
        await stream.until(b"heartbeat")
        WAYS["revoked"](tokens)
        await stream.rest(5)
