"""Starts a program in its own session, and ends it within a time limit."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.common.trouble import Trouble
from deploy.local.embedded.environment import machine_environment

CHILD = Path(__file__).with_name("child.py")
GRACE_AFTER_KILL = 5.0
RUN_SECONDS = 120.0
POLL = 0.05


@dataclass(frozen=True, slots=True)
class RunAs:
    """User and group that a program runs as."""

    uid: int = -1
    gid: int = -1


@dataclass(frozen=True, slots=True)
class Program:
    """How to run a program. `ready` is polled and must answer within a few seconds.

    `stop_signal` is sent to end it, also by the system should the launcher die; after
    `stop_seconds` it is killed. A program with a `port` is not ready before it listens there
    itself. One that runs `once` is not started again after it has ended well. `env` is added to
    `machine_environment()`.
    """

    name: str
    command: Sequence[str]
    log: Path
    ready: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 20.0
    run_as: RunAs = RunAs()
    folder: Path | None = None
    port: int | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Process id with start time, so that a later process with the same id is not mistaken for it."""

    pid: int
    created: float


def start(program: Program) -> subprocess.Popen[bytes]:
    """Start `program` with its output appended to its log. Call it from the main thread: on Linux
    the child is told when the thread that started it ends."""
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with program.log.open("ab") as log:
        return subprocess.Popen(
            wrapped(program.command, program.stop_signal, program.run_as),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**machine_environment(), **program.env},
            cwd=program.folder,
        )


@contextmanager
def running(program: Program, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Run `program` during the block, which begins when it is ready, within `seconds`; no restarts."""
    with all_running([program], seconds) as [child]:
        yield child


@contextmanager
def all_running(
    programs: Sequence[Program], seconds: float
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run several programs during the block, which begins when all are ready; all start at once."""
    children: list[subprocess.Popen[bytes]] = []
    try:
        children.extend(start(program) for program in programs)
        for child, program in zip(children, programs, strict=True):
            wait_ready(child, program, seconds)
        yield children
    finally:
        for child, program in reversed(list(zip(children, programs, strict=False))):
            if who := identity(child.pid):
                end(who, program.stop_signal, program.stop_seconds)
            child.wait()


def wait_ready(child: subprocess.Popen[bytes], program: Program, seconds: float) -> None:
    """Wait until the child is ready. Raises Trouble when it ends first or takes longer than `seconds`."""
    until = time.monotonic() + seconds
    while not is_ready(child.pid, program):
        if child.poll() is not None:
            raise Trouble(
                "part.died", part=program.name, code=child.returncode, words=last_words(program.log)
            )
        if time.monotonic() > until:
            raise Trouble(
                "part.slow", part=program.name, seconds=seconds, words=last_words(program.log)
            )
        time.sleep(POLL)


def is_ready(pid: int, program: Program) -> bool:
    """Return whether the program is ready; for one with a port, whether this very process listens on it."""
    return (program.port is None or listens(pid, program.port)) and program.ready()


def listens(pid: int, port: int) -> bool:
    """Return whether the process itself listens on `port`."""
    try:
        sockets = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(s.status == psutil.CONN_LISTEN and s.laddr.port == port for s in sockets)


def last_words(log: Path, lines: int = 6) -> str:
    """Return the end of a log for a person to read, without the frames of tracebacks."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    said = [line for line in text.splitlines() if line.strip() and not is_frame(line)]
    return "\n".join(line[:400] for line in said[-lines:])


def is_frame(line: str) -> bool:
    return line[0].isspace() or line.startswith(("Traceback ", "^"))


def run_to_end(
    command: Sequence[str],
    trouble: str,
    *,
    run_as: RunAs = RunAs(),
    env: Mapping[str, str] | None = None,
    folder: Path = Path("/"),
) -> None:
    """Run a command in `folder` until it exits. Raises Trouble of that key with its last output if it fails."""
    try:
        subprocess.run(
            wrapped(command, signal.SIGTERM, run_as),
            check=True,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=RUN_SECONDS,
            env={**machine_environment(), **(env or {})},
            cwd=folder,
        )
    except subprocess.CalledProcessError as failure:
        words = (failure.stderr or failure.stdout).strip()[-800:]
        raise Trouble(trouble, words=words) from failure
    except subprocess.TimeoutExpired as failure:
        raise Trouble(trouble, words=f"> {RUN_SECONDS:.0f} s") from failure


def wrapped(
    command: Sequence[str], at_parents_death: signal.Signals, run_as: RunAs = RunAs()
) -> list[str]:
    """Return `command`, wrapped so that it ends with this process and runs as another user."""
    prefix = [sys.executable, "-I", "-S", str(CHILD), str(int(at_parents_death))]
    return [*prefix, str(run_as.uid), str(run_as.gid), str(os.getpid()), *command]


def identity(pid: int) -> Identity | None:
    """Return the identity of the process with this id; None when there is none, or only a zombie."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Identity(pid, process.create_time())
    except psutil.NoSuchProcess:
        return None


def command_line(pid: int) -> list[str]:
    """Return the command line of a process; empty when it has gone."""
    try:
        return list(psutil.Process(pid).cmdline())
    except psutil.Error:
        return []


def is_running(who: Identity) -> bool:
    """Return whether that very process runs. Start times may differ by fractions after a clock step."""
    now = identity(who.pid)
    return now is not None and abs(now.created - who.created) < 1.0


def end(who: Identity, number: signal.Signals, seconds: float) -> bool:
    """End a process with all that it started: `number` first, SIGKILL after `seconds`.

    Says whether it ended without being killed. Raises TimeoutError when even that did not help.
    """
    if not is_running(who):
        return True
    family = tree(who.pid)
    send(who.pid, number)
    gentle = gone_within(family, seconds)
    if not gentle:
        for member in (*family, *tree(who.pid)):
            if member.is_running():
                send(member.pid, signal.SIGKILL)
        if not gone_within(family, GRACE_AFTER_KILL):
            raise TimeoutError(f"process {who.pid} does not end")
    return gentle


def tree(pid: int) -> list[psutil.Process]:
    """Return the process and all its descendants."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process, if it still exists."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def gone_within(family: Sequence[psutil.Process], seconds: float) -> bool:
    """Wait until none of `family` runs, at most some seconds; zombies count as ended."""
    until = time.monotonic() + seconds
    while any(lives(member) for member in family):
        if time.monotonic() > until:
            return False
        time.sleep(POLL)
    return True


def lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
