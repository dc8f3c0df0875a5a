"""Whole stacks as an operator runs them: by the command line, on data folders of their own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

UP_SECONDS = 150
LIAISON = Path(sys.executable).with_name("liaison")


@dataclass(frozen=True)
class Done:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Stack:
    """A data folder and the commands on it, by default this user's."""

    folder: Path
    command: tuple[str, ...] = (str(LIAISON),)
    env: Mapping[str, str] | None = None
    uid: int | None = None

    def run(self, *arguments: str, seconds: int = UP_SECONDS) -> Done:
        surroundings = {**os.environ, "LIAISON_LANG": "en", **(self.env or {})}
        for name in ("LIAISON_DATABASE_URL", "LIAISON_KAFKA"):
            surroundings.pop(name, None)
        done = subprocess.run(
            [*self.command, *arguments, "--data", str(self.folder)],
            capture_output=True,
            text=True,
            timeout=seconds,
            env=surroundings,
            cwd=self.folder.parent,
            user=self.uid,
            group=self.uid,
            extra_groups=None if self.uid is None else [],
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def up(self, *arguments: str) -> dict[str, Any]:
        """Bring it up in the background; what endpoints.json says."""
        done = self.run("up", "--detach", *arguments)
        assert done.code == 0, done.out + done.err + self.logs()
        return self.endpoints()

    def endpoints(self) -> dict[str, Any]:
        return json.loads((self.folder / "endpoints.json").read_text())

    def down(self) -> Done:
        return self.run("down")

    def status(self) -> dict[str, Any]:
        return json.loads(self.run("status", "--json").out)

    def part(self, name: str) -> dict[str, Any]:
        return next(part for part in self.status()["parts"] if part["name"] == name)

    def launcher(self) -> int:
        return json.loads((self.folder / "run" / "running.json").read_text())["pid"]

    def logs(self) -> str:
        """The end of every log, for a test that failed."""
        logs = sorted((self.folder / "logs").glob("*.log"))
        return "".join(f"\n== {log.name}\n{log.read_text()[-1500:]}" for log in logs)

    def processes(self) -> list[str]:
        """Every process that has to do with this folder; a dead one does not count."""
        found = []
        for process in psutil.process_iter(["cmdline", "status", "environ"]):
            told = " ".join(process.info["cmdline"] or ())
            around = (process.info["environ"] or {}).get("LIAISON_TOKENS_FILE", "")
            if process.info["status"] == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                continue
            if str(self.folder) in told or str(self.folder) in around:
                found.append(f"{process.pid} {told}")
        return found


def until(true: Callable[[], bool], seconds: float) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
