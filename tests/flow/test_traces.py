"""One trace goes from a request through the three services to the queue, and on with each step; nobody waits for it."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_hex

import pytest

from deploy.local.embedded.postgres import Postgres
from tests.conftest import fresh_database
from tests.flow.processes import Stack, write_tokens
from tests.flow.town import Town
from tests.support.collecting import Collector, Told, collecting
from tests.support.traced import PATH_TO_QUEUE

CONTACT = {"name": "沈阿乔", "phone": "13800138017"}
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
async def environment(
    postgres_server: Postgres,
    migrated_template: str,
    kafka: str,
    kafka_prefix: str,
    tmp_path: Path,
) -> AsyncIterator[dict[str, str]]:
    tokens = tmp_path / "tokens.json"
    write_tokens(tokens)
    async for url in fresh_database(postgres_server, migrated_template):
        yield {
            "LIAISON_DATABASE_URL": url,
            "LIAISON_KAFKA": kafka,
            "LIAISON_TOPIC_PREFIX": kafka_prefix,
            "LIAISON_TOKENS_FILE": str(tokens),
            # None but those that a caller began.
            "LIAISON_TRACE_SHARE": "0",
        }


def new_trace(flags: str = "01") -> str:
    return f"00-{token_hex(16)}-{token_hex(8)}-{flags}"


async def told(
    collector: Collector, given: str, wanted: set[tuple[str, str]]
) -> dict[tuple[str, str], Told]:
    """The spans of a trace by service and name, as soon as all that are wanted are there, and the parents of all.

    Each service tells its own when it likes: a child may be there before its parent.
    """

    async def look() -> dict[tuple[str, str], Told]:
        return {(span.service, span.name): span for span in collector.of(given[3:35])}

    def all_there(found: dict[tuple[str, str], Told]) -> dict[tuple[str, str], Told] | None:
        return found if wanted <= found.keys() and not orphans(collector, given) else None

    found: dict[tuple[str, str], Told] = await Town.until(look, all_there)
    return found


def orphans(collector: Collector, given: str) -> list[Told]:
    """The spans of a trace whose parent is neither among them nor the caller's."""
    spans = collector.of(given[3:35])
    ids = {span.id for span in spans} | {given[36:52]}
    return [span for span in spans if span.parent not in ids]


async def post(town: Town, traceparent: str, **changes: object) -> dict[str, str]:
    sent = town.submission(
        requester={
            "kind": "enterprise",
            "id": town.enterprise,
            "name": "云杉精密",
            "contact": CONTACT,
        },
        **changes,
    )
    answer = await town.call("system", "POST", "/intake/requests", sent, traceparent=traceparent)
    assert answer.status_code == 202
    taken: dict[str, str] = answer.json()
    return taken


ACCEPT = "POST /routing/offers/{offer_id}/accept"


async def test_one_trace_leads_from_the_request_to_the_queue_and_on_with_a_step(
    environment: dict[str, str], tmp_path: Path, kafka: str, kafka_prefix: str
) -> None:
    with collecting() as collector:
        stack = Stack(environment | {"LIAISON_OTLP_ENDPOINT": collector.endpoint}, tmp_path)
        try:
            await stack.start()
            async with Town(stack, kafka, kafka_prefix) as town:
                await town.settle_in()
                await look_at_both(town, collector)
        finally:
            stack.stop()
    assert_nobody_is_named(collector)


async def look_at_both(town: Town, collector: Collector) -> None:
    given, unsampled = new_trace(), new_trace("00")
    silent = await post(town, unsampled)
    await town.offered(silent["request_id"])
    taken = await post(town, given)
    matter = taken["request_id"]
    offer = await town.offered(matter)
    await look_at_the_way_to_the_queue(collector, given, matter)
    await look_at_steps(town, collector, matter, offer)
    await look_at_holder(town, collector, taken["status_url"])
    await look_at_messages(town, collector, matter)
    # What came after it on the same ways has been told by now.
    assert collector.of(unsampled[3:35]) == []


async def look_at_the_way_to_the_queue(collector: Collector, given: str, matter: str) -> None:
    """One tree, from the POST through three services."""
    found = await told(collector, given, PATH_TO_QUEUE)
    assert_one_tree(collector, given)
    begun = found["intake", "POST /intake/requests"]
    assert begun.parent == given[36:52]
    assert begun.kind == "server"
    for service, topic, after in (
        ("routing", "requests", ("intake", "send liaison.requests")),
        ("followup", "assignments", ("routing", "send liaison.assignments")),
    ):
        process = found[service, f"process liaison.{topic}"]
        assert process.parent == found[after].id
        assert process.kind == "consumer"
        assert process.said["liaison.matter_id"] == matter
    assert found["intake", "send liaison.requests"].parent == begun.id
    made = found["routing", "send liaison.assignments"]
    assert made.parent == found["routing", "process liaison.requests"].id
    assert made.said["cloudevents.event_type"] == "liaison.offer.made.v1"


