"""Records the running processes in the data folder, so that other commands can list, stop or clean them up."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.common.folder import Folder, read_json, write_json
from deploy.common.trouble import Trouble
from deploy.local.embedded.process import Identity, end, is_running
from deploy.local.embedded.supervisor import SupervisedProgram


@dataclass(frozen=True, slots=True)
class RunningPart:
    """A part's process as recorded in the file."""

    name: str
    who: Identity
    restarts: int
    stop_signal: int
    stop_seconds: float
    once: bool

    @property
    def is_alive(self) -> bool:
        return is_running(self.who)


@dataclass(frozen=True, slots=True)
class Running:
    """A launcher and its parts in start order."""

    launcher: Identity
    web: str
    parts: tuple[RunningPart, ...]

    @property
    def stop_seconds(self) -> float:
        """Return the longest time in seconds that an orderly stop may take."""
        return sum(part.stop_seconds for part in self.parts)


def note(folder: Folder, launcher: Identity, web: str, parts: Sequence[SupervisedProgram]) -> None:
    """Write the running processes to the file."""
    described = [
        {
            "name": part.program.name,
            "pid": part.who.pid,
            "created": part.who.created,
            "restarts": part.restarts,
            "stop_signal": int(part.program.stop_signal),
            "stop_seconds": part.program.stop_seconds,
            "once": part.program.once,
        }
        for part in parts
        if part.who
    ]
    content = {"pid": launcher.pid, "created": launcher.created, "web": web, "parts": described}
    write_json(folder.running, content)


def noted(folder: Folder) -> Running | None:
    """Return the processes recorded last; None without a record."""
    content: Mapping[str, Any] | None = read_json(folder.running)
    if content is None:
        return None
    parts = tuple(
        RunningPart(
            name=part["name"],
            who=Identity(part["pid"], part["created"]),
            restarts=part["restarts"],
            stop_signal=part["stop_signal"],
            stop_seconds=part["stop_seconds"],
            once=part["once"],
        )
        for part in content["parts"]
    )
    return Running(Identity(content["pid"], content["created"]), content["web"], parts)


def left_over(folder: Folder) -> list[RunningPart]:
    """Return recorded parts that still run, the last started first, whether or not their launcher does."""
    found = noted(folder)
    return [part for part in reversed(found.parts) if part.is_alive] if found else []


def clean(folder: Folder) -> None:
    """Stop the parts that a killed launcher left. Raises Trouble when they belong to another user."""
    for part in left_over(folder):
        try:
            end(part.who, signal.Signals(part.stop_signal), part.stop_seconds)
        except PermissionError as fault:
            raise Trouble("folder.not_yours", folder=folder.root, pid=part.who.pid) from fault
        except TimeoutError as fault:
            raise Trouble("part.immortal", part=part.name, pid=part.who.pid) from fault
    for file in (folder.running, folder.endpoints):
        file.unlink(missing_ok=True)
