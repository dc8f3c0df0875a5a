"""What a stand-in is made from: its folder here, or a Go program that is built on this machine and kept."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from deploy.local.embedded.jars import cache_folder
from tests.compose.engine import run

BUILD_SECONDS: Final = 1800.0
PROGRAM: Final = "program"


def built(sources: Path) -> Path | None:
    """The folder that an image of `sources` is made from; None where it is a Go program and there is no `go`.

    A program is built once for each list of what it is built of, outside the project.
    """
    module = sources / "go.mod"
    if not module.exists():
        return sources
    if shutil.which("go") is None:
        return None
    made_of = module.read_bytes() + (sources / "go.sum").read_bytes()
    place = cache_folder() / f"{sources.name}-{hashlib.sha256(made_of).hexdigest()[:16]}"
    if not (place / PROGRAM).exists():
        place.mkdir(parents=True, exist_ok=True)
        fresh = place / f"{PROGRAM}.{os.getpid()}"
        # Without C, so that it runs in whatever image it is put.
        env = os.environ | {"CGO_ENABLED": "0"}
        options = ["-trimpath", "-mod=readonly", "-ldflags=-s -w", "-o", str(fresh)]
        command = ["go", "build", "-C", str(sources), *options, tool(module)]
        run(command, seconds=BUILD_SECONDS, env=env)
        fresh.rename(place / PROGRAM)
    return place


def tool(module: Path) -> str:
    """The package of the one tool that a go.mod names."""
    lines = module.read_text("utf-8").splitlines()
    (found,) = [line.removeprefix("tool ") for line in lines if line.startswith("tool ")]
    return found
