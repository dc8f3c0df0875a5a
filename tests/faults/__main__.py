"""`python -m tests.faults`: the whole fault programme, half an hour; prints a table, ends with 1 if anything is bad.

--seed N repeats a run's choices (not its timing); --only NAME… does these faults, broken builds or measures alone;
--minutes N is for how long faults are injected, each once at least; --keep leaves the logs behind.
"""

import argparse
import asyncio
import itertools
import logging
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import uvloop

from tests.faults.badone import one_bad_of_many
from tests.faults.behind import memory_stays_flat
from tests.faults.cluster import Cluster
from tests.faults.faults import LONG, SHORT, Fault, every_fault
from tests.faults.load import Rates
from tests.faults.programme import Say, Table, run, together, try_mutant
from tests.faults.stand import Build, Size, standing
from tests.faults.trials import trials

RATES = Rates(singles=30, batches=3, batch=120, kafka=150, walkers=12)
TRIAL = Size(
    Rates(singles=20, batches=1, batch=20, kafka=40, walkers=8),
    partitions=3,
    enterprises=30,
    liaisons=6,
    replicas=1,
)
# The load goes on while what was broken recovers.
AFTER_SECONDS = 3.0
ALL_THERE_IS = ("kafka: wiped and rewound", "postgres: backed up under load")
MEASURES: Mapping[str, Callable[[Cluster, int, Say], Awaitable[bool]]] = MappingProxyType(
    {"a million behind": memory_stays_flat, "one bad in 500": one_bad_of_many}
)


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


async def programme(options: argparse.Namespace, folder: Path) -> int:
    """Run what was asked for, all of it by default; the number of things that are bad."""
    known = every_fault(SHORT if options.short else LONG)
    table = Table(options.seed)
    bad: list[str] = []
    async with Cluster(folder) as cluster:
        assert cluster.volume is not None
        if not cluster.volume.mounted:
            say("no volume can be mounted here: no disk is filled")
            del known["postgres: disk full"]
        try:
            if rounds := plan(known, options):
                size = Size(RATES)
                async with standing(cluster, "main", size, Build(), options.seed) as stand:
                    await run(stand, rounds, table, say, AFTER_SECONDS)
            for trial in trials(known):
                if wanted(trial.mutant, options):
                    words = await try_mutant(cluster, trial, TRIAL, options.seed, say)
                    if bool(words) == trial.sound:
                        bad.append(trial.mutant)
            for name, measure in MEASURES.items():
                if wanted(name, options) and not await measure(cluster, options.seed, say):
                    bad.append(name)
        finally:
            say("\n".join(["", *table.words, "", *table.lines()]))
    say(f"broken builds that were not caught, and measures that were missed: {bad or 'none'}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"{table.injected} rounds; the checker needed {peak:.0f} MB")
    return table.bad + len(bad)


async def stoppable(options: argparse.Namespace, folder: Path) -> int:
    """The same; whoever stops it with SIGTERM wants the volume unmounted and the servers ended too."""
    work = asyncio.create_task(programme(options, folder))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    await asyncio.wait((work,))
    if work.cancelled():
        say("stopped before its end")
        return 1
    return work.result()


def wanted(name: str, options: argparse.Namespace) -> bool:
    return not options.only or name in options.only


def plan(known: Mapping[str, Fault], options: argparse.Namespace) -> Iterable[list[Fault]]:
    """Each fault by itself, in any order but with those early that move all there is; then several at once."""
    chance = random.Random(options.seed)  # noqa: S311 - reproducible
    if options.only:
        return [[known[name]] for name in options.only if name in known]
    singles = list(known.values())
    chance.shuffle(singles)
    # What is sent again, or copied, is everything until then.
    singles.sort(key=lambda fault: fault.name not in ALL_THERE_IS)
    until = time.monotonic() + options.minutes * 60
    return itertools.chain(
        ([fault] for fault in singles), mixes(singles[len(ALL_THERE_IS) :], chance, until)
    )


def mixes(known: Sequence[Fault], chance: random.Random, until: float) -> Iterator[list[Fault]]:
    """Several at once, other ones each time, while it is not later than `until`."""
    # A disk that is full ends what another fault waits for.
    mixed = [fault for fault in known if fault.name != "postgres: disk full"]
    while time.monotonic() < until:
        yield together(mixed, chance)


def names() -> list[str]:
    """Everything that can be asked for."""
    known = every_fault(LONG)
    return [*known, *(trial.mutant for trial in trials(known)), *MEASURES]


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What `python -m tests.faults` was asked for; exits with a message when it is nothing that it knows."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    parser.add_argument("--minutes", type=float, default=22.0)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names())
    parser.add_argument("--short", action="store_true", help="shorter spans")
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args(arguments)


def main() -> int:
    options = options_of()
    logging.disable(logging.CRITICAL)
    say(f"seed {options.seed}")
    folder = Path(tempfile.mkdtemp(prefix="liaison-faults-"))
    say(f"logs in {folder}")
    bad = 1
    try:
        bad = uvloop.run(stoppable(options, folder))
    finally:
        if not options.keep and not bad:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
