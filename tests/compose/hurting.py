"""What can happen to a container: its process dies, it stops in its tracks, it is started anew, its network goes."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from tests.compose.engine import Failed, Stack, run

PAUSE_SECONDS: Final = 8.0
CUT_SECONDS: Final = 8.0
BACK_SECONDS: Final = 120.0
HURT: Final = ("intake", "routing", "followup", "desk", "postgres", "kafka", "gateway")


def kinds(stack: Stack, service: str) -> Mapping[str, Callable[[], None]]:
    """Everything that is done to one service's first container, by its name."""
    return {
        f"{service}: killed": partial(kill, stack, service),
        f"{service}: paused": partial(pause, stack, service),
        f"{service}: restarted": partial(restart, stack, service),
        f"{service}: cut off": partial(cut_off, stack, service),
    }


def kill(stack: Stack, service: str) -> None:
    """End its first process from outside, as a crash does: the engine must start it again by itself."""
    container = stack.containers(service)[0]
    before = stack.inspect(container)
    os.kill(before["State"]["Pid"], signal.SIGKILL)
    _until(lambda: stack.inspect(container)["RestartCount"] > before["RestartCount"])
    _healthy(stack, container)


def pause(stack: Stack, service: str) -> None:
    """Stop all of it in its tracks for a while."""
    container = stack.containers(service)[0]
    run(["docker", "pause", container])
    try:
        time.sleep(PAUSE_SECONDS)
    finally:
        run(["docker", "unpause", container])
    _healthy(stack, container)


def restart(stack: Stack, service: str) -> None:
    """Stop it as it wants to be stopped, and start it."""
    container = stack.containers(service)[0]
    stack.compose("restart", service)
    _healthy(stack, container)


def cut_off(stack: Stack, service: str) -> None:
    """Take it off the inner network for a while, with all its connections left hanging."""
    container = stack.containers(service)[0]
    network = f"{stack.project}_inside"
    known = stack.inspect(container)["NetworkSettings"]["Networks"][network]
    run(["docker", "network", "disconnect", network, container])
    try:
        time.sleep(CUT_SECONDS)
    finally:
        names = [name for alias in known["Aliases"] for name in ("--alias", alias)]
        run(["docker", "network", "connect", *names, network, container])
    _healthy(stack, container)


def _healthy(stack: Stack, container: str) -> None:
    def says_so() -> bool:
        state = stack.inspect(container)["State"]
        return bool(state["Running"] and state["Health"]["Status"] == "healthy")

    _until(says_so)


def _until(done: Callable[[], bool]) -> None:
    late = time.monotonic() + BACK_SECONDS
    while not done():
        if time.monotonic() > late:
            raise Failed(f"not within {BACK_SECONDS:.0f} s")
        time.sleep(0.5)
