"""The way in as Kafka drives it: two topics in any order, each event once, a bad one alone."""

import random

import orjson
import pytest

from services.followup.consumers import applies
from shared.contracts.events.published import EVENTS
from shared.delivery.cloudevents import Message, Raw
from shared.delivery.inbox.consumer import Inbound
from shared.runtime.database import Database
from tests.integration.followup.conftest import Followup
from tests.integration.followup.samples import (
    OFFICE,
    accepted,
    amended,
    new_matter,
    offered,
    registered,
)


def raw_of(message: Message, sequence: int) -> Raw:
    """The record that the relay would have sent."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(message.id),
        "ce_source": message.source,
        "ce_type": message.event.wire_type(),
        "ce_time": message.time.isoformat(),
        "ce_subject": message.subject,
        "ce_sequence": str(sequence),
    }
    return Raw(
        message.event.TOPIC,
        0,
        message.raw.offset,
        message.subject.encode(),
        message.event.model_dump_json().encode(),
        tuple((name, value.encode()) for name, value in headers.items()),
    )


@pytest.fixture
def inbound(db: Database, followup: Followup) -> Inbound:
    return Inbound(db, "followup", applies(OFFICE, followup.clock, followup.news), EVENTS)


def life_of(matter_id: str) -> tuple[list[Raw], list[Raw]]:
    """A matter's records on each topic, in their order."""
    requests = [raw_of(registered(matter_id), 1), raw_of(amended(matter_id), 2)]
    assignments = [raw_of(offered(matter_id), 1), raw_of(accepted(matter_id), 2)]
    return requests, assignments


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_the_order_of_the_topics_the_matter_is_the_same(
    followup: Followup, inbound: Inbound, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seed, no secret
    matters = [new_matter() for _ in range(8)]
    lanes = [list(lane) for each in matters for lane in life_of(each)]
    order: list[Raw] = []
    while lanes:
        lane = chance.choice(lanes)
        order.append(lane.pop(0))
        lanes = [each for each in lanes if each]
    again = chance.sample(order, 6)
    for batch in _batches(order + again, 5):
        await inbound.process(batch)
    for matter_id in matters:
        matter = await followup.matter(matter_id)
        assert (matter["state"], matter["owner_id"], matter["version"]) == (
            "in_progress", "L001", 4,
        )  # fmt: skip
        assert sorted(await followup.said(matter_id)) == ["amended", "offered", "opened", "taken"]
    assert await followup.rows("select 1 from dead_letter where state = 'waiting'") == []


def _batches(items: list[Raw], size: int) -> list[list[Raw]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


async def test_one_record_that_cannot_be_applied_costs_one_letter(
    followup: Followup, inbound: Inbound
) -> None:
    good = [new_matter() for _ in range(20)]
    bad = registered("not-a-uuid")
    records = [raw_of(registered(each), 1) for each in good]
    await inbound.process([*records[:10], raw_of(bad, 1), *records[10:]])
    assert await followup.rows("select state from matter") == [{"state": "received"}] * 20
    (letter,) = await followup.rows("select fate, subject from dead_letter")
    assert letter == {"fate": "failed", "subject": "not-a-uuid"}


async def test_an_event_that_speaks_of_another_matter_is_set_aside(
    followup: Followup, inbound: Inbound
) -> None:
    one, other = new_matter(), new_matter()
    message = registered(one)
    record = raw_of(message, 1)
    data = orjson.loads(record.value or b"")
    forged = Raw(
        record.topic, 0, record.offset, record.key, orjson.dumps(data | {"matter_id": other}),
        record.headers,
    )  # fmt: skip
    await inbound.process([forged])
    assert await followup.rows("select 1 from matter") == []
    assert await followup.rows("select fate from dead_letter") == [{"fate": "failed"}]
