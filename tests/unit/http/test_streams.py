"""Limits of event streams, and the one who reads being asked again and again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, suppress

import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from psutil import CONN_LISTEN, Process
from sse_starlette import ServerSentEvent
from sse_starlette.sse import AppStatus

from shared.auth.tokens import Principal
from shared.contracts.vocabulary import Role
from shared.http.problems import install
from shared.http.server.connections import most_connections
from shared.http.streams.guard import (
    ADDRESS_STREAMS,
    MOST_STREAMS,
    PARTY_STREAMS,
    RESERVED_FILES,
    GuardedStream,
    Holder,
    OpenStreams,
    most_streams,
)
from shared.runtime.errors import Problem
from tests.support.streaming import reading, served
from tests.unit.http.serving import built

pytestmark = pytest.mark.thorough
"""Connections in real time."""

PARTY = Holder.of(Principal(Role.DEPARTMENT, "D-1"), "10.0.0.1")


@given(files=st.integers(-1, 2_000_000), each=st.integers(1, 3))
def test_streams_never_take_the_files_of_ordinary_calls(files: int, each: int):
    most = most_streams(files, each)
    assert 4 <= most <= MOST_STREAMS
    if files >= 2 * RESERVED_FILES:
        assert most * each <= files - RESERVED_FILES
    if (connections := most_connections(files, each)) is not None and files >= 1024:
        assert most < connections
        assert connections * each < files


def test_case_28_1_100_streams_of_one_token_leave_room_for_others():
    streams = OpenStreams(most_streams(1024))
    with ExitStack() as open_:
        for _ in range(PARTY_STREAMS):
            open_.enter_context(streams.hold("routing", PARTY))
        for _ in range(1100 - PARTY_STREAMS):
            with pytest.raises(Problem) as caught, streams.hold("routing", PARTY):
                pass
            problem = caught.value
            assert (problem.status, problem.code) == (429, "too_many_streams")
            assert int(problem.headers["retry-after"]) > 0
            assert problem.headers["connection"] == "close"
        assert streams.count == PARTY_STREAMS
        with streams.hold("routing", Holder.of(Principal(Role.LIAISON, "L001"), "10.0.0.1")):
            pass
    assert streams.count == 0


def test_case_93_one_stranger_holds_few_of_the_live_streams():
    streams = OpenStreams(most_streams(1024))
    stranger, other = Holder.of(None, "192.0.2.1"), Holder.of(None, "192.0.2.2")
    with ExitStack() as open_:
        for _ in range(ADDRESS_STREAMS):
            open_.enter_context(streams.hold("followup", stranger))
        with pytest.raises(Problem) as caught, streams.hold("followup", stranger):
            pass
        assert caught.value.status == 429
        open_.enter_context(streams.hold("followup", other))


@given(
    most=st.integers(4, 40),
    steps=st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=200),
)
def test_counts_are_those_of_what_is_open(most: int, steps: list[tuple[int, bool]]):
    streams = OpenStreams(most)
    holders = [Holder.of(None, str(number)) for number in range(4)]
    open_: list[ExitStack] = []
    for number, opens in steps:
        if not opens and open_:
            open_.pop(number % len(open_)).close()
            continue
        stack = ExitStack()
        with suppress(Problem):
            stack.enter_context(streams.hold("test", [*holders, None][number]))
            open_.append(stack)
        assert streams.count == len(open_) <= most
    for stack in open_:
        stack.close()
    assert streams.count == 0
    assert not streams._held


def app_of(
    events: Callable[[], AsyncIterator[ServerSentEvent]],
    may_read: Callable[[], Awaitable[bool]],
    most: int = 100,
    send_seconds: float = 5.0,
) -> FastAPI:
    app = FastAPI()
    install(app)
    app.state.streams, app.state.service = OpenStreams(most), "test"

    @app.get("/stream")
    async def stream(request: Request) -> GuardedStream:
        return GuardedStream(
            events(), request, PARTY, may_read, heartbeat_seconds=0.2, send_seconds=send_seconds
        )

    return app


async def test_a_right_that_ends_ends_the_stream_within_a_heartbeat_and_nothing_comes_after():
    news, closed = asyncio.Event(), asyncio.Event()
    allowed = True

    async def events() -> AsyncIterator[ServerSentEvent]:
        try:
            yield ServerSentEvent("first")
            await news.wait()
            yield ServerSentEvent("secret")
        finally:
            closed.set()

    async def may_read() -> bool:
        return allowed

    for at_once in (False, True):
        news.clear()
        closed.clear()
        allowed = True
        async with (
            served(app_of(events, may_read)) as address,
            reading(address, "/stream", {}) as reader,
        ):
            assert b"retry: 3000" in await reader.until(b"first")
            await reader.until(b": heartbeat")
            allowed = False
            if at_once:
                news.set()
            assert b"secret" not in await reader.rest(2)
            await asyncio.wait_for(closed.wait(), 2)


async def test_a_stream_too_many_is_a_problem_and_its_connection_is_closed():
    async def events() -> AsyncIterator[ServerSentEvent]:
        await asyncio.sleep(60)
        yield ServerSentEvent("late")

    async def may_read() -> bool:
        return True

    app = app_of(events, may_read, most=4)
    async with served(app) as address:
        async with AsyncExitStack() as open_:
            for _ in range(2):
                reader = await open_.enter_async_context(reading(address, "/stream", {}))
                await reader.until(b"text/event-stream")
            async with reading(address, "/stream", {"accept-language": "en"}) as third:
                answer = await third.rest(5)
        assert answer.startswith(b"HTTP/1.1 429")
        assert b"connection: close" in answer
        assert b"retry-after: 60" in answer
        assert b"urn:liaison:problem:too_many_streams" in answer
        async with asyncio.timeout(5):
            while app.state.streams.count:
                await asyncio.sleep(0.02)


async def test_a_reader_that_takes_nothing_is_cut_and_its_file_is_given_back():
    made = 0

    async def events() -> AsyncIterator[ServerSentEvent]:
        nonlocal made
        while True:
            made += 1
            yield ServerSentEvent("x" * 100_000)

    async def may_read() -> bool:
        return True

    app = app_of(events, may_read, send_seconds=0.5)
    async with served(app) as address:
        async with reading(address, "/stream", {}, window=4096) as slow:
            async with asyncio.timeout(10):
                while not app.state.streams.count:
                    await asyncio.sleep(0.02)
                while app.state.streams.count:
                    await asyncio.sleep(0.05)
            # The file is given back at once, whatever the reader does with what the kernel still holds for it.
            held = [each for each in Process().net_connections() if each.laddr.port == address[1]]
            assert [each.status for each in held] == [CONN_LISTEN]
            assert slow.seen == b""
        assert made < 300


async def test_streams_end_when_the_server_does():
    ended = asyncio.Event()

    async def events() -> AsyncIterator[ServerSentEvent]:
        try:
            await asyncio.sleep(60)
            yield ServerSentEvent("late")
        finally:
            ended.set()

    async def may_read() -> bool:
        return True

    async with (
        served(app_of(events, may_read)) as address,
        reading(address, "/stream", {}) as reader,
    ):
        await reader.until(b"text/event-stream")
        AppStatus.should_exit = True
        try:
            await asyncio.wait_for(ended.wait(), 5)
        finally:
            AppStatus.should_exit = False


def test_the_figures_of_streams_are_there_before_the_first_stream():
    built()
    for name, labels in (
        ("liaison_streams_open", {}),
        ("liaison_streams_refused_total", {"reason": "process"}),
        ("liaison_streams_ended_total", {"reason": "right_lost"}),
    ):
        found = REGISTRY.get_sample_value(name, {"service": "routing", **labels})
        assert found is not None, name
