"""Watching a queue: what stands, then what happens, in positions without gaps, with nothing missed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

import httpx
import orjson
import pytest
import uvicorn

from services.routing.api.edge import Edge
from services.routing.app import build
from services.routing.domain.answers import Declination
from services.routing.domain.moment import Acting
from services.routing.handlers import due
from services.routing.handlers.commands.answers import Answering, accept_offer, decline_offer
from services.routing.handlers.queue_stream import Broken, Current, Happening, QueuedOffer, follow
from services.routing.handlers.queue_watch import POLL_SECONDS, QueueWatch
from services.routing.settings import Settings
from services.routing.store.directory.entries import LiaisonEntry
from services.routing.store.queues import QueueChange
from shared.contracts.vocabulary import DeclineReason, Role
from shared.runtime.database import open_database
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import MONDAY, put_liaison, registered

COORDINATOR = Acting(Role.COORDINATOR, "C001")


@pytest.fixture
async def watch(routing: Routing) -> AsyncIterator[QueueWatch]:
    watch = QueueWatch(routing.db)
    task = asyncio.create_task(watch.run())
    yield watch
    task.cancel()
    await asyncio.wait([task])


async def take(happenings: AsyncIterator[Happening], count: int) -> list[Happening]:
    async with asyncio.timeout(15):
        return [await anext(happenings) for _ in range(count)]


async def answer(routing: Routing, matter_id: str, *, accepts: bool) -> None:
    offer = await routing.current(matter_id)
    answering = Answering(str(offer["id"]), COORDINATOR)
    async with routing.db.transaction() as conn:
        if accepts:
            await accept_offer(conn, routing.office, answering, MONDAY)
        else:
            wish = Declination(DeclineReason.OTHER)
            await decline_offer(conn, routing.office, answering, wish, MONDAY)


async def test_first_what_stands_then_what_happens(routing: Routing, watch: QueueWatch):
    standing, coming = registered(), registered()
    await routing.take_requests(standing)
    async with aclosing(follow(routing.db, watch, "L001", None)) as happenings:
        first, current = await take(happenings, 2)
        assert isinstance(first, QueuedOffer)
        assert first.item.matter_id == standing.subject
        assert current == Current(1)
        await routing.take_requests(coming)
        await answer(routing, standing.subject, accepts=True)
        await answer(routing, coming.subject, accepts=False)
        told = await take(happenings, 3)
    assert [(one.position, one.kind, one.how) for one in told if isinstance(one, QueueChange)] == [
        (2, "offered", None),
        (3, "ended", "accepted"),
        (4, "ended", "declined"),
    ]


async def test_a_commit_of_this_process_is_seen_without_a_poll(routing: Routing):
    watch = QueueWatch(routing.db, poll_seconds=3600)
    running = asyncio.create_task(watch.run())
    async with aclosing(follow(routing.db, watch, "L001", None)) as happenings:
        await take(happenings, 1)
        for _ in range(3):
            next_one = asyncio.create_task(anext(happenings))
            await asyncio.sleep(0.05)
            await routing.take_requests(registered())
            assert isinstance(await asyncio.wait_for(next_one, 10), QueueChange)
    running.cancel()
    await asyncio.wait([running])


async def test_a_commit_of_another_process_is_seen_by_polling(
    routing: Routing, watch: QueueWatch, database_url: str
):
    other = await open_database(database_url, "routing")
    async with aclosing(follow(routing.db, watch, "L001", None)) as happenings:
        await take(happenings, 1)
        next_one = asyncio.create_task(anext(happenings))
        await asyncio.sleep(0.05)
        await Routing(other, routing.office).take_requests(registered())
        assert isinstance(await asyncio.wait_for(next_one, 10), QueueChange)
    await other.close()


async def test_going_on_misses_nothing_while_many_commit_at_once(
    routing: Routing, watch: QueueWatch
):
    """Writers in eight transactions at a time, and a reader who breaks off and goes on again and again."""
    async with routing.db.transaction() as conn:
        await put_liaison(conn, LiaisonEntry("L001", "甲", "D-ROAD", 1000))
    requests = [registered() for _ in range(120)]
    room = asyncio.Semaphore(8)

    async def write(number: int) -> None:
        async with room:
            await routing.take_requests(requests[number])
            if number % 3 == 0:
                await answer(routing, requests[number].subject, accepts=number % 2 == 0)

    writing = asyncio.gather(*(write(number) for number in range(len(requests))))
    positions: list[int] = []
    seen: list[tuple[str, str]] = []
    after = 0
    while len(seen) < 160:
        async with aclosing(follow(routing.db, watch, "L001", after)) as happenings:
            for happening in await take(happenings, min(1 + len(seen) % 7, 160 - len(seen))):
                assert isinstance(happening, QueueChange)
                after = happening.position
                positions.append(after)
                seen.append((happening.kind, happening.item.matter_id))
    await writing
    assert positions == list(range(1, 161))
    assert sorted(seen) == sorted(
        [("offered", request.subject) for request in requests]
        + [("ended", request.subject) for request in requests[::3]]
    )


async def test_too_long_ago_begins_anew(routing: Routing, watch: QueueWatch):
    for _ in range(3):
        await routing.take_requests(registered())
    async with routing.db.transaction() as conn:
        assert not await due.forget_feed(conn, MONDAY + timedelta(days=6))
        await conn.execute("delete from feed where position < 3")
    for after, kept in ((2, True), (3, True), (1, False), (9, False)):
        async with aclosing(follow(routing.db, watch, "L001", after)) as happenings:
            if not kept:
                told = await take(happenings, 5)
                assert told[0] == Broken(after)
                assert told[4] == Current(3)
            elif after == 2:
                (told_one,) = await take(happenings, 1)
                assert isinstance(told_one, QueueChange)


async def test_the_feed_is_kept_a_week(routing: Routing):
    await routing.take_requests(registered())
    async with routing.db.transaction() as conn:
        await due.forget_feed(conn, MONDAY + timedelta(days=7))
    assert len(await routing.rows("select 1 from feed")) == 1
    async with routing.db.transaction() as conn:
        await due.forget_feed(conn, MONDAY + timedelta(days=7, seconds=1))
    assert await routing.rows("select 1 from feed") == []


async def test_a_hundred_watchers_cost_one_query_a_poll(routing: Routing, database_url: str):
    db = await open_database(database_url, "routing", max_size=2)
    asked: list[str] = []
    async with db.reading() as one, db.reading() as other:
        for connection in (one, other):
            connection.add_query_logger(lambda query: asked.append(query.query))
    watch = QueueWatch(db)
    running = asyncio.create_task(watch.run())
    followers = [follow(db, watch, "L001", None) for _ in range(100)]
    for follower in followers:
        await take(follower, 1)
    assert watch.watchers == 100
    waiting = [asyncio.create_task(anext(follower)) for follower in followers]
    # Each has looked once for what happened since its beginning; from here on nothing does.
    while sum("from feed" in query for query in asked) < 100:
        await asyncio.sleep(0.02)
    asked.clear()
    begun = asyncio.get_running_loop().time()
    await asyncio.sleep(0.8)
    polls = (asyncio.get_running_loop().time() - begun) / POLL_SECONDS
    assert 1 <= sum("from queue" in query for query in asked) <= polls + 1
    assert not any("from feed" in query for query in asked)
    await routing.take_requests(registered())
    told = await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert {one.position for one in told if isinstance(one, QueueChange)} == {1}
    for follower in followers:
        await follower.aclose()
    assert watch.watchers == 0
    running.cancel()
    await asyncio.wait([running])
    await db.close()


@asynccontextmanager
async def served(routing: Routing, settings: Settings) -> AsyncIterator[str]:
    """The app on a port that the system chose, for what a stream of bytes must look like."""
    app = build(settings, lambda: MONDAY)
    watch = QueueWatch(routing.db)
    app.state.edge = Edge(routing.db, lambda: MONDAY, routing.office, watch)
    server = uvicorn.Server(
        uvicorn.Config(
            app, port=0, lifespan="off", log_level="critical", timeout_graceful_shutdown=1
        )
    )
    tasks = [asyncio.create_task(server.serve()), asyncio.create_task(watch.run())]
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    tasks[1].cancel()
    await asyncio.wait(tasks, timeout=10)


async def read_events(lines: AsyncIterator[str], count: int) -> list[dict[str, str]]:
    events: list[dict[str, str]] = []
    event: dict[str, str] = {}
    async with asyncio.timeout(10):
        while len(events) < count:
            line = await anext(lines)
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif "event" in event:
                events.append(event)
                event = {}
    return events


async def test_over_http_it_goes_on_from_last_event_id(
    routing: Routing, database_url: str, tokens_file
):
    settings = Settings(database_url=database_url, kafka="none.invalid:1", tokens_file=tokens_file)
    standing, coming = registered(), registered()
    await routing.take_requests(standing)
    async with (
        served(routing, settings) as url,
        httpx.AsyncClient(base_url=url, headers={"authorization": "Bearer L001"}) as client,
    ):
        async with client.stream("GET", "/routing/queues/me/stream") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            first, current = await read_events(response.aiter_lines(), 2)
        assert (first["event"], current["event"], current["id"]) == ("offered", "current", "1")
        assert "id" not in first
        assert orjson.loads(first["data"])["matter_id"] == standing.subject
        await routing.take_requests(coming)
        await answer(routing, coming.subject, accepts=True)
        headers = {"last-event-id": current["id"]}
        async with client.stream("GET", "/routing/queues/L001/stream", headers=headers) as response:
            offered, ended = await read_events(response.aiter_lines(), 2)
        assert (offered["event"], offered["id"]) == ("offered", "2")
        assert (ended["event"], ended["id"]) == ("ended", "3")
        assert orjson.loads(ended["data"])["how"] == "accepted"
        for path, status in (
            ("/routing/queues/L002/stream", 403),
            ("/routing/queues/me/stream?since=x", 400),
        ):
            assert (await client.get(path)).status_code == status
