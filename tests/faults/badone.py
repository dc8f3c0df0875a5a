"""One bad message in a batch of 500: how much later the others come, and how many dead letters it costs."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import asyncpg

from tests.faults.bulk import Bulk, registrations, send_all
from tests.faults.cluster import Cluster
from tests.faults.replicas import Replicas
from tests.faults.stand import Build, database_of, launch_of, make_database
from tests.faults.town import Town

NAME = "badone"
BATCH = 500
ROUNDS = 8
WARM_ROUNDS = 2
MOST_LATER_SECONDS = 1.0
POLL_SECONDS = 0.01
ROUND_SECONDS = 30.0
READERS = ("routing", "followup")
KINDS = ("good", "unreadable", "refused by its handler")

TAKEN = "select count(*) from {schema}.matter where id = any($1::uuid[])"
LETTERS = "select count(*) from {schema}.dead_letter where state = 'waiting'"


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the batches go, and the session in which what was taken in is counted."""

    cluster: Cluster
    town: Town
    conn: asyncpg.Connection


async def one_bad_of_many(cluster: Cluster, seed: int, say: Callable[[str], None]) -> bool:
    """Send batches of 500 with and without a bad one, in turns; says by how much the good ones came later."""
    await make_database(cluster, database_of(NAME))
    await cluster.make_topics(f"{NAME}.", 1)
    folder = cluster.folder / NAME
    folder.mkdir()
    conn = await asyncpg.connect(cluster.url(database_of(NAME)), timeout=10, command_timeout=60)
    bench = Bench(cluster, Town(f"{NAME}-{seed}"), conn)
    seconds: dict[tuple[str, str], list[float]] = {}
    try:
        async with Replicas(launch_of(cluster, folder, Build(), NAME), 1):
            for number, kind in itertools.product(range(WARM_ROUNDS + ROUNDS), KINDS):
                for reader, took in (await _round(bench, kind)).items():
                    if number >= WARM_ROUNDS:
                        seconds.setdefault((reader, kind), []).append(took)
            letters = [await conn.fetchval(LETTERS.format(schema=each)) for each in READERS]
    finally:
        await conn.close()
    return _told(seconds, letters, say)


async def _round(bench: Bench, kind: str) -> dict[str, float]:
    """Seconds from the acknowledgement by Kafka until each reader has the good ones."""
    batch = list(registrations(bench.town, BATCH))
    good = [each.key.decode() for each in batch]
    if kind != "good":
        middle = len(batch) // 2
        batch[middle] = _spoiled(batch[middle], kind)
        del good[middle]
    topic = f"{NAME}.liaison.requests"
    await send_all(bench.cluster.bootstrap, topic, [0], iter(batch))
    begun, found = time.monotonic(), dict[str, float]()
    async with asyncio.timeout(ROUND_SECONDS):
        while len(found) < len(READERS):
            for reader in READERS:
                if reader not in found and await _all_taken(bench, reader, good):
                    found[reader] = time.monotonic() - begun
            await asyncio.sleep(POLL_SECONDS)
    return found


def _spoiled(record: Bulk, kind: str) -> Bulk:
    if kind == "unreadable":
        return replace(record, value=b"{")
    # Valid JSON, a valid event, and no text that PostgreSQL can hold.
    return replace(record, value=record.value.replace(b'"summary": "', b'"summary": "\\u0000'))


async def _all_taken(bench: Bench, reader: str, good: Sequence[str]) -> bool:
    count: int = await bench.conn.fetchval(TAKEN.format(schema=reader), good)
    return count == len(good)


def _told(
    seconds: dict[tuple[str, str], list[float]], letters: Sequence[int], say: Callable[[str], None]
) -> bool:
    well = True
    for reader in READERS:
        usual = statistics.median(seconds[reader, "good"])
        for kind in KINDS[1:]:
            later = statistics.median(seconds[reader, kind]) - usual
            well = well and later < MOST_LATER_SECONDS
            say(
                f"{reader}: {BATCH - 1} others beside one {kind} came {later * 1000:+.0f} ms later "
                f"(of {usual * 1000:.0f} ms; medians of {ROUNDS})"
            )
    bad = (WARM_ROUNDS + ROUNDS) * (len(KINDS) - 1)
    say(f"{bad} bad messages: dead letters {', '.join(map(str, letters))} in {', '.join(READERS)}")
    return well and set(letters) == {bad}
