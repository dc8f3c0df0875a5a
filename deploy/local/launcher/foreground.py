"""Runs the stack in the terminal until Ctrl-C, or starts it in the background."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from deploy.common.screen import Screen
from deploy.common.trouble import Trouble
from deploy.local.embedded.environment import python_environment
from deploy.local.embedded.process import end, identity, last_words
from deploy.local.launcher.journal import Journal
from deploy.local.launcher.report import Failed, Ready, Report, decode, failed
from deploy.local.launcher.stack import Stopped, Wanted, run
from deploy.local.launcher.terminal import Terminal

GIVE_UP_SECONDS = 150.0
INTERRUPTED = 130


def stay(wanted: Wanted, console: Screen) -> int:
    """Run the stack until Ctrl-C or `liaison down`; return the exit code."""
    terminal, journal = Terminal(console), Journal(wanted.folder.log("launcher"))

    def publish(report: Report) -> None:
        terminal(report)
        journal(report)

    try:
        run(wanted, publish)
    except Trouble as trouble:
        terminal(failed(trouble))
        return 1
    except Stopped:
        terminal.close()
    return 0


def detach(wanted: Wanted, console: Screen) -> int:
    """Start a launcher in the background and print its reports until all is ready; return the exit code."""
    wanted.folder.make()
    reading, writing = os.pipe()
    log = wanted.folder.log("launcher")
    with log.open("ab") as output:
        child = subprocess.Popen(
            [*command(wanted), "--report-to", str(writing)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(writing,),
            start_new_session=True,
            env={**os.environ, **python_environment()},
        )
    os.close(writing)
    try:
        code = show(reading, Terminal(console), log)
        if code:
            # Whoever tries again at once finds nothing of it.
            with suppress(subprocess.TimeoutExpired):
                child.wait(GIVE_UP_SECONDS)
        return code
    except KeyboardInterrupt:
        if who := identity(child.pid):
            end(who, signal.SIGTERM, GIVE_UP_SECONDS)
        return INTERRUPTED


def command(wanted: Wanted) -> list[str]:
    """Return the command line of a launcher for `wanted`."""
    line = [sys.executable, "-P", "-m", "deploy.local.launcher", "--data", str(wanted.folder.root)]
    line += ["--demo"] if wanted.demo else []
    line += ["--isolated"] if wanted.isolated else []
    return line if wanted.port is None else [*line, "--port", str(wanted.port)]


def show(reading: int, terminal: Terminal, log: Path) -> int:
    """Print reports until the last one; return the exit code."""
    for report in reports(reading):
        terminal(report)
        match report:
            case Ready():
                return 0
            case Failed():
                return 1
            case _:
                continue
    terminal(failed(Trouble("launcher.died", log=log, words=last_words(log))))
    return 1


def reports(reading: int) -> Iterator[Report]:
    with open(reading, encoding="utf-8") as lines:
        for line in lines:
            yield decode(line)
