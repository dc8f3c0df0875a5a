"""`python -m tests.faults`: the whole fault programme, half an hour; prints a table, ends with 1 if anything is bad.

--seed N repeats a run's choices (not its timing); --only NAME… injects these alone; --keep leaves the logs behind.
"""

import argparse
import logging
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from tests.faults.cluster import Cluster
from tests.faults.faults import LONG, SHORT, Fault, every_fault
from tests.faults.load import Rates
from tests.faults.programme import Table, run, together, try_mutant
from tests.faults.stand import Build, Size, standing
from tests.faults.trials import trials

RATES = Rates(singles=40, batches=4, batch=40, kafka=100, walkers=12)
TRIAL_RATES = Rates(singles=20, batches=1, batch=20, kafka=40, walkers=8)
TOGETHER = 400


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


async def programme(options: argparse.Namespace, folder: Path) -> int:
    """Run everything; the number of things that are bad."""
    chance = random.Random(options.seed)  # noqa: S311 - reproducible
    known = every_fault(SHORT if options.short else LONG)
    table = Table(options.seed)
    missed: list[str] = []
    async with Cluster(folder) as cluster:
        assert cluster.volume is not None
        if not cluster.volume.mounted:
            say("no volume can be mounted here: no disk is filled")
            del known["postgres: disk full"]
        try:
            if not options.only_mutants:
                async with standing(cluster, "main", Size(RATES), Build(), options.seed) as stand:
                    until = time.monotonic() + options.minutes * 60
                    await run(stand, plan(known, options, chance), table, say, until)
            if not options.only:
                for trial in trials(known):
                    words = await try_mutant(cluster, trial, TRIAL_RATES, options.seed, say)
                    if bool(words) == trial.sound:
                        missed.append(trial.mutant)
        finally:
            say("\n".join(["", *table.words, "", *table.lines()]))
    say(f"broken builds that were not caught: {', '.join(missed) or 'none'}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"{table.injected} rounds; the checker needed {peak:.0f} MB")
    return table.bad + len(missed)


def plan(
    known: dict[str, Fault], options: argparse.Namespace, chance: random.Random
) -> list[list[Fault]]:
    """Each fault by itself, in any order but with the wiping of Kafka early; then several at once."""
    if options.only:
        return [[known[name]] for name in options.only]
    singles = list(known.values())
    chance.shuffle(singles)
    # What is sent again after it is everything until then.
    singles.sort(key=lambda fault: fault.name != "kafka: wiped and rewound")
    mixed = [
        fault
        for fault in known.values()
        if fault.name not in ("kafka: wiped and rewound", "postgres: disk full")
    ]
    return [[fault] for fault in singles] + [together(mixed, chance) for _ in range(TOGETHER)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    parser.add_argument("--minutes", type=float, default=22.0)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--only-mutants", action="store_true")
    parser.add_argument("--short", action="store_true", help="shorter spans")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    say(f"seed {options.seed}")
    # Whoever stops it with SIGTERM wants the volume unmounted and the servers ended too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="liaison-faults-"))
    say(f"logs in {folder}")
    bad = 1
    try:
        bad = uvloop.run(programme(options, folder))
    finally:
        if not options.keep and not bad:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
