"""Supervisor of child processes: restarts those that exit, with back-off, and stops all in order."""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.embedded.process import (
    Identity,
    Program,
    end,
    identity,
    is_ready,
    is_running,
    start,
    wait_ready,
)

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY_SECONDS = 60.0
LOG_BYTES = 10 * 1024 * 1024
LOGS_KEPT = 3
ONE_SHOT_STARTS = 3


@dataclass(slots=True)
class SupervisedProgram:
    """A program and its current process."""

    program: Program
    child: subprocess.Popen[bytes]
    who: Identity | None
    begun: float
    restarts: int = 0
    deaths_in_a_row: int = 0
    start_again_at: float | None = None

    @property
    def is_alive(self) -> bool:
        return self.child.poll() is None


@dataclass(frozen=True, slots=True)
class Died:
    """A part exited and restarts after `delay` seconds; None: it is given up."""

    name: str
    code: int
    delay: float | None


@dataclass(frozen=True, slots=True)
class Restarted:
    """A part was restarted after it had exited."""

    name: str
    restarts: int


Happening = Died | Restarted


@dataclass(slots=True)
class Supervisor:
    """The parts in start order. `changed` is called whenever a process starts or exits."""

    changed: Callable[[Sequence[SupervisedProgram]], None]
    parts: list[SupervisedProgram] = field(default_factory=list)

    def add(self, program: Program) -> SupervisedProgram:
        """Start a program and supervise it."""
        child = start(program)
        part = SupervisedProgram(program, child, identity(child.pid), time.monotonic())
        self.parts.append(part)
        self.changed(self.parts)
        return part

    def add_ready(self, program: Program, seconds: float) -> SupervisedProgram:
        """Start a program, wait until it is ready and supervise it. Raises Trouble when it fails; it is not
        added then.
        """
        part = self.add(program)
        try:
            wait_ready(part.child, program, seconds)
        except BaseException:
            self.drop(part)
            raise
        return part

    def tick(self) -> list[Happening]:
        """Check every part once, restart those that exited, and return what happened since the last call."""
        happened: list[Happening] = []
        for part in list(self.parts):
            if part.start_again_at is None:
                if not part.is_alive:
                    happened.append(self._bury(part))
            elif time.monotonic() >= part.start_again_at:
                happened.append(self._start_again(part))
        return happened

    def drop(self, part: SupervisedProgram) -> None:
        """Stop a part and remove it."""
        if part.who and is_running(part.who):
            end(part.who, part.program.stop_signal, part.program.stop_seconds)
        part.child.wait()
        self.parts.remove(part)
        self.changed(self.parts)

    def stop(self) -> None:
        """Stop all parts in reverse start order, each within its own time limit."""
        for part in reversed(list(self.parts)):
            self.drop(part)

    def rotate_logs(self) -> None:
        """Rotate each log that exceeds `LOG_BYTES` and delete old ones."""
        for log in {part.program.log for part in self.parts}:
            if log.exists() and log.stat().st_size > LOG_BYTES:
                rotate(log)

    def _bury(self, part: SupervisedProgram) -> Died:
        code = part.child.returncode
        if time.monotonic() - part.begun > STEADY_SECONDS:
            part.deaths_in_a_row = 0
        part.deaths_in_a_row += 1
        if part.program.once and (code == 0 or part.deaths_in_a_row >= ONE_SHOT_STARTS):
            self.parts.remove(part)
            self.changed(self.parts)
            return Died(part.program.name, code, None)
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (part.deaths_in_a_row - 1))
        part.start_again_at = time.monotonic() + delay
        return Died(part.program.name, code, delay)

    def _start_again(self, part: SupervisedProgram) -> Restarted:
        part.child = start(part.program)
        part.who = identity(part.child.pid)
        part.begun = time.monotonic()
        part.start_again_at = None
        part.restarts += 1
        self.changed(self.parts)
        return Restarted(part.program.name, part.restarts)


def part_is_ready(part: SupervisedProgram) -> bool:
    """Return whether the part's process runs and is ready."""
    return part.is_alive and is_ready(part.child.pid, part.program)


def rotate(log: Path) -> None:
    """Rotate a log by copying and truncating it, because the program keeps it open.

    It appends, so it goes on at the new end; only what it writes between the last read and the
    cut is lost.
    """
    for number in range(LOGS_KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    with log.open("r+b") as source, log.with_name(f"{log.name}.1").open("wb") as copy:
        while block := source.read(1 << 20):
            copy.write(block)
        source.truncate(0)
