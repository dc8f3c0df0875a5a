"""`docker` and `docker compose` as a person types them; each command has a limit, and a failure has its words."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
OVERRIDE = Path(__file__).parent / "override.yml"
COMMAND_SECONDS = 420.0


class Failed(RuntimeError):
    """A command ended badly; the text has the command and its last words."""


def run(
    command: Sequence[str],
    *,
    seconds: float = COMMAND_SECONDS,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> str:
    """What a command prints. Raises Failed when it ends badly or not in time."""
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds,
            env=env,
            cwd=ROOT,
            input=stdin,
        )
    except subprocess.TimeoutExpired as fault:
        raise Failed(f"{' '.join(command)}: not within {seconds:.0f} s\n{fault.stderr}") from None
    if done.returncode:
        words = (done.stdout + done.stderr)[-4000:]
        raise Failed(f"{' '.join(command)}: {done.returncode}\n{words}")
    return done.stdout


def has_image(name: str) -> bool:
    """Whether the engine has an image by this name."""
    return bool(run(["docker", "image", "ls", "--quiet", name]).strip())


@dataclass(frozen=True, slots=True)
class Stack:
    """One project of docker compose, on ports and secrets of its own."""

    project: str
    env: Mapping[str, str] = field(repr=False)

    def compose(
        self, *arguments: str, seconds: float = COMMAND_SECONDS, stdin: str | None = None
    ) -> str:
        """`docker compose …` on this project."""
        files = ["-f", "docker-compose.yml", "-f", str(OVERRIDE)]
        command = ["docker", "compose", "-p", self.project, *files, *arguments]
        return run(command, seconds=seconds, env=os.environ | dict(self.env), stdin=stdin)

    def liaison(self, *arguments: str) -> str:
        """`liaison …` in the stack's own tool container."""
        return self.compose("run", "--rm", "-T", "liaison", *arguments)

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers that run."""
        return self.compose("ps", "--quiet", service).split()

    def inspect(self, container: str) -> dict[str, Any]:
        """What the engine knows of a container."""
        found: list[dict[str, Any]] = json.loads(run(["docker", "inspect", container]))
        return found[0]

    def up(self, *arguments: str) -> None:
        """Bring everything up and wait until it is healthy."""
        self.compose("up", "--detach", "--wait", "--wait-timeout", "240", *arguments)

    def down(self, *arguments: str) -> None:
        """Everything away, whatever profile it is of."""
        self.compose("--profile", "*", "down", "--remove-orphans", "--timeout", "20", *arguments)
