"""A consumer that is 1,000,000 messages behind: whether its memory stays flat while it catches up."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import psutil

from tests.faults.bulk import registrations, send_all, submissions
from tests.faults.cluster import SERVICES, Cluster
from tests.faults.replicas import Replicas
from tests.faults.stand import Build, database_of, launch_of, make_database
from tests.faults.town import Town

NAME = "behind"
BEHIND = 1_000_000
PARTITIONS = 12
SECONDS = 60.0
WARM_SECONDS = 15.0
SAMPLE_SECONDS = 0.5
# What an interpreter's heap moves up and down by itself; a million of the smallest records would be a gigabyte.
FLAT_MB = 24.0
MB = 1024 * 1024

# What each service takes in; what it has taken is counted in its own inbox.
READS = {
    "intake": "liaison.submissions",
    "routing": "liaison.requests",
    "followup": "liaison.requests",
}
TAKEN = "select count(*) from {schema}.inbox where topic = $1"


@dataclass(slots=True)
class Memory:
    """Samples of a process's memory: (seconds, MB)."""

    samples: list[tuple[float, float]] = field(default_factory=list)

    @property
    def steady(self) -> list[tuple[float, float]]:
        """Without the first 15 s, in which a process takes what it needs."""
        return [sample for sample in self.samples if sample[0] >= WARM_SECONDS]

    @property
    def slope(self) -> float:
        """MB a minute, by least squares."""
        times, sizes = zip(*self.steady, strict=True)
        middle, mean = sum(times) / len(times), sum(sizes) / len(sizes)
        spread = sum((at - middle) ** 2 for at in times)
        return 60 * sum((t - middle) * (s - mean) for t, s in self.steady) / spread

    @property
    def grown(self) -> float:
        """MB between the highest of the first third and the highest of the last."""
        sizes = [size for _, size in self.steady]
        third = max(1, len(sizes) // 3)
        return max(sizes[-third:]) - max(sizes[:third])


async def memory_stays_flat(cluster: Cluster, seed: int, say: Callable[[str], None]) -> bool:
    """Put a million records before each service, start them, and watch them for a minute; says what it saw."""
    town = Town(f"{NAME}-{seed}")
    await make_database(cluster, database_of(NAME))
    await cluster.make_topics(f"{NAME}.", PARTITIONS)
    begun = time.monotonic()
    places = range(PARTITIONS)
    for topic, records in (
        ("liaison.submissions", submissions(town, BEHIND)),
        ("liaison.requests", registrations(town, BEHIND)),
    ):
        await send_all(cluster.bootstrap, f"{NAME}.{topic}", places, records)
    say(f"{2 * BEHIND:,} records sent in {time.monotonic() - begun:.0f} s")
    folder = cluster.folder / NAME
    folder.mkdir()
    launch = launch_of(cluster, folder, Build(), NAME)
    async with Replicas(launch, 1) as replicas:
        memory = await _watched(replicas)
        taken = await _taken(cluster)
    return all([_told(name, memory[name], taken[name], say) for name in SERVICES])


async def _watched(replicas: Replicas) -> Mapping[str, Memory]:
    memory = {name: Memory() for name in SERVICES}
    processes = {each.service: _process(each.child) for each in replicas.all}
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < SECONDS:
        for name, process in processes.items():
            memory[name].samples.append((passed, process.memory_info().rss / MB))
        await asyncio.sleep(SAMPLE_SECONDS)
    return memory


def _process(child: object) -> psutil.Process:
    pid = getattr(child, "pid", None)
    assert pid is not None
    return psutil.Process(pid)


async def _taken(cluster: Cluster) -> Mapping[str, int]:
    conn = await asyncpg.connect(cluster.url(database_of(NAME)), timeout=10, command_timeout=60)
    try:
        return {
            name: await conn.fetchval(TAKEN.format(schema=name), READS[name]) for name in SERVICES
        }
    finally:
        await conn.close()


def _told(name: str, memory: Memory, taken: int, say: Callable[[str], None]) -> bool:
    sizes: Sequence[float] = [size for _, size in memory.steady]
    flat = memory.grown < FLAT_MB and taken > 0
    say(
        f"{name}, {BEHIND:,} behind: took {taken:,}, {min(sizes):.0f}-{max(sizes):.0f} MB, "
        f"{memory.slope:+.1f} MB a minute, {memory.grown:+.1f} MB from first to last third"
        f"{'' if flat else ': NOT FLAT'}"
    )
    return flat
