"""A broken sender: its messages are set aside, nobody else waits for them, and the page's commands settle them."""

import asyncio
import json
import time
from typing import Final

from aiokafka import AIOKafkaProducer

from shared.contracts.topics import SUBMISSIONS
from tests.compose.engine import Failed
from tests.compose.ground import Site
from tests.compose.pages import type_block

BROKEN: Final = 300
SEEN_SECONDS: Final = 60.0
WRITTEN: Final = "0199c3a4-7a6e-7cc1-9d6f-3f0a7d3f2b11"


def poison(site: Site) -> str:
    """Raises Failed when the messages do not become letters, or one of them cannot be settled."""
    asyncio.run(_send(site))
    late = time.monotonic() + SEEN_SECONDS
    while len(letters := _letters(site)) < BROKEN:
        if time.monotonic() > late:
            raise Failed(f"{len(letters)} of {BROKEN} broken messages became letters")
        time.sleep(1)
    type_block(site, "kafka", 2, {WRITTEN: letters[0]})
    if left := _letters(site):
        raise Failed(f"{len(left)} letters are still there")
    return f"({BROKEN} broken messages, each set aside and settled)"


def _letters(site: Site) -> list[str]:
    found = json.loads(site.stack.liaison("dead-letters", "list", "--limit", "1000", "--json"))
    return [letter["id"] for letter in found]


async def _send(site: Site) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=site.kafka, acks="all")
    await producer.start()
    try:
        for number in range(BROKEN):
            await producer.send(SUBMISSIONS, b'{"broken": %d' % number)
        await producer.flush()
    finally:
        await producer.stop()