async def look_at_steps(town: Town, collector: Collector, matter: str, offer: str) -> None:
    """Each step goes on with its caller's trace, up to who hears of it."""
    step = new_trace()
    path = f"/routing/offers/{offer}/accept"
    answer = await town.call("L001", "POST", path, {}, traceparent=step)
    assert answer.status_code == 200
    wanted = {
        ("routing", ACCEPT),
        ("routing", "send liaison.assignments"),
        ("followup", "process liaison.assignments"),
        ("followup", "send liaison.matters"),
        ("intake", "process liaison.matters"),
    }
    found = await told(collector, step, wanted)
    assert_one_tree(collector, step)
    accepted = found["routing", "send liaison.assignments"]
    assert accepted.parent == found["routing", ACCEPT].id
    assert accepted.said["cloudevents.event_type"] == "liaison.offer.accepted.v1"
    assert found["followup", "process liaison.assignments"].parent == accepted.id
    contact = new_trace()
    path = f"/followup/matters/{matter}/first-contact"
    answer = await town.call("L001", "POST", path, {"note": "已联系"}, traceparent=contact)
    assert answer.status_code == 200
    name = "POST /followup/matters/{matter_id}/first-contact"
    found = await told(
        collector, contact, {("followup", name), ("intake", "process liaison.matters")}
    )
    assert_one_tree(collector, contact)


async def look_at_holder(town: Town, collector: Collector, receipt: str) -> None:
    """A holder's step goes on with the caller's trace, and its path with the receipt in it is told to nobody."""
    added = new_trace()
    path, body = f"{receipt}/messages", {"message": "货车仍进不来"}
    answer = await town.call("nobody", "POST", path, body, traceparent=added)
    assert answer.status_code == 202
    name = "POST /intake/receipts/{receipt}/messages"
    wanted = {
        ("intake", name),
        ("intake", "send liaison.requests"),
        ("followup", "process liaison.requests"),
    }
    await told(collector, added, wanted)
    assert_one_tree(collector, added)
    everything = b"".join(collector.bodies)
    assert receipt.rpartition("/")[2].encode() not in everything


async def look_at_messages(town: Town, collector: Collector, matter: str) -> None:
    """What comes over Kafka goes on with its sender's trace, a command's step within the span of its record."""
    submitted = new_trace()
    await town.send_submission(town.submission(), traceparent=submitted)
    wanted = {("intake", "process liaison.submissions"), *PATH_TO_QUEUE} - {
        ("intake", "POST /intake/requests")
    }
    found = await told(collector, submitted, wanted)
    assert_one_tree(collector, submitted)
    assert found["intake", "process liaison.submissions"].parent == submitted[36:52]

    commanded = new_trace()
    await town.send_command("matter.feed_back", matter, {"text": "已派人"}, traceparent=commanded)
    found = await told(
        collector,
        commanded,
        {
            ("followup", "process liaison.commands"),
            ("followup", "send liaison.matters"),
            ("followup", "send liaison.replies"),
            ("intake", "process liaison.matters"),
        },
    )
    assert_one_tree(collector, commanded)
    processed = found["followup", "process liaison.commands"]
    assert found["followup", "send liaison.matters"].parent == processed.id
    assert found["followup", "send liaison.replies"].parent == processed.id


def assert_one_tree(collector: Collector, given: str) -> None:
    """Every span has its parent among the others, but the first, whose parent is the caller's."""
    spans = collector.of(given[3:35])
    assert orphans(collector, given) == []
    assert sum(span.parent == given[36:52] for span in spans) == 1
    assert len({span.id for span in spans}) == len(spans)


def assert_nobody_is_named(collector: Collector) -> None:
    everything = b"".join(collector.bodies).decode("utf-8", "replace")
    words = (*CONTACT.values(), "云杉精密", Town.enterprise, "积水", "货车", "已联系", "L001")
    assert [word for word in words if word in everything] == []
    assert "POST /intake/requests" in everything


async def test_with_nobody_to_collect_the_services_work_and_stop_as_ever(
    environment: dict[str, str], tmp_path: Path, kafka: str, kafka_prefix: str
) -> None:
    lost = {"LIAISON_OTLP_ENDPOINT": NOWHERE, "LIAISON_TRACE_SHARE": "1"}
    stack = Stack(environment | lost, tmp_path)
    try:
        await stack.start()
        async with Town(stack, kafka, kafka_prefix) as town:
            await town.settle_in()
            matters = await asyncio.gather(*(post(town, new_trace()) for _ in range(20)))
            for taken in matters:
                await town.offered(taken["request_id"])
        begun = time.monotonic()
        for process in stack.processes.values():
            process.stop()
        assert time.monotonic() - begun < 3 * 20
    finally:
        stack.stop()
    for process in stack.processes.values():
        # Said once, however much was lost.
        assert process.log.read_text().count("traces.lost") == 1
