"""The programme: faults one by one and together, each followed by a full check; the outcome as a table."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.faults.checker import Finding
from tests.faults.cluster import Cluster
from tests.faults.faults import Fault
from tests.faults.mutants import MUTANTS
from tests.faults.stand import Build, Size, Stand, standing

BEFORE_SECONDS = 1.5
AFTER_SECONDS = 1.0
CURRENT_SECONDS = 120.0
MUTANT_CURRENT_SECONDS = 15.0
FAULT_SECONDS = 300.0
READY_SECONDS = 60.0
MOST_TOGETHER = 3

Say = Callable[[str], None]


@dataclass(slots=True)
class Row:
    """A line of the table: a fault, or several together, and what was found after it."""

    name: str
    times: int = 0
    acked: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    stuck: int = 0
    seconds: float = 0.0

    def add(self, finding: Finding, acked: int) -> None:
        self.times += 1
        self.acked += acked
        self.lost += finding.lost.total()
        self.doubled += finding.doubled.total()
        self.disordered += finding.disordered.total()
        self.stuck += finding.stuck.total()
        self.seconds = max(self.seconds, finding.seconds or 0.0)


HEAD = "fault", "times", "acked", "lost", "doubled", "order", "stuck", "current"


@dataclass(slots=True)
class Table:
    """The rows of a run by name, and everything that was wrong in words."""

    seed: int
    rows: dict[str, Row] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def add(self, name: str, finding: Finding, acked: int) -> None:
        self.rows.setdefault(name, Row(name)).add(finding, acked)
        self.words += [f"{name}: {line}" for line in finding.words()]

    @property
    def injected(self) -> int:
        return sum(row.times for row in self.rows.values())

    @property
    def bad(self) -> int:
        return sum(r.lost + r.doubled + r.disordered + r.stuck for r in self.rows.values())

    def lines(self) -> list[str]:
        """The table for a person; `current` is the longest time to be current again, in seconds."""
        width = max(len(name) for name in (*self.rows, "fault"))
        form = f"{{:<{width}}} {{:>6}} {{:>8}} {{:>6}} {{:>8}} {{:>6}} {{:>6}} {{:>8}}"
        total = Row("all")
        lines = [form.format(*HEAD)]
        for row in self.rows.values():
            lines.append(_line(form, row))
            total.times += row.times
            total.acked += row.acked
            total.lost += row.lost
            total.doubled += row.doubled
            total.disordered += row.disordered
            total.stuck += row.stuck
            total.seconds = max(total.seconds, row.seconds)
        return [*lines, _line(form, total), f"seed {self.seed}"]


def _line(form: str, row: Row) -> str:
    return form.format(
        row.name, row.times, row.acked, row.lost, row.doubled, row.disordered, row.stuck,
        f"{row.seconds:.1f}",
    )  # fmt: skip


async def inject(
    stand: Stand,
    faults: Sequence[Fault],
    *,
    after: float = AFTER_SECONDS,
    limit: float = CURRENT_SECONDS,
) -> tuple[Finding, int]:
    """Load, the faults at once, load, rest, and a check; what was found, and how many were acknowledged meanwhile."""
    acked = len(stand.load.journal.acked)
    stand.load.gate.go()
    await asyncio.sleep(BEFORE_SECONDS)
    async with asyncio.timeout(FAULT_SECONDS):
        await asyncio.gather(*(fault.inject(stand) for fault in faults))
    ended = time.monotonic()
    await asyncio.sleep(after)
    answered = await _came(stand.load.gate.rest())
    seconds = await stand.checker.until_current(ended, limit)
    unready = await stand.replicas.unready(within=READY_SECONDS)
    finding = await stand.checker.check()
    finding.seconds = seconds
    finding.stuck["calls that nobody answered"] = int(not answered)
    finding.stuck["not current in time"] = int(seconds is None)
    finding.stuck.update(f"not ready again, {words}" for words in unready)
    if stand.load.faults:
        raise stand.load.faults[0]
    return finding, len(stand.load.journal.acked) - acked


async def _came(awaited: Awaitable[None]) -> bool:
    """Whether it came within the time that it gives itself."""
    try:
        await awaited
    except TimeoutError:
        return False
    return True


async def run(
    stand: Stand, rounds: Iterable[Sequence[Fault]], table: Table, say: Say, after: float
) -> None:
    """Inject each round's faults, with `after` seconds of load behind them, then check the whole run once more."""
    for together in rounds:
        begun = time.monotonic()
        finding, acked = await inject(stand, together, after=after)
        name = " + ".join(fault.name for fault in together)
        table.add(name if len(together) == 1 else "several at once", finding, acked)
        took, current = time.monotonic() - begun, finding.seconds or 0.0
        say(f"{took:6.1f} s  {current:5.1f} s to current  {acked:6d} acked  {name}")
        for line in finding.words():
            say(f"          {line}")
    finding = await stand.checker.check(whole=True)
    table.add("the whole run", finding, 0)
    for line in finding.words():
        say(f"          {line}")


def together(faults: Sequence[Fault], chance: random.Random) -> list[Fault]:
    """A few faults that can be at work at once: of different groups."""
    groups = sorted({fault.group for fault in faults})
    count = chance.randint(2, MOST_TOGETHER)
    return [
        chance.choice([fault for fault in faults if fault.group == group])
        for group in chance.sample(groups, count)
    ]


@dataclass(frozen=True, slots=True)
class Trial:
    """A broken build (`hasty` is sound) and the faults under which its mistake must show."""

    mutant: str
    faults: Sequence[Fault]
    sound: bool = False


async def try_mutant(cluster: Cluster, trial: Trial, size: Size, seed: int, say: Say) -> list[str]:
    """Run a broken build through its faults; what the checker says of it: nothing is bad news."""
    name = f"m-{trial.mutant.replace('_', '-')}"
    launcher = ("-m",)
    if trial.mutant in MUTANTS:
        launcher = ("-m", "tests.faults.launcher", trial.mutant)
    build = Build(trial.mutant, launcher)
    async with standing(cluster, name, size, build, seed) as stand:
        words: list[str] = []
        for fault in trial.faults:
            limit = CURRENT_SECONDS if trial.sound else MUTANT_CURRENT_SECONDS
            finding, _ = await inject(stand, [fault], limit=limit)
            words += finding.words()
            if words:
                break
    say(f"{trial.mutant}: {'; '.join(words[:3]) or 'nothing was found'}")
    return words
