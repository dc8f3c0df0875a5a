"""The short form of the fault programme: the same code, a few faults and two broken builds, under three minutes."""

import os
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.cluster import Cluster
from tests.faults.faults import SHORT, every_fault
from tests.faults.load import Rates
from tests.faults.programme import Table, run, try_mutant
from tests.faults.stand import Build, Size, standing
from tests.faults.trials import trials

AFTER_SECONDS = 1.0
SIZE = Size(
    Rates(singles=20, batches=2, batch=20, kafka=40, walkers=6),
    partitions=3,
    enterprises=30,
    liaisons=6,
)
# Each against another promise; what takes longer is left to `make faults`.
FAULTS = (
    "followup: killed before the ack",
    "wire to postgres: answers lost",
    "copies of every tenth",
    "poison of every kind",
    "kafka: one broker killed",
)
MUTANTS = ("no_inbox", "relay_by_transaction")


@pytest.mark.timeout(600)
async def test_nothing_is_lost_doubled_or_stuck(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("LIAISON_FAULTS_SEED") or random.randrange(10**6))  # noqa: S311
    begun = time.monotonic()
    said = [f"seed {seed} (LIAISON_FAULTS_SEED repeats it)"]

    def say(words: str) -> None:
        said.append(f"{time.monotonic() - begun:5.0f} s  {words}")

    known = every_fault(SHORT)
    table = Table(seed)
    caught = {}
    async with Cluster(tmp_path) as cluster:
        say("the servers run")
        async with standing(cluster, "main", SIZE, Build(), seed) as stand:
            say("the services run")
            faults = [[known[name]] for name in FAULTS]
            await run(stand, faults, table, say, AFTER_SECONDS)
        for trial in trials(known):
            if trial.mutant in MUTANTS:
                size = replace(SIZE, replicas=1)
                found = await try_mutant(cluster, trial, size, seed, say)
                caught[trial.mutant] = bool(found)
    said += table.lines()
    with capsys.disabled():
        print("\n" + "\n".join(said))  # noqa: T201 - the table is what the run is for
    assert table.bad == 0, "\n".join(table.words)
    assert caught == dict.fromkeys(MUTANTS, True)
