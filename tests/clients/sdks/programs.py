"""CloudEvents' own SDKs, one program a language: builds each where nothing is built yet, and runs it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.local.embedded.jars import cache_folder, held

HERE: Final = Path(__file__).parent
BUILD_SECONDS: Final = 900
RUN_SECONDS: Final = 120
UV: Final = Path(sys.executable).with_name("uv")


class Lacking(Exception):
    """What is not on this machine, or could not be fetched or built, by name."""


@dataclass(frozen=True, slots=True)
class Message:
    """What an SDK would send of one event: `form` is how the program gave it the data, `object` or `bytes`."""

    event: int
    protocol: str
    mode: str
    form: str
    headers: tuple[tuple[str, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Program:
    """The program of one language: the tools that it needs, the steps that build it, and how it is run."""

    language: str
    sdk: str
    tools: Sequence[str]
    build: Sequence[Sequence[str]]
    run: Sequence[str]

    def messages(self, events: Sequence[Mapping[str, Any]]) -> list[Message]:
        """Everything that the SDK makes of the events. Raises Lacking where it cannot be built."""
        folder = self._built()
        done = subprocess.run(
            self.run,
            cwd=folder,
            env=_environment(),
            input=json.dumps(events),
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{self.sdk} made no messages: {done.stderr[-4000:]}")
        return [_message(json.loads(line)) for line in done.stdout.splitlines()]

    def _built(self) -> Path:
        """Where it is built, in the cache: anew when its sources or its lock have changed."""
        for tool in self.tools:
            if shutil.which(tool) is None:
                raise Lacking(f"{self.sdk} needs {tool}, which is not on this machine")
        sources = sorted(path for path in (HERE / self.language).rglob("*") if path.is_file())
        digest = hashlib.sha256()
        for path in sources:
            digest.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes())
        folder = cache_folder() / "clients" / "sdks" / f"{self.language}-{digest.hexdigest()[:16]}"
        folder.parent.mkdir(parents=True, exist_ok=True)
        with held(folder.with_suffix(".lock")):
            if not (folder / ".built").is_file():
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(HERE / self.language, folder)
                for step in self.build:
                    self._step(step, folder)
                (folder / ".built").touch()
        return folder

    def _step(self, step: Sequence[str], folder: Path) -> None:
        done = subprocess.run(
            step,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        if done.returncode:
            said = (done.stdout + done.stderr)[-3000:]
            raise Lacking(f"{self.sdk} could not be fetched or built by {' '.join(step)}: {said}")


def _environment() -> dict[str, str]:
    # The project's own virtual environment is none of theirs, and a warning on standard output is no message.
    left_out = ("VIRTUAL_ENV", "PYTHONPATH", "JAVA_TOOL_OPTIONS", "GOFLAGS")
    return {name: value for name, value in os.environ.items() if name not in left_out} | {
        "PYTHONWARNINGS": "ignore",
        "GOTOOLCHAIN": "local",
    }


def _message(found: Mapping[str, Any]) -> Message:
    headers = tuple((name, b64decode(value)) for name, value in found["headers"])
    body = b64decode(found["body"])
    return Message(found["event"], found["protocol"], found["mode"], found["form"], headers, body)


PROGRAMS: Final = {
    program.language: program
    for program in (
        Program(
            "python",
            "cloudevents 2.2.0 (Python)",
            (),
            (
                (str(UV), "venv", "--quiet", "--python", sys.executable, "venv"),
                (str(UV), "pip", "install", "--quiet", "--require-hashes", "--python",
                 "venv/bin/python", "-r", "requirements.txt"),
            ),
            ("venv/bin/python", "messages.py"),
        ),
        Program(
            "javascript",
            "cloudevents 10.0.0 (JavaScript)",
            ("node", "npm"),
            (("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"),),
            ("node", "messages.mjs"),
        ),
        Program(
            "java",
            "io.cloudevents 4.0.1 (Java)",
            ("java", "mvn"),
            (
                ("mvn", "-q", "-B", "compile", "dependency:copy-dependencies",
                 "-DoutputDirectory=target/jars"),
            ),
            ("java", "-cp", "target/classes:target/jars/*", "liaison.Messages"),
        ),
        Program(
            "go",
            "sdk-go 2.16.2 (Go)",
            ("go",),
            (("go", "build", "-mod=readonly", "-buildvcs=false", "-o", "messages", "."),),
            ("./messages",),
        ),
    )
}  # fmt: skip
