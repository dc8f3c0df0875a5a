"""Three commits and three hops through Kafka, one after the other, at a steady rate: how long that takes bare.

Each station commits a row, sends a record on and reads it at the other end; nothing is checked, relayed or remembered.

python -m tests.bench.floor_hops --rate 100 --seconds 30     with LIAISON_DATABASE_URL, LIAISON_KAFKA, FLOOR_TOPICS
"""

import argparse
import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.bench.figures import percentiles

CREATE = "create table if not exists hop (station int not null, number int not null, body text)"
INSERT = "insert into hop (station, number, body) values ($1, $2, $3)"
BODY = "雨后积水约二十厘米,货车无法进出。" * 8
WARM_SECONDS = 3.0
DRAIN_SECONDS = 15.0


class Hops:
    """A chain of stations: `topics` has one for each."""

    def __init__(self, pool: asyncpg.Pool, producer: AIOKafkaProducer, topics: list[str]) -> None:
        self._pool = pool
        self._producer = producer
        self._topics = topics
        self.begun: dict[int, float] = {}
        self.ended: dict[int, float] = {}

    async def enter(self, station: int, number: int) -> None:
        """Commit and send at a station; beyond the last one it has arrived."""
        if station == len(self._topics):
            self.ended.setdefault(number, time.perf_counter())
            return
        async with self._pool.acquire() as conn:
            await conn.execute(INSERT, station, number, BODY)
        body = json.dumps({"number": number, "body": BODY}).encode()
        await self._producer.send_and_wait(self._topics[station], body, key=str(number).encode())

    async def follow(self, station: int, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            await self.enter(station + 1, json.loads(record.value)["number"])

    async def begin(self, number: int) -> None:
        self.begun[number] = time.perf_counter()
        await self.enter(0, number)


async def measure(rate: float, seconds: float) -> dict[str, Any]:
    """Send `rate` a second through for `seconds`."""
    kafka, topics = os.environ["LIAISON_KAFKA"], os.environ["FLOOR_TOPICS"].split(",")
    async with AsyncExitStack() as stack:
        pool = await asyncpg.create_pool(os.environ["LIAISON_DATABASE_URL"], min_size=8, max_size=8)
        await stack.enter_async_context(pool)
        await pool.execute(CREATE)
        producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True)
        await stack.enter_async_context(producer)
        hops = Hops(pool, producer, topics)
        following = []
        for station, topic in enumerate(topics):
            consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka)
            await stack.enter_async_context(consumer)
            # Where nothing was read yet it stands at the end: that has to be known before the first is sent.
            for partition in consumer.assignment():
                await consumer.position(partition)
            following.append(asyncio.create_task(hops.follow(station, consumer)))
        await _drive(hops, rate, WARM_SECONDS)
        hops.begun.clear()
        await _drive(hops, rate, seconds)
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    waits = [(hops.ended[n] - begun) * 1000 for n, begun in hops.begun.items() if n in hops.ended]
    return {"sent": len(hops.begun), "arrived": len(waits), "ms": percentiles(waits)}


async def _drive(hops: Hops, rate: float, seconds: float) -> None:
    begun, first = time.perf_counter(), len(hops.ended)
    going = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        going.append(asyncio.create_task(hops.begin(first + number)))
    await asyncio.gather(*going)
    until = time.perf_counter() + DRAIN_SECONDS
    while hops.begun.keys() - hops.ended.keys() and time.perf_counter() < until:
        await asyncio.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.floor_hops")
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    sys.stdout.write(json.dumps(uvloop.run(measure(options.rate, options.seconds))) + "\n")


if __name__ == "__main__":
    main()
